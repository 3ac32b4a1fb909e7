import type { Problem } from '../config/problem.ts';
import { calledAs } from './claude.ts';
import { type Flags, ground, loadHere, version } from './surroundings.ts';
import { warn } from './terminal.ts';

/** Serves MCP on stdin and stdout. Whatever is wrong with the settings, it starts: its tools answer with the cure. */
export async function serve(flags: Flags, problems: readonly Problem[] = []): Promise<void> {
  const app = import('../app.ts');
  // Whoever reads this log may be gone before the first line of it.
  process.stderr.on('error', () => undefined);
  const loaded = loadHere(flags, problems);
  for (const { cause, cure } of loaded.problems) warn(`${cause} ${cure}`);
  if (process.stdin.isTTY) {
    warn('Speaking MCP on stdin and stdout, for an AI client to start; end it with Ctrl-D. See --help for commands.');
  }
  const { startServer } = await app;
  await startServer(loaded, { version, warn, ...ground(), uid: process.getuid?.(), calledAs });
}
