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

/**
 * Where the part begins and ends without the bytes, 3 at most, of characters that it cuts in two; at the first and the
 * last of the file it cuts none.
 */
function wholeCharacters(body: Buffer, first: boolean, last: boolean): readonly [number, number] {
  let start = 0;
  while (!first && start < 3 && ((body[start] ?? 0) & 0xc0) === 0x80) start++;
  for (let end = body.length; end >= Math.max(start, body.length - (last ? 0 : 3)); end--) {
    if (isUtf8(body.subarray(start, end))) return [start, end];
  }
  return [0, body.length];
}

/** The part as an answer shows it; what is no text of UTF-8, or has a NUL, as base64. */
function shown(body: Buffer, first: boolean, last: boolean) {
  const [start, end] = wholeCharacters(body, first, last);
  const text = body.subarray(start, end);
  if (!isUtf8(text) || text.includes(0)) {
    return { start: 0, kept: body, encoding: 'base64', content: remote(body.toString('base64')) };
  }
  return { start, kept: text, encoding: 'text', content: remote(text.toString()) };
}

const linesIn = (text: Buffer): number => text.toString('latin1').split('\n').length - 1;

interface Asked {
  readonly unit: 'bytes' | 'lines';
  readonly limit: number;
  readonly most: number;
}

/** Where the next part begins, and whether there is one. */
function nextOf(from: number, part: Buffer, reply: Reply, { unit, limit, most }: Asked) {
  const { size } = statOf(reply);
  const full = reply.body.length;
  if (unit === 'bytes') {
    const next = from + part.length;
    return { next, more: full === limit && (size === 0 || next < size), cut: false };
  }
  const cut = full === most;
  const lines = linesIn(part) + (cut || part.at(-1) === 10 || full === 0 ? 0 : 1);
  const total = Number(reply.field('lines') ?? Number.POSITIVE_INFINITY);
  return { next: from + lines, more: cut || (lines === limit && from + lines < total), cut };
}

function told(spot: FileSpot, reply: Reply, asked: Asked): Answer {
  const { body } = reply;
  const { size } = statOf(reply);
  const byLines = asked.unit === 'lines';
  const part = shown(body, byLines || reply.field('from') === '0', !byLines && body.length < asked.limit);
  const from = Number(reply.field('from')) + part.start;
  const { next, more, cut } = nextOf(from, part.kept, reply, asked);
  const whole = from === 0 && !more;
  const sha256 = whole ? createHash('sha256').update(body).digest('hex') : hashIn(reply, 'sum');
  const headline = `${whole ? '' : `${bytes(part.kept.length)} of `}${spot.path} on ${spot.place.label}`;
  return answer(size === 0 ? headline : `${headline}, ${bytes(size)}`, {
    ...fileFacts(reply, spot),
    sha256,
    lines: byLines ? Number(reply.field('lines')) || undefined : undefined,
    offset: from,
    next_offset: more && from >= 0 && next > from ? next : undefined,
    encoding: part.encoding,
    content: part.content,
    notes: cut ? ['The last line is cut: what one call gives is full. Read on by bytes.'] : undefined,
  });
}

export default defineSshTool({
  name: 'ssh_file_read',
  title: 'Read a file',
  effect: 'read',
  core: true,
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
