import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostSpec, Ssh, Streams } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { slowest } from '../figures.ts';
import { login } from '../rig/login.ts';
import { startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

let server: Sshd;
let known: string;
beforeAll(async () => {
  server = await startSshd();
  known = join(server.folder, 'known_hosts');
  writeFileSync(known, `[127.0.0.1]:* ${server.hostKeyLine.split(' ').slice(1).join(' ')}\n`);
});
afterAll(() => server.stop());

const PIECE = Buffer.alloc(65_536, 'psm');

/** Pieces without end; `closed` tells whether their source was told that no more are wanted. */
function endless() {
  const state = { closed: false };
  async function* pieces() {
    try {
      for (;;) yield PIECE;
    } finally {
      state.closed = true;
    }
  }
  return { state, stdin: pieces() };
}

type Cut = (proxy: { cut(): void }) => void;
const cuts: [string, Cut][] = [
  ['the network is cut', (proxy) => proxy.cut()],
  ['the session is killed', () => server.killSessions()],
];

/** Runs on streams through a proxy, cuts when that many bytes have gone through, and gives how it ended and when. */
async function cutAfter(
  bytes: number,
  cut: Cut,
  use: (ssh: Ssh, host: HostSpec, count: () => void) => Promise<unknown>,
) {
  const proxy = await startProxy(server);
  const ssh = createSsh(createPool({ knownHosts: [known], ownKnownHosts: `${known}.own` }));
  let pieces = 0;
  let cutAt = 0;
  const count = () => {
    pieces += 1;
    if (pieces * PIECE.length < bytes || cutAt > 0) return;
    cutAt = performance.now();
    cut(proxy);
  };
  const error = await use(ssh, login(server, 'psm-dash', { port: proxy.port }), count).then(
    (result) => expect.fail(`it ended: ${JSON.stringify(result)}`),
    (thrown) => thrown,
  );
  const ms = performance.now() - cutAt;
  await ssh.close();
  await proxy.stop();
  return { error, ms };
}

describe.each(cuts)('guarantee 11: a stream, when %s in the middle of it,', (_, cut) => {
  it('to a command settles within 2 s as unknown, and its source is closed', async () => {
    const { state, stdin } = endless();
    const { error, ms } = await cutAfter(16 * 2 ** 20, cut, (ssh, host, count) => {
      async function* counted() {
        for await (const piece of stdin) {
          count();
          yield piece;
        }
      }
      const streams: Streams = { stdin: counted(), toTheEnd: true };
      return ssh.run(host, { script: 'cat >/dev/null', timeoutMs: 60_000 }, { streams });
    });
    expect(error).toMatchObject({ kind: 'outcome-unknown' });
    expect(ms).toBeLessThan(2_000);
    slowest(11, 'a stream that is cut settles in', ms);
    await vi.waitFor(() => expect(state.closed).toBe(true));
  });

  it('from a command settles within 2 s as unknown, and what was handed over is a beginning of it', async () => {
    const got = createHash('sha256');
    let length = 0;
    const { error, ms } = await cutAfter(16 * 2 ** 20, cut, (ssh, host, count) => {
      const stdout = (piece: Buffer) => {
        got.update(piece);
        for (let at = 0; at < piece.length; at += PIECE.length) count();
        length += piece.length;
      };
      const streams: Streams = { stdout, toTheEnd: true };
      return ssh.run(host, { script: 'yes psm | tr -d "\\n"', timeoutMs: 60_000 }, { streams });
    });
    expect(error).toMatchObject({ kind: 'outcome-unknown' });
    expect(ms).toBeLessThan(2_000);
    slowest(11, 'a stream that is cut settles in', ms);
    expect(got.digest('hex')).toBe(createHash('sha256').update(Buffer.alloc(length, 'psm')).digest('hex'));
  });
});
