import { type FileHandle, open } from 'node:fs/promises';
import { type AuditLine, parseLine, type Seal, sealOf } from './line.ts';

/** One line of an audit file, with where it begins. */
export interface FoundLine {
  readonly file: string;
  /** From 1 on; of a reading that began in the middle, counted from there. */
  readonly number: number;
  /** In bytes. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly next: number;
  /** Undefined when it is not a line of an audit, or is longer than one can be. */
  readonly line?: AuditLine;
  /** Looked at only when a key is given, `null` standing for none. */
  readonly seal?: Seal;
  /** Without its end: a line that is being written, or that was cut. */
  readonly open?: true;
}

const NEWLINE = 10;
const CHUNK = 256 * 1024;
/** The arguments of a call are shorter than this by far. */
const LONGEST = 16 * 1024 * 1024;
const TOO_LONG = Buffer.from('…');

/** Bytes from `start` up to `end`, each with the newline that ends it. Of what is too long only a mark comes. */
async function* rawLines(
  on: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<Pick<FoundLine, 'offset' | 'next' | 'open'> & { readonly bytes: Buffer }> {
  let pieces: Buffer[] = [];
  let length = 0;
  let offset = start;
  for (let at = start; at < end; ) {
    const { bytesRead, buffer } = await on.read(Buffer.alloc(Math.min(CHUNK, end - at)), 0, undefined, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    let from = 0;
    for (let to = buffer.indexOf(NEWLINE, from); to >= 0 && to < bytesRead; to = buffer.indexOf(NEWLINE, from)) {
      const last = buffer.subarray(from, to);
      const bytes = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
      const next = offset + length + last.length + 1;
      yield { bytes: length > LONGEST ? TOO_LONG : bytes, offset, next };
      offset = next;
      pieces = [];
      length = 0;
      from = to + 1;
    }
    length += bytesRead - from;
    if (length <= LONGEST) pieces.push(buffer.subarray(from, bytesRead));
    else pieces = [];
  }
  if (pieces.length > 0) yield { bytes: Buffer.concat(pieces), offset, next: offset + length, open: true };
}

export interface Span {
  readonly start?: number;
  readonly end?: number;
}

/** The lines of an open file, as they are in it; empty ones are nobody's. Memory does not grow with the file. */
export async function* linesIn(
  on: FileHandle,
  file: string,
  key: Buffer | null | undefined,
  { start = 0, end = Number.POSITIVE_INFINITY }: Span = {},
): AsyncGenerator<FoundLine> {
  let number = 0;
  for await (const { bytes, ...where } of rawLines(on, start, end)) {
    number += 1;
    if (bytes.length === 0) continue;
    const seal = key === undefined ? undefined : sealOf(bytes, key ?? undefined);
    yield { file, number, ...where, line: parseLine(bytes), seal };
  }
}

/** The same of a file by its name. Rejects as node:fs does. */
export async function* linesOf(file: string, key?: Buffer | null): AsyncGenerator<FoundLine> {
  const on = await open(file, 'r');
  try {
    yield* linesIn(on, file, key);
  } finally {
    await on.close();
  }
}
