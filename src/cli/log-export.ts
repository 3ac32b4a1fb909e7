import { accessSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { type ExportFormat, exported } from '../log/export.ts';
import { type Filter, filterOf, type Wanted } from '../log/filter.ts';
import { auditCalls } from '../log/read.ts';
import { brokenLines, telling } from './log.ts';

export interface ExportFlags extends Wanted {
  readonly settingsFile?: string;
  readonly format: ExportFormat;
  readonly output?: string;
}

/** Writes calls in a form for other programs, to a new file that only its owner can read, or to stdout. */
export const logExport = (flags: ExportFlags): Promise<void> =>
  telling(flags.settingsFile, async ({ audit }) => {
    const matches = filterOf(flags, Date.now());
    accessSync(audit, constants.R_OK);
    const broken = brokenLines();
    const text = exported(matching(auditCalls(audit, broken.seen), matches), flags.format);
    if (flags.output === undefined) for await (const piece of text) await written(piece);
    else await toFile(flags.output, text);
    broken.tell();
  });

async function* matching(calls: ReturnType<typeof auditCalls>, matches: Filter) {
  for await (const call of calls) if (matches(call)) yield call;
}

/** Waits where nobody reads on for now. */
const written = (text: string): Promise<void> =>
  new Promise((resolve) => {
    if (process.stdout.write(text)) resolve();
    else process.stdout.once('drain', resolve);
  });

async function toFile(file: string, text: AsyncIterable<string>): Promise<void> {
  const fd = opened(file);
  try {
    for await (const piece of text) writeSync(fd, piece);
  } finally {
    closeSync(fd);
  }
}

function opened(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'EEXIST' ? 'it is there already' : (cause as Error).message;
    throw new Failure('misconfigured', `${file} could not be made: ${why}.`, 'Name a new file in a folder of yours.', {
      cause,
    });
  }
}
