import { Failure } from '../../failure.ts';
import { type BodySink, Reply } from '../../ssh/files/reply.ts';
import { type FileReading, fileScript } from '../../ssh/files/script.ts';
import type { ToolContext } from '../tool.ts';
import type { VmResult } from '../vm/run.ts';
import { fileRefusal } from './file-refusal.ts';
import { type Place, placeOf } from './place.ts';
import { lookAt, runAt, type Work } from './run-at.ts';

/** A file at a place, and as whom it is looked at. */
export interface FileSpot {
  readonly place: Place;
  /** Absolute, or from `~/`. */
  readonly path: string;
  readonly as: Pick<Work, 'sudo' | 'user'>;
  /** How long one script may take, ms. */
  readonly timeoutMs: number;
}

export interface FileInput {
  readonly target?: string;
  readonly path: string;
  readonly sudo?: boolean;
  readonly user?: string;
}

export async function spotOf({ target, path, sudo, user }: FileInput, context: ToolContext): Promise<FileSpot> {
  const place = await placeOf(target, context);
  return { place, path, as: { sudo, user }, timeoutMs: context.setup.commandTimeoutMs };
}

export interface FileStreams {
  readonly stdin?: AsyncIterable<Uint8Array> | Uint8Array;
  readonly body?: BodySink;
}

/** Runs a reading on a file; a refusal in its answer is a Failure. `args` follow the file's path. */
export async function askFile(
  spot: FileSpot,
  reading: FileReading,
  args: readonly string[],
  context: ToolContext,
  body?: BodySink,
): Promise<Reply> {
  const { place, path, as, timeoutMs } = spot;
  const reply = new Reply(body);
  const inVm = 'guest' in place;
  const streams = inVm ? undefined : { stdout: reply.take, toTheEnd: true as const };
  const kind = inVm ? reading.base64 : reading.bytes;
  const result = await lookAt(place, kind, [path, ...args], { timeoutMs, ...as }, context, streams);
  if (inVm) await decode(result, reply, spot);
  return finished(result, reply, spot);
}

/** The same of a script that writes; `args` begin with the path. A guest agent carries 64 KiB of it all at most. */
export async function tellFile(
  spot: FileSpot,
  script: string,
  args: readonly string[],
  context: ToolContext,
  { stdin, body }: FileStreams = {},
): Promise<Reply> {
  const { place, as, timeoutMs } = spot;
  const reply = new Reply(body);
  if ('guest' in place) {
    const text = stdin instanceof Uint8Array ? Buffer.from(stdin).toString('base64') : '';
    const work = { script: fileScript(script, args, true), stdin: text, timeoutMs, ...as };
    const result = await runAt(place, work, context);
    await decode(result, reply, spot);
    return finished(result, reply, spot);
  }
  const streams = {
    stdin: stdin instanceof Uint8Array ? once(stdin) : stdin,
    stdout: reply.take,
    toTheEnd: true as const,
  };
  const work = { script: fileScript(script, args, false), timeoutMs, ...as };
  return finished(await runAt(place, work, context, streams), reply, spot);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function decode({ stdout, cut }: VmResult, reply: Reply, { place }: FileSpot): Promise<void> {
  if (stdout.totals.omitted > 0 || cut.includes('stdout')) {
    throw new Failure(
      'invalid-input',
      `That is more than the guest agent of ${place.label} hands out at once.`,
      'Ask for less (limit), or reach the VM by SSH as a host of its own.',
    );
  }
  await reply.take(Buffer.from(stdout.text, 'base64'));
}

function finished({ exitCode, signal, stderr }: VmResult, reply: Reply, spot: FileSpot): Reply {
  reply.stderr = stderr.text;
  const refusal = fileRefusal(reply, spot);
  if (refusal) throw refusal;
  if (reply.complete && exitCode === 0) return reply;
  throw new Failure(
    'remote-error',
    `${spot.place.label} could not do it with ${spot.path} to the end.`,
    'What it said is in stderr; it needs sh, stat, head and the like, as coreutils or busybox have them.',
    { facts: { exit_code: exitCode, signal, stderr } },
  );
}
