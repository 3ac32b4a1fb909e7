import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { onDisk } from './disk.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { mayTrace, spoiled, spoilProgram } from './strace.ts';

it('README.md has a row for each file, and no other', () => {
  const rows = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').matchAll(/^\| `([\w.]+)` \|/gm);
  const files = readdirSync(import.meta.dirname).filter((name) => name !== 'README.md');
  expect([...rows].map(([, name]) => name).sort()).toEqual(files.sort());
});

/** A client and a server with the proxy in between. */
async function connected(): Promise<{ proxy: FaultProxy; client: Socket; server: Socket }> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy = await startProxy({ host: '127.0.0.1', port: address.port });
  const client = tcpConnect({ host: proxy.host, port: proxy.port, allowHalfOpen: true });
  const [server] = (await once(listener, 'connection')) as [Socket];
  for (const socket of [client, server]) socket.on('error', () => {});
  onTestFinished(async () => {
    await proxy.stop();
    listener.close();
  });
  return { proxy, client, server };
}

/** How many bytes a socket reads until it ends or is reset. */
const bytesOf = async (socket: Socket): Promise<number> => {
  let bytes = 0;
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  await new Promise((resolve) => socket.on('end', resolve).on('error', resolve));
  return bytes;
};

describe('the proxy', () => {
  it('resets after exactly so many bytes, and only the way that it was told', async () => {
    const { proxy, client, server } = await connected();
    proxy.resetAfter(10_000, 'down');
    const closed = Promise.all([client, server].map((socket) => new Promise((resolve) => socket.on('close', resolve))));
    const here = bytesOf(client);
    client.write(Buffer.alloc(50_000));
    server.write(Buffer.alloc(50_000));
    expect(await here).toBe(10_000);
    // Some kernels tell a reset at the next write only.
    for (const socket of [client, server]) socket.write('more');
    await closed;
  });

  it('ends one way, and passes the other on', async () => {
    const { proxy, client, server } = await connected();
    proxy.halfClose('down');
    expect(await bytesOf(client)).toBe(0);
    client.end(Buffer.alloc(5_000));
    expect(await bytesOf(server)).toBe(5_000);
  });

  it('slices, and loses nothing', async () => {
    const { proxy, client, server } = await connected();
    proxy.slice(1);
    const sizes: number[] = [];
    server.on('data', (piece: Buffer) => sizes.push(piece.length));
    const sent = Buffer.from(Array.from({ length: 2_000 }, (_, i) => i % 251));
    client.end(sent);
    expect((await buffer(server)).equals(sent)).toBe(true);
    expect(sizes.filter((size) => size === 1).length).toBeGreaterThan(1_000);
  });
});

it('a disk of so many pages takes so many, and is full then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'psm-rig-'));
  await onDisk(folder, 256, (disk) => {
    disk.fill(2);
    writeFileSync(join(folder, 'one'), Buffer.alloc(4_096));
    expect(() => writeFileSync(join(folder, 'two'), Buffer.alloc(9_000))).toThrow('ENOSPC');
    disk.empty();
    writeFileSync(join(folder, 'two'), Buffer.alloc(9_000));
  });
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

describe.runIf(mayTrace())('a system call', () => {
  const folder = mkdtempSync(join(tmpdir(), 'psm-rig-'));
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  for (const file of [one, two]) writeFileSync(file, file);
  const run = (argv: string[]) => spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });

  it('fails, on that path only', () => {
    const fault = { call: 'openat', path: two, instead: 'EIO' } as const;
    expect(run(spoiled(['cat', one, two], fault))).toMatchObject({
      status: 1,
      stdout: one,
      stderr: expect.stringContaining('Input/output error'),
    });
  });

  it('is the last of the process', () => {
    const ended = run(spoiled(['cat', one], { call: 'openat', path: one, instead: 'SIGKILL' }));
    expect(ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
  });

  it('waits, in a program that is found in PATH', () => {
    spoilProgram(folder, 'cat', { call: 'openat', path: one, instead: { delayMs: 300 } });
    const start = performance.now();
    const env = { PATH: `${folder}:${process.env.PATH}` };
    expect(execFileSync('cat', [one], { env, encoding: 'utf8' })).toBe(one);
    expect(performance.now() - start).toBeGreaterThan(300);
    rmSync(folder, { recursive: true });
  });
});
