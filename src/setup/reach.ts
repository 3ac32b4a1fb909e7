import { connect } from 'node:net';

const PATIENCE_MS = 5_000;

/** Why nothing answers at that port, in a few words; undefined when something does. Nothing is sent. */
export function unreachable(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    const end = (why?: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('nothing answers'));
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => end(words[code ?? ''] ?? message));
  });
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the port is closed',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'nothing answers',
};
