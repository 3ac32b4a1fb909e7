import type { Duplex } from 'node:stream';
import type { Algorithms, Client } from 'ssh2';
import { asFailure, Failure } from '../failure.ts';
import { attempt, type Deadlines } from './attempt.ts';
import type { Login } from './auth.ts';
import { type Banner, watchBanner } from './banner.ts';
import type { HostSpec } from './client.ts';

/** Modern algorithms, encrypt-then-MAC first and nothing on SHA-1; the host key algorithms depend on the host. */
const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies Algorithms;

/** Says of each offered host key whether to go on with it; `failure` tells of the one that was refused. */
export interface KeyCheck {
  verify(blob: Buffer): boolean;
  /** The server has proved that it holds the key; nothing has been said of the user yet. */
  proved(): void;
  readonly failure?: Failure;
}

export interface Handshake {
  readonly host: HostSpec;
  readonly stream: Duplex;
  readonly check: KeyCheck;
  readonly hostKeyAlgorithms: Algorithms['serverHostKey'];
  /** Without one, it hangs up when the server has proved its host key, before anything is said of the user. */
  readonly login?: Login;
  readonly keepaliveMs: number;
  readonly deadlines: Deadlines;
}

/** Key exchange, host key check and login over a stream. The stream is destroyed when it fails. */
export async function handshake(plan: Handshake): Promise<Client> {
  const { Client } = (await import('ssh2')).default;
  const { host, stream, check, login } = plan;
  const client = new Client();
  const undo = () => {
    client.destroy();
    stream.destroy();
  };
  return attempt<Client>(`Connecting to ${host.name}`, plan.deadlines, undo, ({ stage, done, fail }) => {
    let proved = false;
    const banner = watchBanner(host, stream, () => ended());
    const ended = (cause?: Error) => fail(check.failure ?? endedEarly(host, banner, proved, login, cause));
    stage(() => (banner.complete ? slow(host, 'key exchange') : banner.failure(false)));
    client.on('handshake', () => {
      if (proved) return;
      proved = true;
      try {
        check.proved();
      } catch (error) {
        return fail(asFailure(error));
      }
      if (!login) {
        done(client);
        return undo();
      }
      stage(() => slow(host, 'login'));
    });
    client.on('ready', () => done(client));
    // Never taken off: ssh2 may report one trouble several times, and later ones need a listener too.
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level !== 'agent') ended(error);
    });
    client.on('close', () => ended());
    client.connect({
      sock: stream,
      username: host.user,
      hostVerifier: (key: Buffer) => check.verify(key),
      algorithms: { ...ALGORITHMS, serverHostKey: plan.hostKeyAlgorithms },
      authHandler: login?.handler(() => fail(login.failure())),
      readyTimeout: 0,
      keepaliveInterval: plan.keepaliveMs,
      // ssh2 asks, and leaves it to the connection to find that nothing comes.
      keepaliveCountMax: Number.POSITIVE_INFINITY,
    });
  });
}

function slow(host: HostSpec, what: string): Failure {
  const text = `${host.name} (${host.address}:${host.port}) did not finish the SSH ${what} in time.`;
  return new Failure('timeout', text, 'The host may be overloaded, or its login waits for something such as DNS.');
}

function endedEarly(host: HostSpec, banner: Banner, proved: boolean, login?: Login, cause?: Error): Failure {
  if (!banner.complete) return banner.failure(true, cause);
  const place = `${host.name} (${host.address}:${host.port})`;
  if (proved && login) {
    // A disconnect message of the server carries its own words and a numeric code (RFC 4253, 11.1).
    const { code } = (cause ?? {}) as { code?: unknown };
    if (typeof code === 'number') return login.failure(cause?.message);
    const text = `${place} closed the connection while logging in${cause ? `: ${cause.message}` : ''}.`;
    return new Failure('unreachable', text, 'Call again; if it stays so, the sshd log of the host says why.', {
      cause,
      said: cause?.message,
    });
  }
  if (cause && /no matching/.test(cause.message)) {
    const text = `${place} and this client share no SSH algorithm: ${cause.message}.`;
    const cure =
      'Allow curve25519-sha256, aes256-gcm@openssh.com and an ed25519 or rsa-sha2-512 host key in its sshd_config.';
    return new Failure('misconfigured', text, cure, { cause, said: cause.message });
  }
  const text = `${place} broke off the SSH key exchange${cause ? `: ${cause.message}` : ''}.`;
  const cure = 'Call again; if it stays so, the sshd log of the host says why.';
  return new Failure('unreachable', text, cure, { cause, said: cause?.message });
}
