import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import { hashOf } from '../../ssh/files/content.ts';
import type { FileFacts } from '../../ssh/files/facts.ts';
import { LocalFolder, localFailure, localPath } from '../../ssh/files/local.ts';
import { Part } from '../../ssh/files/part.ts';
import { READ } from '../../ssh/files/read.ts';
import { SMALL } from '../../ssh/files/script.ts';
import { bytes } from '../format.ts';
import { asRoot, localFile, overwrite, remotePath, runAs, target } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { fileFacts, hashIn, statOf } from './file-facts.ts';
import { comparing, interrupted, keyOf, Meter, nameOf, refuseVm, written } from './file-local.ts';
import { newToken } from './file-put.ts';
import { askFile, type FileSpot, spotOf } from './file-road.ts';

/** What is read of a file that says it is empty, as those of /proc do. */
const MOST_UNSIZED = 64 * 1024 * 1024;

/** What came is no copy of the file as it is, so nothing of it is kept. */
async function changed({ path, place }: FileSpot, part: Part): Promise<Failure> {
  await part.startAnew();
  return new Failure(
    'conflict',
    `${path} on ${place.label} changed while it was read.`,
    'Call again when nobody writes to it, or copy it there first.',
  );
}

/** Asks of how many bytes the hash is to be told; of none when undefined. */
const facts = (spot: FileSpot, context: ToolContext, hashed?: number) =>
  askFile(spot, READ, ['bytes', '0', '0', '0', hashed === undefined ? '' : String(hashed)], context);

/** Brings `part` up to the whole; gives how much there was before. */
async function receive(spot: FileSpot, part: Part, size: number, context: ToolContext): Promise<Meter> {
  const found = part.size;
  if (found > 0) {
    const same = part.size <= size && (await hashOf(part.file, part.size));
    const there = same && hashIn(await facts(spot, context, part.size), 'sum');
    if (!there || there !== same) await part.startAnew();
  }
  const from = part.size;
  const meter = new Meter(size, from, found, context.progress);
  const wanted = size === 0 ? MOST_UNSIZED : size - from;
  if (wanted > 0) {
    await askFile(spot, READ, ['bytes', String(from), String(wanted), '0', ''], context, (piece) => {
      meter.at(part.size);
      return part.take(piece);
    });
  }
  await part.flush();
  if (size > 0 && part.size !== size) throw await changed(spot, part);
  return meter;
}

/** Compares both sides at the same time; gives the hash, and whether the host could tell its own. */
async function compare(spot: FileSpot, part: Part, { size, identity }: FileFacts, context: ToolContext) {
  context.progress(`received, ${bytes(part.size)}; comparing`);
  const [own, there] = await comparing(context, (signal) => [
    hashOf(part.file, part.size, signal),
    facts(spot, context, size === 0 ? undefined : size),
  ]);
  const sum = hashIn(there, 'sum');
  const other = sum === undefined ? size > 0 && statOf(there).identity !== identity : sum !== own;
  if (other) throw await changed(spot, part);
  return { sha256: own, compared: sum !== undefined };
}

/** Puts the file into the open folder under its name. What was cut, and is not full or wrong, stays as a part. */
async function fetchInto(folder: LocalFolder, name: string, spot: FileSpot, replace: boolean, context: ToolContext) {
  const first = await facts(spot, context);
  if (!replace) await folder.refuseExisting(name);
  const part = await Part.claim(folder, keyOf(spot.place.label, spot.path), newToken());
  let keep = false;
  try {
    const stat = statOf(first);
    const meter = await receive(spot, part, stat.size, context);
    const seen = await compare(spot, part, stat, context);
    if (part.size <= SMALL) await part.file.datasync();
    await part.publish(name, replace);
    return { first, seen, meter, size: part.size };
  } catch (error) {
    keep = error instanceof Failure;
    throw error;
  } finally {
    await part.release(keep);
  }
}

export default defineSshTool({
  name: 'ssh_file_download',
  title: 'Download a file',
  effect: 'read',
  summary:
    'Fetch a file of any size from a host or container into the transfer folder on this machine, compared by ' +
    'sha256. One that was cut goes on where it was.',
  search: 'scp sftp get copy fetch pull transfer rsync save resume backup',
  input: {
    target: target.optional(),
    path: remotePath,
    local_path: localFile.optional(),
    overwrite: overwrite.optional(),
    sudo: asRoot.optional(),
    user: runAs.optional(),
  },

  async run({ local_path, overwrite: replace = false, ...input }, context) {
    const { transferDir } = context.setup;
    const local = localPath(transferDir, local_path ?? nameOf(input.path));
    const spot = { ...(await spotOf(input, context)), timeoutMs: Number.POSITIVE_INFINITY };
    refuseVm(spot);
    const whole = written(transferDir, local);
    try {
      const folder = await LocalFolder.open(transferDir, local.folders, true);
      const { first, seen, meter, size } = await fetchInto(folder, local.name, spot, replace, context).finally(() =>
        folder.close(),
      );
      return answer(`Fetched ${spot.path} from ${spot.place.label}, ${bytes(size)}`, {
        ...fileFacts(first, spot),
        local_path: whole,
        size,
        sha256: seen.sha256,
        ...meter.facts(),
        notes: seen.compared ? undefined : ['The host told no sha256 of it: it was not compared.'],
      });
    } catch (error) {
      throw localFailure(interrupted(error, whole), whole);
    }
  },
});
