import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { beginLifetime, type ServerParts } from './lifetime.ts';
import { buildServer } from './server.ts';

/** Longest line taken from a client; a longer one ends the connection with a sentence on stderr. */
const LONGEST_LINE = 32 * 1024 * 1024;

/** Serves MCP on this process's stdin and stdout until stdin ends or the process is told to end. */
export function serveOverStdio(parts: ServerParts): void {
  const { shutdown, track, tell, leave } = beginLifetime(parts);
  process.stdin.on('end', leave);
  process.stdin.on('close', leave);
  process.stdout.on('error', leave);
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: LONGEST_LINE });
  serveStdio(() => buildServer({ ...parts, shutdown, track }), { transport, onerror: tell });
  // Closed by the transport itself, after a line that was too long: stdin is paused then, and its end is never heard of.
  const closed = transport.onclose;
  transport.onclose = () => {
    closed?.();
    void leave();
  };
}
