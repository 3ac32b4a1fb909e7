import { SHUTDOWN } from '../failure.ts';
import type { Edge } from './server.ts';

/** What running calls get to end their remote processes before the process exits. */
const GRACE_MS = 1500;

/** Everything a server is made of, but for what its transport provides. */
export type ServerParts = Omit<Edge, 'shutdown' | 'track'> & {
  /** Ends the commands that no call waits for; called once, when the running calls are aborted. */
  readonly endJobs: () => Promise<void>;
  /** Closes connections; called once, after the running calls have ended. */
  readonly close: () => Promise<void>;
};

/** This process as a server: what its end aborts, and what its end waits for. */
export interface Lifetime extends Pick<Edge, 'shutdown' | 'track'> {
  /** One line on stderr, with no secret in it. */
  readonly tell: (error: unknown) => void;
  /** Ends the process in order, with exit code 0. */
  readonly leave: () => Promise<void>;
}

const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]);

/**
 * Lets this process live until SIGINT, SIGTERM, SIGHUP or `leave`. Then what runs is aborted (remote processes are
 * ended), connections are closed, and the process exits with 0; with 1 after an error that nobody caught, since what
 * it left behind is not known.
 */
export function beginLifetime({ present, endJobs, close }: ServerParts): Lifetime {
  const ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  const tell = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`proxmox-ssh-mcp: ${present.line(message)}\n`);
  };
  const stop = async (code: 0 | 1): Promise<void> => {
    if (ending.signal.aborted) return;
    ending.abort(SHUTDOWN);
    await within(GRACE_MS, Promise.allSettled([...running, endJobs()]));
    await within(200, close());
    process.exit(code);
  };
  const leave = (): Promise<void> => stop(0);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave);
  process.on('unhandledRejection', tell);
  process.on('uncaughtException', (error) => {
    tell(error);
    void stop(1);
  });
  // Whoever read this log may be gone; that is no reason to end running commands.
  process.stderr.on('error', () => undefined);
  const track = (work: Promise<unknown>): void => {
    running.add(work);
    work.then(
      () => running.delete(work),
      () => running.delete(work),
    );
  };
  return { shutdown: ending.signal, track, tell, leave };
}
