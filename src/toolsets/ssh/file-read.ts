import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Answer, answer, remote } from '../../present/answer.ts';
import { MOST_READ, READ } from '../../ssh/files/read.ts';
import type { Reply } from '../../ssh/files/reply.ts';
import { bytes } from '../format.ts';
import { asRoot, remotePath, runAs, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { fileFacts, hashIn, statOf } from './file-facts.ts';
import { askFile, type FileSpot, spotOf } from './file-road.ts';

const USUAL_BYTES = 24 * 1024;

/** How many bytes at the end, and at the start, are of a character that the part cuts in two: at most 3. */
function withoutHalves(body: Buffer, first: boolean): Buffer {
  let start = 0;
  while (!first && start < 3 && ((body[start] ?? 0) & 0xc0) === 0x80) start++;
  for (let end = body.length; end >= Math.max(start, body.length - 3); end--) {
    if (isUtf8(body.subarray(start, end))) return body.subarray(start, end);
  }
  return body;
}

/** The part as an answer shows it; what is no text of UTF-8, or has a NUL, as base64. */
function shown(body: Buffer, first: boolean) {
  const text = withoutHalves(body, first);
  const isText = isUtf8(text) && !text.includes(0);
  const kept = isText ? text : body;
  return { kept, encoding: isText ? 'text' : 'base64', content: remote(kept.toString(isText ? 'utf8' : 'base64')) };
}

interface Asked {
  readonly unit: 'bytes' | 'lines';
  readonly limit: number;
  readonly most: number;
}

function told(spot: FileSpot, reply: Reply, { unit, limit, most }: Asked): Answer {
  const { body } = reply;
  const { size } = statOf(reply);
  const from = Number(reply.field('from'));
  const part = shown(body, unit === 'lines' || from === 0);
  const lines = part.kept.toString('latin1').split('\n').length - 1;
  const cut = unit === 'lines' ? body.length === most : part.kept.length < body.length;
  const more = unit === 'lines' ? lines === limit || cut : body.length === limit && (size === 0 || from + limit < size);
  const next = from + (unit === 'lines' ? lines : part.kept.length);
  const whole = from === 0 && !more && !cut;
  const sha256 = whole ? createHash('sha256').update(body).digest('hex') : hashIn(reply, 'sum');
  const headline = `${whole ? '' : `${bytes(part.kept.length)} of `}${spot.path} on ${spot.place.label}`;
  return answer(size === 0 ? headline : `${headline}, ${bytes(size)}`, {
    ...fileFacts(reply, spot),
    sha256,
    lines: unit === 'lines' ? Number(reply.field('lines')) || undefined : undefined,
    offset: from,
    next_offset: more && from >= 0 && next > from ? next : undefined,
    encoding: part.encoding,
    content: part.content,
    notes:
      unit === 'lines' && cut ? ['The last line is cut: what one call gives is full. Read on by bytes.'] : undefined,
  });
}

export default defineSshTool({
  name: 'ssh_file_read',
  title: 'Read a file',
  effect: 'read',
  summary:
    'Read a file or a part of it, with size, mode, owner and (up to 64 MiB) the sha256 of the whole. What is no UTF-8 text ' +
    'comes as base64. More than 1 MiB is for ssh_file_download.',
  search: 'cat view open show less head tail config log content text',
  input: {
    target: target.optional(),
    path: remotePath,
    offset: z.int().default(0).describe('Negative: from the end.'),
    limit: z.int().min(1).max(MOST_READ).optional().describe('Default: 24 KiB.'),
    unit: z.enum(['bytes', 'lines']).default('bytes').describe('Of offset and limit.'),
    sudo: asRoot.optional(),
    user: runAs.optional(),
  },

  async run({ offset, limit, unit, ...input }, context) {
    const spot = await spotOf(input, context);
    const most = unit === 'lines' && limit !== undefined ? MOST_READ : USUAL_BYTES;
    const count = limit ?? (unit === 'lines' ? MOST_READ : USUAL_BYTES);
    const reply = await askFile(spot, READ, [unit, String(offset), String(count), String(most), 'small'], context);
    return told(spot, reply, { unit, limit: count, most });
  },
});
