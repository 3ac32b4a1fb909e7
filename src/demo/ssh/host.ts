import { createServer, type Socket } from 'node:net';
import type { AuthContext, ParsedKey, PublicKeyAuthContext } from 'ssh2';
import type { World } from '../world.ts';
import { loadInterpreter } from './interpreter.ts';
import { fingerprintOf, newKeyPair } from './keys.ts';
import { machinesOf } from './machine.ts';
import { programsOf } from './programs.ts';
import { serveSession } from './session.ts';

/** An SSH server of one node of the datacentre, on 127.0.0.1. */
export interface SshHost {
  readonly port: number;
  /** `SHA256:…` */
  readonly hostKeyFingerprint: string;
  /** The line for a known_hosts file. */
  readonly hostKeyLine: string;
  readonly user: 'root';
  /** OpenSSH PEM of a key that may log in, made at the start. */
  readonly clientKey: string;
  stop(): Promise<void>;
}

export interface SshHostOptions {
  /** The node it is; `pve1` when not given. */
  readonly node?: string;
}

/**
 * Starts an SSH server that runs what it is told on pretend machines: a shell interpreter over files in memory. Nothing
 * of the real machine can be reached by it.
 */
export async function startSshHost(world: World, options: SshHostOptions = {}): Promise<SshHost> {
  const { default: ssh2 } = await import('ssh2');
  const [hostKey, clientKey] = [await newKeyPair(), await newKeyPair()];
  const interpreter = await loadInterpreter((machine) => programsOf(machine, () => ({ interpreter, machines })));
  const machines = machinesOf(world, (files) => interpreter.disk(files));
  const machine = machines.node(options.node ?? 'pve1');

  const server = new ssh2.Server({ hostKeys: [hostKey.pem], ident: 'proxmox-ssh-mcp_demo' }, (connection) => {
    connection.on('error', () => connection.end());
    connection.on('authentication', (context) => authenticate(context, clientKey.key));
    connection.on('session', (accept) => serveSession(accept(), machine, interpreter));
  });
  const sockets = new Set<Socket>();
  // Its own listener, because ssh2's would leave Nagle's algorithm on: 40 ms more for each command.
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    server.injectSocket(socket);
  });
  const port = await new Promise<number>((resolve, reject) => {
    listener.on('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  return {
    port,
    hostKeyFingerprint: fingerprintOf(hostKey),
    hostKeyLine: `[127.0.0.1]:${port} ${hostKey.line}`,
    user: 'root',
    clientKey: clientKey.pem,
    stop: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Lets root in with this key (RFC 4252, section 7: first the question whether it would do, then a signature). */
function authenticate(context: AuthContext, key: ParsedKey): void {
  if (context.method === 'publickey' && context.username === 'root' && proves(context, key)) context.accept();
  else context.reject(['publickey']);
}

function proves({ key: offered, signature, blob, hashAlgo }: PublicKeyAuthContext, key: ParsedKey): boolean {
  if (offered.algo !== key.type || !offered.data.equals(key.getPublicSSH())) return false;
  return signature === undefined || (blob !== undefined && key.verify(blob, signature, hashAlgo) === true);
}
