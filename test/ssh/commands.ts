import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { type ChannelOptions, createPool, type Pool, type PoolOptions } from '../../src/ssh/pool.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';

/** A folder that the remote users can write to; it goes when the test file is through. */
const folder = mkdtempSync(join(tmpdir(), 'psm-pool-'));
chmodSync(folder, 0o777);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
export const newFile = () => join(folder, `file${++count}`);
export const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
export const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

export const hostOf = (server: Sshd, more: Partial<HostSpec> = {}): HostSpec => ({
  name: 'pve1',
  address: server.host,
  port: server.port,
  user: 'psm-dash',
  keyPath: server.clientKeyPath,
  ...more,
});

/** A pool that knows the server's key on every port, so that a proxy may stand before it. */
export function poolFor(server: Sshd, more: Partial<PoolOptions> = {}): Pool {
  const known = newFile();
  writeFileSync(known, `[127.0.0.1]:* ${server.hostKeyLine.split(' ').slice(1).join(' ')}\n`);
  return createPool({ knownHosts: [known], ownKnownHosts: newFile(), ...more });
}

export interface Ended {
  readonly out: Buffer;
  readonly code: number | null | undefined;
}

/** Runs a command to its end; rejects with the reason when the connection is lost before. */
export const run = (
  pool: Pool,
  host: HostSpec,
  command: string,
  options: ChannelOptions = {},
  input = '',
): Promise<Ended> =>
  pool.withChannel(
    host,
    command,
    (channel, link) =>
      new Promise((resolve, reject) => {
        const out: Buffer[] = [];
        let code: number | null | undefined;
        channel.on('data', (piece: Buffer) => out.push(piece));
        channel.stderr.resume();
        channel.on('exit', (status) => {
          code = status;
        });
        const lost = () => reject(link.lost.reason);
        link.lost.addEventListener('abort', lost, { once: true });
        channel.on('close', () => {
          link.lost.removeEventListener('abort', lost);
          resolve({ out: Buffer.concat(out), code });
        });
        channel.end(input);
      }),
    options,
  );

export const text = async (ended: Promise<Ended>) => (await ended).out.toString();

/** Shell text that goes on for as long as the file is there; it goes with its folder, whatever becomes of the test. */
export function whileThere(file: string): string {
  writeFileSync(file, '');
  return `while [ -e ${file} ]; do sleep 0.05; done`;
}

/** A command that runs until it is let go. */
export function held(pool: Pool, host: HostSpec) {
  const [file, hold] = [newFile(), newFile()];
  const over = run(pool, host, `echo up >>${file}; ${whileThere(hold)}; echo done`);
  const started = vi.waitFor(() => expect(lines(file)).toEqual(['up']), { timeout: 10_000 });
  return { over, started, letGo: () => rmSync(hold) };
}

export async function withSshd(options: SshdOptions, act: (server: Sshd) => Promise<void>): Promise<void> {
  const server = await startSshd(options);
  try {
    await act(server);
  } finally {
    await server.stop();
  }
}

export const logins = (server: Sshd, mark = 0) => server.log().slice(mark).split('Accepted publickey').length - 1;

export const connections = (server: Sshd) => server.log().split('Connection from').length - 1;
