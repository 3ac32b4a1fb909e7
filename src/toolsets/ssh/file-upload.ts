import type { FileHandle } from 'node:fs/promises';
import { answer } from '../../present/answer.ts';
import { hashOf, openRegular, piecesOf } from '../../ssh/files/content.ts';
import { LocalFolder, localFailure, localPath } from '../../ssh/files/local.ts';
import { orderArgs, UPLOAD_APPEND, UPLOAD_BEGIN, UPLOAD_END, type WriteOrder } from '../../ssh/files/write.ts';
import { bytes } from '../format.ts';
import {
  asRoot,
  expectedSha256,
  fileMode,
  fileOwner,
  localFile,
  makeFolders,
  overwrite,
  remotePath,
  runAs,
  target,
} from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { guestsOf } from './file-guests.ts';
import { comparing, interrupted, keyOf, Meter, refuseVm, written } from './file-local.ts';
import { expectation, newToken, publishedFacts } from './file-put.ts';
import { type FileSpot, spotOf, tellFile } from './file-road.ts';

/** Opens the file that is to be sent. */
async function openSource(root: string, path: string): Promise<FileHandle> {
  const place = localPath(root, path);
  try {
    const folder = await LocalFolder.open(root, place.folders, false);
    return await openRegular(folder.at(place.name)).finally(() => folder.close());
  } catch (error) {
    throw localFailure(error, written(place));
  }
}

/** Sends what is not there yet. */
async function send(
  spot: FileSpot,
  source: FileHandle,
  { args, key, size }: { readonly args: readonly string[]; readonly key: string; readonly size: number },
  context: ToolContext,
): Promise<Meter> {
  const begun = await tellFile(spot, UPLOAD_BEGIN, [...args, key], context);
  const part = Number(begun.field('part'));
  const same = part > 0 && (await hashOf(source, part)) === begun.field('sum');
  const had = same ? part : 0;
  const meter = new Meter(size, had, context.progress);
  if (had < size) {
    const stdin = piecesOf(source, had, size, meter.at);
    await tellFile(spot, UPLOAD_APPEND, [...args, key, String(had)], context, { stdin });
  }
  return meter;
}

/** The hash as a line, when it is known. */
async function* line(hash: Promise<string>): AsyncGenerator<Buffer> {
  yield Buffer.from(`${await hash}\n`);
}

export default defineSshTool({
  name: 'ssh_file_upload',
  title: 'Upload a file',
  effect: 'change',
  summary:
    'Send one file of any size from the transfer folder to a host or container, compared by sha256, in one step. One that ' +
    'was cut goes on where it was. What exists is replaced only with overwrite or expected_sha256.',
  search: 'scp sftp put copy send push transfer rsync resume',
  input: {
    target: target.optional(),
    local_path: localFile,
    path: remotePath,
    expected_sha256: expectedSha256.optional(),
    overwrite: overwrite.optional(),
    mode: fileMode.optional(),
    owner: fileOwner.optional(),
    make_folders: makeFolders.optional(),
    sudo: asRoot.optional(),
    user: runAs.optional(),
  },
  touches: guestsOf,

  async run({ local_path, mode, owner, make_folders, ...input }, context) {
    const spot = { ...(await spotOf(input, context)), timeoutMs: Number.POSITIVE_INFINITY };
    refuseVm(spot);
    const source = await openSource(context.setup.transferDir, local_path);
    try {
      const { size } = await source.stat();
      const order: WriteOrder = {
        ...{ expect: expectation(input), token: newToken(), size, mode, owner },
        makeFolders: make_folders,
      };
      const args = orderArgs(spot.path, order);
      const key = keyOf(spot.path);
      const meter = await send(spot, source, { args, key, size }, context).catch((error: unknown) => {
        throw interrupted(error, `${spot.path} on ${spot.place.label}`, local_path);
      });
      const [sha256, reply] = await comparing(context, (signal) => {
        const own = hashOf(source, size, signal);
        return [own, tellFile(spot, UPLOAD_END, [...args, key], context, { stdin: line(own) })];
      });
      return answer(`Sent ${local_path} to ${spot.path} on ${spot.place.label}, ${bytes(size)}`, {
        ...publishedFacts(reply, spot, sha256),
        ...meter.facts(),
      });
    } finally {
      await source.close();
    }
  },
});
