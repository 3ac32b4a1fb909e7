import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import { bytes } from '../format.ts';
import { newContent, remotePath, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { guestsOf } from './file-guests.ts';
import { expectation, putFile, refuseMarks } from './file-put.ts';
import { spotOf } from './file-road.ts';

const LONGEST = 4 * 1024 * 1024;

/** The bytes that `content` stands for; `invalid-input` for base64 that is none. */
function bytesOf(content: string, base64?: boolean): Buffer {
  if (!base64) {
    refuseMarks(content);
    return Buffer.from(content);
  }
  const plain = content.replace(/\s+/g, '');
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 === 0) return Buffer.from(plain, 'base64');
  throw new Failure('invalid-input', 'content is not base64.', 'Encode it anew, or leave base64 out for text.');
}

export default defineSshTool({
  name: 'ssh_file_write',
  title: 'Write a file',
  effect: 'change',
  core: true,
  summary:
    'Write a whole file (in a VM up to 40 KiB): it is the old one or the new one, never a part. One that exists ' +
    'keeps mode and owner, and is replaced only with expected_sha256 or overwrite.',
  search: 'create save put content text config new replace tee echo',
  input: {
    target: target.optional(),
    path: remotePath,
    content: z.string().max(LONGEST).describe('All of it.'),
    base64: z.boolean().optional().describe('content is base64.'),
    ...newContent,
  },
  touches: guestsOf,

  async run({ content, base64, mode, owner, make_folders, ...input }, context) {
    const spot = await spotOf(input, context);
    const order = { expect: expectation(input), mode, owner, makeFolders: make_folders };
    const facts = await putFile(spot, bytesOf(content, base64), order, context);
    const done = facts.created ? 'Created' : 'Replaced';
    return answer(`${done} ${spot.path} on ${spot.place.label}, ${bytes(Number(facts.size))}`, facts);
  },
});
