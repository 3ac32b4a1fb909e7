import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import { type AuditCall, Calls } from './calls.ts';
import { rotatedOf, shortName } from './files.ts';
import type { AuditLine } from './line.ts';
import { linesIn, linesOf } from './lines.ts';

/** Told of each line that cannot be read, as `file:number`. */
export type OnBroken = (where: string) => void;

/** Every line of an audit file and of those rotated out of it, the oldest first, one at a time. */
export async function* auditLines(audit: string, onBroken: OnBroken = () => undefined): AsyncGenerator<AuditLine> {
  for (const { file } of rotatedOf(audit)) yield* readable(linesOf(file), onBroken);
  yield* readable(linesOf(audit), onBroken);
}

async function* readable(lines: ReturnType<typeof linesOf>, onBroken: OnBroken): AsyncGenerator<AuditLine> {
  for await (const { line, file, number } of lines) {
    if (line) yield line;
    else onBroken(`${shortName(file)}:${number}`);
  }
}

/** Every call, in the order in which they began. Memory does not grow with the number of calls. */
export async function* auditCalls(audit: string, onBroken?: OnBroken): AsyncGenerator<AuditCall> {
  const calls = new Calls();
  for await (const line of auditLines(audit, onBroken)) yield* calls.add(line);
  yield* calls.rest();
}

/** What is wrong with a file that cannot be read, as a Failure with its cure. */
export function unreadable(audit: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    const cure = 'It is made with the first call. If it is elsewhere, name the settings: --settings-file FILE.';
    return new Failure('not-found', `There is no audit file ${audit}.`, cure);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const cure = 'Run this as the user that the server runs as.';
    return new Failure('permission', `${audit} cannot be read by this user.`, cure);
  }
  return error;
}

const POLL_MS = 250;

/** One file that is followed, and how far it was read. */
interface Followed {
  readonly on: FileHandle;
  readonly ino: number;
  at: number;
}

/** Every line, then (after each `now`) those that are written, until `signal` aborts; a rotated file is read to its end first. */
export async function* followLines(audit: string, signal: AbortSignal): AsyncGenerator<AuditLine | 'now'> {
  let current = await opened(audit);
  try {
    for (const { file } of rotatedOf(audit)) {
      if (statSync(file).ino === current.ino) break;
      yield* readable(linesOf(file), () => undefined);
    }
    while (!signal.aborted) {
      yield* news(current);
      const next = await nextOf(audit, current);
      if (next) {
        // Whoever had it open when it was rotated may have written one more line.
        yield* news(current);
        await current.on.close();
        current = next;
        continue;
      }
      yield 'now';
      await pause(signal);
    }
  } finally {
    await current.on.close();
  }
}

async function opened(file: string): Promise<Followed> {
  const on = await open(file, 'r');
  return { on, ino: (await on.stat()).ino, at: 0 };
}

async function* news(followed: Followed): AsyncGenerator<AuditLine> {
  for await (const { line, next, open } of linesIn(followed.on, '', undefined, { start: followed.at })) {
    if (open) return;
    followed.at = next;
    if (line) yield line;
  }
}

/** The file that came after this one, when it was rotated: there may have been several. */
async function nextOf(audit: string, { ino }: Followed): Promise<Followed | undefined> {
  const isIt = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.ino === ino;
  if (isIt(audit)) return undefined;
  const files = [...rotatedOf(audit).map(({ file }) => file), audit];
  // One that was removed or moved elsewhere is in no place: what has its name now is followed.
  const at = files.findIndex(isIt);
  return opened(at < 0 ? audit : (files[at + 1] ?? audit)).catch(() => undefined);
}

const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, POLL_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
