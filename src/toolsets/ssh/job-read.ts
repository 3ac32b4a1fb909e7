import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, type Facts } from '../../present/answer.ts';
import { openSequence } from '../../ssh/capture.ts';
import { type JobId, parseJobId } from '../../ssh/job-id.ts';
import type { Job } from '../../ssh/jobs.ts';
import { type StreamName, streamNames } from '../../ssh/output.ts';
import { orAfter } from '../deadline.ts';
import { job } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { type Cursor, cursorText, type Piece, parseCursor, shownOf, start } from './job-cursor.ts';
import { readOnHost } from './job-host.ts';
import { hostFacts, ownFacts } from './job-seen.ts';

/** Bytes of each stream that are read for one answer, and those of the end of a stream. */
const MOST = 24_000;
const MOST_OF_END = { stdout: 12_000, stderr: 4_000 };

const LONGEST_CHARACTER = 4;

interface Asked {
  readonly from: Cursor;
  readonly streams: readonly StreamName[];
  readonly waitS: number;
  readonly tail?: number;
}

/** What is seen of a job: its state, and its output from where it was asked for. */
interface Seen {
  readonly label: string;
  readonly running: boolean;
  readonly told: string;
  readonly facts: Facts;
  /** The secrets of this process are in it no more. */
  readonly clean: boolean;
  readonly pieces: Readonly<Record<StreamName, Piece>>;
}

export default defineSshTool({
  name: 'ssh_job_read',
  title: 'Read what a job does',
  effect: 'read',
  core: true,
  summary:
    'Whether a job runs or how it ended, and its output from a cursor on. Detached jobs are there after a restart ' +
    'too.',
  search: 'background output log tail follow progress poll status long running command wait exit code',
  input: {
    job,
    cursor: z.string().max(32).optional().describe('As the last answer told; else from the beginning.'),
    wait_s: z.number().int().min(0).max(60).default(0).describe('Seconds to wait for news, up to 60.'),
    stream: z.enum(streamNames).optional().describe('Only this one.'),
    tail: z.number().int().min(1).max(1000).optional().describe('So many last lines, instead of a cursor.'),
  },

  async run({ job: text, cursor, wait_s, stream, tail }, context) {
    const id = parseJobId(text);
    const from = cursor === undefined ? start : parseCursor(cursor);
    const asked = { from, streams: stream ? [stream] : streamNames, waitS: wait_s, tail };
    const own = context.ssh.jobs.find(id);
    const seen = own ? await seenHere(own, asked, context) : await seenThere(id, asked, context);
    const { texts, next, more } = shown(seen, asked, context);
    return answer(`${id.text} on ${seen.label}: ${seen.told}`, {
      job: id.text,
      ...seen.facts,
      ran_on: seen.label,
      ...texts,
      skipped_bytes: skipped(seen, asked),
      cursor: cursorText(next),
      more: more || undefined,
    });
  },
});

/** What an answer has room for of it, and the cursor behind that. */
function shown(seen: Seen, { from, streams, tail }: Asked, { ssh }: ToolContext) {
  const none: Piece = { bytes: Buffer.alloc(0), from: 0, goesOn: true };
  const of = (name: StreamName): Piece => {
    if (!streams.includes(name)) return { ...none, from: from[name] };
    return tail === undefined ? seen.pieces[name] : lastLines(seen.pieces[name], tail);
  };
  return shownOf({ stdout: of('stdout'), stderr: of('stderr') }, seen.clean ? undefined : () => ssh.jobs.scrub());
}

/** Bytes that are no longer kept anywhere. */
function skipped({ pieces }: Seen, { from, streams, tail }: Asked): number | undefined {
  const lost = streams.reduce((sum, name) => sum + Math.max(0, pieces[name].from - from[name]), 0);
  return tail === undefined && lost > 0 ? lost : undefined;
}

function lastLines(piece: Piece, count: number): Piece {
  const { bytes, from } = piece;
  let at = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length;
  for (let lines = 0; lines < count && at > 0; lines++) at = bytes.lastIndexOf(10, at - 1);
  const cut = Math.max(0, at + 1);
  return at <= 0 && bytes[0] !== 10 ? piece : { ...piece, bytes: bytes.subarray(cut), from: from + cut };
}

async function seenHere(own: Job, asked: Asked, { signal }: ToolContext): Promise<Seen> {
  const { output } = own;
  const { from, streams, waitS, tail } = asked;
  const fresh = async () => {
    const next = await Promise.all(streams.map((name) => output.read(name, from[name], LONGEST_CHARACTER)));
    // The beginning of a character is no news: it would not be shown.
    return own.endedAt !== undefined || next.some(({ bytes }) => bytes.length > openSequence(bytes));
  };
  const inTime = orAfter(signal, waitS * 1000);
  const over = new Promise<void>((resolve) => {
    if (waitS === 0 || inTime.aborted) resolve();
    else inTime.addEventListener('abort', () => resolve(), { once: true });
  });
  while (waitS > 0 && !inTime.aborted) {
    // Asked for before the look, or what comes meanwhile would be missed.
    const news = output.news();
    if (await fresh()) break;
    await Promise.race([news, own.over, over]);
  }
  const running = own.endedAt === undefined;
  const { told, facts } = ownFacts(own);
  const piece = async (name: StreamName): Promise<Piece> => {
    const at = tail === undefined ? from[name] : Math.max(0, output.bytes(name) - MOST_OF_END[name]);
    const read = await output.read(name, at, tail === undefined ? MOST : MOST_OF_END[name]);
    return { ...read, goesOn: running || read.from + read.bytes.length < output.bytes(name) };
  };
  const pieces = { stdout: await piece('stdout'), stderr: await piece('stderr') };
  return { label: own.plan.label, running, told, facts, clean: true, pieces };
}

async function seenThere(id: JobId, { from, waitS, tail, streams }: Asked, context: ToolContext): Promise<Seen> {
  const end = { stdout: -MOST_OF_END.stdout, stderr: -MOST_OF_END.stderr };
  const beyond = (name: StreamName) => (streams.includes(name) ? from[name] : Number.MAX_SAFE_INTEGER);
  const at = tail === undefined ? { stdout: beyond('stdout'), stderr: beyond('stderr') } : end;
  const { place, seen } = await readOnHost(id, { from: at, most: MOST, waitS }, context);
  if (!seen) throw noJob(id, place.label);
  const running = seen.state === 'running';
  const { told, facts } = hostFacts(seen);
  const piece = (name: StreamName): Piece => {
    const { from: begin, bytes } = seen.pieces[name];
    return { from: begin, bytes, goesOn: running || begin + bytes.length < seen.sizes[name] };
  };
  const pieces = { stdout: piece('stdout'), stderr: piece('stderr') };
  return { label: place.label, running, told, facts: { ...facts, detached: true }, clean: false, pieces };
}

export const noJob = (id: JobId, label: string): Failure =>
  new Failure(
    'not-found',
    `There is no job ${id.text}: not of this server, and ${label} knows none of that name.`,
    'A job that was not detached ends with the server that started it, and is forgotten an hour after its end. ssh_job_list shows what there is.',
  );
