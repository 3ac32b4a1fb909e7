import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inOnePiece } from '../../src/ssh/onepiece.ts';

/** A socket that is connected, and all that the other side will have got at its end. */
async function connected() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const accepted = once(server, 'connection');
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  await once(socket, 'connect');
  const [peer] = await accepted;
  return { socket: inOnePiece(socket), received: buffer(peer) };
}

/** How often this process has asked the kernel to write (proc(5), io). */
const writes = (): number => Number(/^syscw: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

describe('what is written in one turn', () => {
  it('is one write for the kernel, in order and whole', async () => {
    const { socket, received } = await connected();
    const before = writes();
    let text = '';
    for (let turn = 0; turn < 1000; turn++) {
      for (const part of ['length', 'text', 'tag']) {
        text += `${turn} ${part}\n`;
        socket.write(`${turn} ${part}\n`);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(writes() - before).toBeLessThan(2000);
    socket.end();
    expect((await received).toString()).toBe(text);
  });

  it('arrives when the socket is ended in the same turn, and is told of when it is sent', async () => {
    const { socket, received } = await connected();
    const sent: string[] = [];
    socket.write('a', () => sent.push('a'));
    socket.write(Buffer.from('b'), () => sent.push('b'));
    socket.write('63', 'hex', () => sent.push('c'));
    socket.end('d');
    expect((await received).toString()).toBe('abcd');
    expect(sent).toEqual(['a', 'b', 'c']);
  });
});
