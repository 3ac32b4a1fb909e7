import type { FileHandle } from 'node:fs/promises';
import { hashOf, piecesOf } from '../../ssh/files/content.ts';
import type { Reply } from '../../ssh/files/reply.ts';
import { orderArgs, UPLOAD_APPEND, UPLOAD_BEGIN, UPLOAD_END, type WriteOrder } from '../../ssh/files/write.ts';
import { bytes } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import { comparing, interrupted, keyOf, Meter } from './file-local.ts';
import { unsure } from './file-put.ts';
import { FileRefusal } from './file-refusal.ts';
import { type FileSpot, tellFile } from './file-road.ts';

/** How often it is begun anew when others send to the same path at the same time. */
const MOST_BEGINNINGS = 4;

interface Sent {
  readonly reply: Reply;
  readonly sha256: string;
  readonly meter: Meter;
}

/** Sends a file, or what is not there yet of it, and puts it in its place. */
export async function sendFile(
  spot: FileSpot,
  source: FileHandle,
  order: WriteOrder,
  context: ToolContext,
): Promise<Sent> {
  const args = [...orderArgs(spot.path, order), keyOf(spot.path)];
  for (let beginning = 1; ; beginning++) {
    let resumed = false;
    try {
      const meter = await append(spot, source, args, order.size, context).catch((error: unknown) => {
        throw interrupted(error, `${spot.path} on ${spot.place.label}`);
      });
      resumed = meter.from > 0;
      return { meter, ...(await publish(spot, source, args, order.size, context)) };
    } catch (error) {
      if (beginning === MOST_BEGINNINGS || !tookOver(error, resumed)) throw error;
    }
  }
}

/** Whether others who send to the same path took what was there of this one, or it took what was there of theirs. */
const tookOver = (error: unknown, resumed: boolean): boolean =>
  error instanceof FileRefusal && (error.word === 'gone' || (error.word === 'damaged' && resumed));

/** Sends what is not there yet. */
async function append(
  spot: FileSpot,
  source: FileHandle,
  args: readonly string[],
  size: number,
  context: ToolContext,
): Promise<Meter> {
  const begun = await tellFile(spot, UPLOAD_BEGIN, args, context);
  const part = Number(begun.field('part'));
  const same = part > 0 && (await hashOf(source, part)) === begun.field('sum');
  const had = same ? part : 0;
  const meter = new Meter(size, had, part, context.progress);
  const stdin = piecesOf(source, had, size, meter.at);
  await tellFile(spot, UPLOAD_APPEND, [...args, String(had)], context, { stdin });
  return meter;
}

/** Has it compared, both sides at the same time, and put in its place. */
async function publish(
  spot: FileSpot,
  source: FileHandle,
  args: readonly string[],
  size: number,
  context: ToolContext,
): Promise<Omit<Sent, 'meter'>> {
  context.progress(`sent, ${bytes(size)}; comparing`);
  const [sha256, reply] = await comparing(context, (signal) => {
    const own = hashOf(source, size, signal);
    return [own, tellFile(spot, UPLOAD_END, args, context, { stdin: line(own) })];
  }).catch((error: unknown) => {
    throw unsure(error, spot);
  });
  return { sha256, reply };
}

/** The hash as a line, when it is known. */
async function* line(hash: Promise<string>): AsyncGenerator<Buffer> {
  yield Buffer.from(`${await hash}\n`);
}
