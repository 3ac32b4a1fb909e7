import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, remote } from '../../present/answer.ts';
import { unifiedDiff } from '../../ssh/files/diff.ts';
import { type Edit, edited } from '../../ssh/files/edits.ts';
import { READ } from '../../ssh/files/read.ts';
import { bytes, count, onOneLine } from '../format.ts';
import { asRoot, remotePath, runAs, target } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { fileFacts, statOf } from './file-facts.ts';
import { guestsOf } from './file-guests.ts';
import { putFile, refuseMarks } from './file-put.ts';
import { askFile, type FileInput, type FileSpot, spotOf } from './file-road.ts';

const LARGEST = 4 * 1024 * 1024;

const edit = z.strictObject({
  old_text: z.string().min(1).max(LARGEST).describe('Exact text, once in the file.'),
  new_text: z.string().max(LARGEST).describe('What takes its place.'),
  all: z.boolean().optional().describe('Every one of them.'),
});

interface Input extends FileInput {
  readonly edits: readonly Edit[];
}

/** The file as it is, what it would become, and the difference. */
async function planned(spot: FileSpot, edits: readonly Edit[], context: ToolContext) {
  for (const { new_text } of edits) refuseMarks(new_text);
  const reply = await askFile(spot, READ, ['bytes', '0', String(LARGEST + 1), '0', ''], context);
  const { body } = reply;
  if (Math.max(body.length, statOf(reply).size) > LARGEST) {
    throw new Failure(
      'invalid-input',
      `${spot.path} on ${spot.place.label} is longer than ${bytes(LARGEST)}.`,
      'Change it by a command there (ssh_exec with sed), or fetch it, change it and send it back.',
    );
  }
  if (!isUtf8(body)) {
    throw new Failure(
      'invalid-input',
      `${spot.path} on ${spot.place.label} is no text of UTF-8.`,
      'Change it by a command there (ssh_exec).',
    );
  }
  const before = body.toString();
  const after = edited(before, edits);
  const diff = await unifiedDiff(before, after);
  return { reply, after, sha256: createHash('sha256').update(body).digest('hex'), diff };
}

export default defineSshTool({
  name: 'ssh_file_edit',
  title: 'Edit a file',
  effect: 'change',
  core: true,
  summary:
    'Replace exact pieces of text in a file of at most 4 MiB, and show the difference. All edits are made or ' +
    'none, and none when the file changes meanwhile. Mode, owner and line ends stay.',
  search: 'change modify patch sed replace config diff substitute',
  input: {
    target: target.optional(),
    path: remotePath,
    edits: z.array(edit).min(1).max(100).describe('Done in this order.'),
    dry_run: z.boolean().optional().describe('Show the difference only.'),
    sudo: asRoot.optional(),
    user: runAs.optional(),
  },
  touches: guestsOf,

  async confirm({ edits, dry_run, ...input }, context) {
    const spot = await spotOf(input, context);
    const { sha256, diff } = await planned(spot, edits, context);
    const what = dry_run ? 'Show a change of' : 'Change';
    return { message: `${what} ${onOneLine(spot.path)} on ${spot.place.label}:\n${diff}`, state: { sha256 } };
  },

  async run({ edits, dry_run, ...input }: Input & { readonly dry_run?: boolean }, context) {
    const spot = await spotOf(input, context);
    const { reply, after, sha256, diff } = await planned(spot, edits, context);
    const place = `${spot.path} on ${spot.place.label}`;
    const shown = diff === '' ? undefined : remote(diff);
    if (diff === '' || dry_run) {
      const said = diff === '' ? `${place} is so already` : `${count(edits.length, 'edit')} would change ${place}`;
      return answer(said, { ...fileFacts(reply, spot), sha256, written: false, diff: shown });
    }
    const facts = await putFile(spot, Buffer.from(after), { expect: sha256 }, context);
    return answer(`${count(edits.length, 'edit')} made in ${place}`, { ...facts, created: undefined, diff: shown });
  },
});
