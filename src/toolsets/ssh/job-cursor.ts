import { Failure } from '../../failure.ts';
import { remote } from '../../present/answer.ts';
import { openSequence } from '../../ssh/capture.ts';
import type { Scrub } from '../../ssh/keep.ts';
import { type StreamName, streamNames } from '../../ssh/output.ts';

/** How far each stream of a job has been read, in bytes. */
export type Cursor = Readonly<Record<StreamName, number>>;

export const start: Cursor = { stdout: 0, stderr: 0 };

/** `1024.80`: stdout first. */
export const cursorText = ({ stdout, stderr }: Cursor): string => `${stdout}.${stderr}`;

/** Reads one that was told; `invalid-input` for anything else. */
export function parseCursor(text: string): Cursor {
  const [, stdout, stderr] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (stdout !== undefined && stderr !== undefined) return { stdout: Number(stdout), stderr: Number(stderr) };
  throw new Failure(
    'invalid-input',
    `"${text.slice(0, 40)}" is no cursor.`,
    'Give the cursor of the last answer, or none.',
  );
}

/** What of a stream one answer shows. */
export interface Piece {
  readonly bytes: Buffer;
  /** Where `bytes` begin. */
  readonly from: number;
  /** Whether the stream goes on behind `bytes`, or may. */
  readonly goesOn: boolean;
}

/** Characters of JSON that the pieces of one answer take together; a small stderr leaves more to stdout. */
const ROOM = { stdout: 20_000, stderr: 6_000 };

/**
 * The beginnings of the pieces that one answer has room for, cut between characters, and the cursor behind them: what is
 * read from there goes on where these ended. What `scrub` gives takes the secrets out that are still in the pieces, and
 * then no cut goes through one.
 */
export function shownOf(pieces: Readonly<Record<StreamName, Piece>>, scrub?: () => Scrub | undefined) {
  const stderr = fitting(pieces.stderr, ROOM.stderr);
  const left = ROOM.stdout - JSON.stringify(stderr.toString()).length;
  const stdout = fitting(pieces.stdout, Math.max(ROOM.stdout - ROOM.stderr, left));
  const shown = { stdout, stderr };
  const cleaned = (name: StreamName) => {
    const { bytes, from, goesOn } = pieces[name];
    const last = !goesOn && shown[name].length === bytes.length;
    const { text, held } = clean(shown[name], last, scrub?.());
    return { text: text.length > 0 ? remote(text.toString()) : undefined, next: from + shown[name].length - held };
  };
  const [out, err] = [cleaned('stdout'), cleaned('stderr')];
  return {
    texts: { stdout: out.text, stderr: err.text },
    next: { stdout: out.next, stderr: err.next },
    more: streamNames.some((name) => shown[name].length < pieces[name].bytes.length),
  };
}

function clean(
  bytes: Buffer,
  last: boolean,
  scrub: Scrub | undefined,
): { readonly text: Buffer; readonly held: number } {
  if (!scrub) return { text: bytes, held: 0 };
  const text = scrub.push(bytes);
  return last ? { text: Buffer.concat([text, scrub.end()]), held: 0 } : { text, held: scrub.held };
}

/** As many bytes as `room` characters of JSON hold. */
function fitting({ bytes, goesOn }: Piece, room: number): Buffer {
  let kept = bytes;
  for (let cost = costOf(kept); cost > room; cost = costOf(kept)) {
    kept = bytes.subarray(0, Math.floor((kept.length * room) / cost));
  }
  return goesOn || kept.length < bytes.length ? kept.subarray(0, kept.length - openSequence(kept)) : kept;
}

const costOf = (bytes: Buffer): number => JSON.stringify(bytes.toString()).length - 2;
