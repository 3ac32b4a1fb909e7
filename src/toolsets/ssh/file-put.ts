import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../../failure.ts';
import type { Facts } from '../../present/answer.ts';
import { factsOf } from '../../ssh/files/facts.ts';
import type { Reply } from '../../ssh/files/reply.ts';
import { orderArgs, WRITE, type WriteOrder } from '../../ssh/files/write.ts';
import type { ToolContext } from '../tool.ts';
import { fileFacts, hashIn } from './file-facts.ts';
import { type FileSpot, tellFile } from './file-road.ts';

/** What a caller says of what may be replaced. */
export interface Replacing {
  readonly overwrite?: boolean;
  readonly expected_sha256?: string;
}

export const expectation = ({ overwrite, expected_sha256 }: Replacing): string =>
  expected_sha256 ?? (overwrite ? 'any' : 'none');

/** What stands in an answer for what is not shown of a text: a secret, or its middle. */
const mark =
  /\[(?:secret|private key) removed\]|\[… (?:about )?\d+ (?:of \d+ )?(?:characters|bytes) (?:not shown|left out)/;

/**
 * `invalid-input` for a text that was taken from an answer in which something was not shown: written to a host, the mark
 * would be all that is left of it.
 */
export function refuseMarks(text: string): void {
  const [found] = mark.exec(text) ?? [];
  if (found === undefined) return;
  throw new Failure(
    'invalid-input',
    `The text holds "${found}", which stands for what an answer did not show.`,
    'Change the file in its place with ssh_file_edit, around what is not shown; or send just this text as base64.',
  );
}

/** A word by which temporary files of different calls are told apart. */
export const newToken = (): string => randomBytes(8).toString('hex');

/** Puts a whole content in the place of a file, in one step. */
export async function putFile(
  spot: FileSpot,
  content: Uint8Array,
  order: Omit<WriteOrder, 'token' | 'size'>,
  context: ToolContext,
): Promise<Facts> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const whole = { ...order, token: newToken(), size: content.length };
  const args = [...orderArgs(spot.path, whole), sha256];
  const reply = await tellFile(spot, WRITE, args, context, { stdin: content }).catch((error: unknown) => {
    throw unsure(error, spot);
  });
  return publishedFacts(reply, spot, sha256);
}

/** What is known when the connection is lost while a file is put in its place. */
export function unsure(error: unknown, { path, place }: FileSpot): unknown {
  if (!(error instanceof Failure) || error.kind !== 'outcome-unknown') return error;
  return new Failure(
    'outcome-unknown',
    `The connection to ${place.label} was lost: ${path} is the old file or the new one as a whole, and which is unknown.`,
    'Look at its sha256 with ssh_file_read.',
    { cause: error },
  );
}

/** What is told of a file that was put in its place. */
export function publishedFacts(reply: Reply, spot: FileSpot, sha256: string): Facts {
  const was = reply.field('was');
  const replaced = was ? factsOf(was) : undefined;
  return {
    ...fileFacts(reply, spot),
    sha256,
    created: replaced === undefined,
    sha256_before: hashIn(reply, 'old'),
    size_before: replaced?.size,
    notes: notesOf(reply, replaced?.links ?? 1),
  };
}

function notesOf(reply: Reply, links: number): Facts['notes'] {
  const notes = [
    ...(hashIn(reply, 'sum') === undefined ? ['The host has no sha256 program: only the length was compared.'] : []),
    ...(links > 1 ? [`The file had ${links} names (hard links); the others keep the old content.`] : []),
  ];
  return notes.length > 0 ? notes : undefined;
}
