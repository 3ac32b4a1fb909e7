import { setMaxListeners } from 'node:events';
import type { ClientChannel } from 'ssh2';
import type { Link } from './pool.ts';

/** How a command ended, as far as the connection tells. */
export interface Ending {
  /** `exit`: the server told how. `closed`: it closed the channel without a word. `lost`: the connection is gone. */
  readonly kind: 'exit' | 'closed' | 'lost';
  readonly exitCode?: number;
  /** Without the SIG prefix. */
  readonly signal?: string;
  /** The command is over, but its output stayed open; or, when lost, may not have come in full. */
  readonly outputOpen: boolean;
}

const QUIET_MS = 250;
const DRAIN_MS = 2_000;
const GRACE_MS = 250;

/**
 * Settles when the command is over and its output came in: at the close of the channel, or when nothing came for
 * 250 ms after the exit (2 s at most), because what it left in the background may hold the channel open for ever.
 * `toTheEnd`: at the close only, for output of which no byte may be missing. While we ourselves take no more, nothing
 * that is missing is the command's. Must be called before the channel has a chance to speak.
 */
export function ending(channel: ClientChannel, link: Link, toTheEnd = false): Promise<Ending> {
  return new Promise((resolve) => {
    let exit: Pick<Ending, 'exitCode' | 'signal'> | undefined;
    let quiet: NodeJS.Timeout | undefined;
    let last: NodeJS.Timeout | undefined;
    const settle = (kind: Ending['kind'], outputOpen = false) => {
      clearTimeout(quiet);
      clearTimeout(last);
      link.lost.removeEventListener('abort', lose);
      resolve({ kind, ...exit, outputOpen });
    };
    const lose = () => settle('lost', true);
    const held = () => channel.isPaused() || channel.stderr.isPaused();
    const drain = () => {
      if (!exit || toTheEnd) return;
      clearTimeout(quiet);
      quiet = setTimeout(() => (held() ? drain() : settle('exit', true)), QUIET_MS);
    };
    const drainAtMost = () => {
      last = setTimeout(() => (held() ? drainAtMost() : settle('exit', true)), DRAIN_MS);
    };
    channel.on('data', drain);
    channel.stderr.on('data', drain);
    channel.on('exit', (code: number | null, signal?: string) => {
      exit = code === null ? { signal: signal?.replace(/^SIG/, '') } : { exitCode: code };
      if (!toTheEnd) drainAtMost();
      drain();
    });
    channel.on('close', () => {
      if (exit) return settle('exit');
      // A connection that dies may close its channels before it tells of its own end.
      last = setTimeout(() => settle('closed'), GRACE_MS);
    });
    if (link.lost.aborted) return lose();
    // Every channel of the connection listens to it.
    setMaxListeners(0, link.lost);
    link.lost.addEventListener('abort', lose, { once: true });
  });
}
