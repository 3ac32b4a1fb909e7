import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Failure } from '../../src/failure.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import { type Connection, connect } from '../../src/ssh/connect.ts';
import type { ConnectOptions } from '../../src/ssh/layer.ts';
import type { Sshd } from '../rig/sshd.ts';

/** A connect deadline, in ms, that is short and yet long enough for an honest login. */
export const DEADLINE = 1_200;

export const BANNER = 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n';

const folder = mkdtempSync(join(tmpdir(), 'psm-connect-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export const publicKey = (server: Sshd) => readFileSync(`${server.clientKeyPath}.pub`, 'utf8').trim();

export const hostAt = (server: Sshd, more: Partial<HostSpec> = {}): HostSpec => ({
  name: 'pve1',
  address: '127.0.0.1',
  port: server.port,
  user: 'psm-dash',
  keyPath: server.clientKeyPath,
  ...more,
});

let count = 0;

/** Options by which the servers' keys are known on every port, so that a proxy may stand before each. */
export function knowing(...servers: Sshd[]): ConnectOptions {
  const file = join(folder, `known_hosts${++count}`);
  const keys = servers.map(({ hostKeyLine }) => hostKeyLine.split(' ').slice(1).join(' '));
  writeFileSync(file, keys.map((key) => `[127.0.0.1]:* ${key}\n`).join(''));
  return { knownHosts: [file], ownKnownHosts: join(folder, 'own') };
}

/** The failure of a connect, and how long it took. */
export async function refusal(host: HostSpec, options: ConnectOptions) {
  const start = performance.now();
  const error = await connect(host, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error(`no Failure: ${error}`);
  return { kind: error.kind, message: error.message, hint: error.hint, ms: performance.now() - start };
}

/** Done with the ms it took until the connection was found lost. */
export function lost(connection: Connection): Promise<number> {
  const start = performance.now();
  return new Promise((resolve) => {
    connection.lost.addEventListener('abort', () => resolve(performance.now() - start));
  });
}

export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export async function listening<T extends Server>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A server that does `act` with each connection; `over` is done when a client has closed its side. */
export async function actor(act: (socket: Socket) => void) {
  let closed = () => {};
  const over = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const server = await listening(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('close', closed);
      socket.resume();
      act(socket);
    }),
  );
  return { port: portOf(server), over, stop: () => server.close() };
}

/** A port of 127.0.0.1 where nothing listens. */
export async function deadPort(): Promise<number> {
  const server = await listening(createServer());
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}
