import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { SHUTDOWN } from '../failure.ts';
import { buildServer, type Edge } from './server.ts';

/** Longest line taken from a client; a longer one ends the connection with a sentence on stderr. */
const LONGEST_LINE = 32 * 1024 * 1024;
/** What running calls get to end their remote processes before the process exits. */
const GRACE_MS = 1500;

/** Everything a server is made of, but for what stdio itself provides. */
export type StdioParts = Omit<Edge, 'shutdown' | 'track'> & {
  /** Ends the commands that no call waits for; called once, when the running calls are aborted. */
  readonly endJobs: () => Promise<void>;
  /** Closes connections; called once, after the running calls have ended. */
  readonly close: () => Promise<void>;
};

const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]);

/**
 * Serves MCP on this process's stdin and stdout until stdin ends, SIGINT, SIGTERM or SIGHUP. Then running calls are
 * aborted (their remote processes are ended), connections closed, and the process exits with 0; with 1 after an error
 * that nobody caught, since what it left behind is not known.
 */
export function serveOverStdio({ endJobs, close, ...parts }: StdioParts): void {
  const ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  const tell = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`proxmox-ssh-mcp: ${parts.present.line(message)}\n`);
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
  process.stdin.on('end', leave);
  process.stdin.on('close', leave);
  process.stdout.on('error', leave);
  const track = (call: Promise<unknown>): void => {
    running.add(call);
    call.then(
      () => running.delete(call),
      () => running.delete(call),
    );
  };
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: LONGEST_LINE });
  serveStdio(() => buildServer({ ...parts, shutdown: ending.signal, track }), { transport, onerror: tell });
  // Closed by the transport itself, after a line that was too long: stdin is paused then, and its end is never heard of.
  const closed = transport.onclose;
  transport.onclose = () => {
    closed?.();
    void leave();
  };
}
