import type { FileHandle } from 'node:fs/promises';
import { answer } from '../../present/answer.ts';
import { openRegular } from '../../ssh/files/content.ts';
import { LocalFolder, localFailure, localPath } from '../../ssh/files/local.ts';
import { bytes } from '../format.ts';
import { localFile, newContent, remotePath, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { guestsOf } from './file-guests.ts';
import { refuseVm, written } from './file-local.ts';
import { expectation, newToken, publishedFacts } from './file-put.ts';
import { spotOf } from './file-road.ts';
import { sendFile } from './file-send.ts';

/** Opens the file that is to be sent. */
async function openSource(root: string, path: string): Promise<FileHandle> {
  const place = localPath(root, path);
  try {
    const folder = await LocalFolder.open(root, place.folders, false);
    return await openRegular(folder.at(place.name)).finally(() => folder.close());
  } catch (error) {
    throw localFailure(error, written(root, place));
  }
}

export default defineSshTool({
  name: 'ssh_file_upload',
  title: 'Upload a file',
  effect: 'change',
  summary:
    'Send a file of any size from the transfer folder to a host or container, compared by sha256. One that was ' +
    'cut goes on where it was. What exists is replaced only with overwrite or expected_sha256.',
  search: 'scp sftp put copy send push transfer rsync resume',
  input: {
    target: target.optional(),
    local_path: localFile,
    path: remotePath,
    ...newContent,
  },
  touches: guestsOf,

  async run({ local_path, mode, owner, make_folders, ...input }, context) {
    const spot = { ...(await spotOf(input, context)), timeoutMs: Number.POSITIVE_INFINITY };
    refuseVm(spot);
    const source = await openSource(context.setup.transferDir, local_path);
    try {
      const { size } = await source.stat();
      const order = { expect: expectation(input), token: newToken(), size, mode, owner, makeFolders: make_folders };
      const { reply, sha256, meter } = await sendFile(spot, source, order, context);
      return answer(`Sent ${local_path} to ${spot.path} on ${spot.place.label}, ${bytes(size)}`, {
        ...publishedFacts(reply, spot, sha256),
        ...meter.facts(),
      });
    } finally {
      await source.close();
    }
  },
});
