import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { SHUTDOWN } from '../failure.ts';
import { buildServer, type Edge } from './server.ts';

/** Longest line taken from a client; a longer one ends the connection with a sentence on stderr. */
const LONGEST_LINE = 32 * 1024 * 1024;
/** What running calls get to end their remote processes before the process exits. */
const GRACE_MS = 1500;

/** Everything a server is made of, but for what stdio itself provides. */
export type StdioParts = Omit<Edge, 'shutdown' | 'track'> & {
  /** Closes connections; called once, after the running calls have ended. */
  readonly close: () => Promise<void>;
};

const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]);

/**
 * Serves MCP on this process's stdin and stdout until stdin ends, SIGINT, SIGTERM or SIGHUP. Then running calls are
 * aborted (their remote processes are ended), connections closed, and the process exits with 0.
 */
export function serveOverStdio({ close, ...parts }: StdioParts): void {
  const ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  const tell = (error: Error): void => {
    process.stderr.write(`proxmox-ssh-mcp: ${error.message}\n`);
  };
  const stop = async (): Promise<void> => {
    if (ending.signal.aborted) return;
    ending.abort(SHUTDOWN);
    await within(GRACE_MS, Promise.allSettled(running));
    await within(200, close());
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
  process.on('unhandledRejection', (error) => tell(error instanceof Error ? error : new Error(String(error))));
  process.stdin.on('end', stop);
  process.stdin.on('close', stop);
  process.stdout.on('error', stop);
  const track = (call: Promise<unknown>): void => {
    running.add(call);
    call.then(
      () => running.delete(call),
      () => running.delete(call),
    );
  };
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: LONGEST_LINE });
  serveStdio(() => buildServer({ ...parts, shutdown: ending.signal, track }), { transport, onerror: tell });
}
