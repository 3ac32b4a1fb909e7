import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { newKeyPair } from '../../src/demo/ssh/keys.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';

/** What a hostile server does where OpenSSH would behave. */
export interface Malice {
  /** Once the login is accepted. */
  readonly ready?: (connection: Connection) => void;
  /** When a command is to run; `mark` is the word by which the wrapper would tell that it does. */
  readonly exec?: (channel: ServerChannel, mark: string, command: string) => void;
  /** Refuses every login, after this. */
  readonly login?: (context: ssh2.AuthContext) => void;
  /** Refuses every session with these words. */
  readonly session?: (reject: () => boolean) => void;
  readonly banner?: string;
}

export interface HostileSshd {
  readonly host: HostSpec;
  readonly knownHosts: string;
  readonly folder: string;
  readonly ssh: ReturnType<typeof createSsh>;
  /** Types of what clients wanted to authenticate by. */
  readonly tried: string[];
  /** What clients asked of a session besides running a command. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** A server that speaks SSH and does as it is told: its key is known, as that of a host that was taken over is. */
export async function startHostileSshd(malice: Malice): Promise<HostileSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'psm-hostile-'));
  const [hostKey, client] = [await newKeyPair(), await newKeyPair()];
  const server = new ssh2.Server({ hostKeys: [hostKey.pem], banner: malice.banner });
  const sockets = new Set<Socket>();
  const tried: string[] = [];
  const asked: string[] = [];
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    server.injectSocket(socket);
  });
  server.on('connection', (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      tried.push(context.method);
      if (malice.login) malice.login(context);
      else context.accept();
    });
    connection.on('request', (_accept, _reject, name) => void asked.push(name));
    connection.on('ready', () => malice.ready?.(connection));
    connection.on('session', (accept, reject) => {
      if (malice.session) return malice.session(reject as () => boolean);
      const session = accept();
      for (const name of ['pty', 'x11', 'auth-agent', 'env', 'subsystem', 'shell'])
        session.on(name as 'pty', () => void asked.push(name));
      session.on('exec', (take, _, { command }) => {
        const channel = take();
        channel.on('error', () => {});
        const mark = /%s at %s\\n' ([0-9a-f]{32})/.exec(command)?.[1] ?? '';
        malice.exec?.(channel, mark, command);
      });
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey.line}\n`);
  writeFileSync(join(folder, 'key'), client.pem, { mode: 0o600 });
  const pool = createPool({ knownHosts: [knownHosts], ownKnownHosts: join(folder, 'own') });
  const ssh = createSsh(pool);
  return {
    host: { name: 'odd', address: '127.0.0.1', port, user: 'root', keyPath: join(folder, 'key') },
    knownHosts,
    folder,
    ssh,
    tried,
    asked,
    async stop() {
      await ssh.close();
      for (const socket of sockets) socket.destroy();
      listener.close();
      rmSync(folder, { recursive: true });
    },
  };
}
