import { open } from 'node:fs/promises';
import { type AuditCall, Calls } from './calls.ts';
import { linesIn } from './lines.ts';

/** What is read of the end of the file: a few hundred calls. */
const TAIL = 256 * 1024;

/** The newest calls of an audit file, at most so many, the newest last; none when there is no file. */
export async function recentCalls(audit: string, most: number): Promise<readonly AuditCall[]> {
  const on = await open(audit, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!on) return [];
  try {
    const { size } = await on.stat();
    const start = Math.max(0, size - TAIL);
    const calls = new Calls();
    const found: AuditCall[] = [];
    // A line that the tail begins in the middle of is no line, and passed over as one.
    for await (const { line } of linesIn(on, audit, undefined, { start })) if (line) found.push(...calls.add(line));
    return [...found, ...calls.rest()].slice(-most);
  } finally {
    await on.close();
  }
}
