import { Failure } from '../../failure.ts';
import type { Resources } from '../../pve/resources.ts';
import type { ToolContext } from '../tool.ts';
import { fileCalled, fileOf, type NamedFile, noSuchFile } from './named-files.ts';
import { pickNode, pickStorage, roomOn } from './pick-place.ts';
import { findVolume, readVolumes } from './volumes.ts';

/** What a VM starts from, by name or volume id, and where it is to be. */
export interface MediaWish {
  readonly iso?: string;
  readonly import_from?: string;
  readonly node?: string;
  readonly storage?: string;
  readonly disk_gib?: number;
}

/** The node and storage for a VM, and its media as that node has them. */
export interface Media {
  readonly node: string;
  readonly storage: string;
  readonly iso?: string;
  readonly image?: string;
}

const GIB = 1024 ** 3;

async function isoCalled(
  context: ToolContext,
  wanted: string,
  node: string | undefined,
  notes: string[],
): Promise<NamedFile> {
  const volumes = await readVolumes(context, { content: 'iso', node }, notes);
  const found = fileCalled(volumes, wanted);
  if (found) return found;
  const names = volumes.map(({ volid }) => fileOf(volid));
  throw noSuchFile('ISO image', wanted, names, 'pve_download brings one there by its URL.');
}

/** A disk to import: a file on a storage for imports by its name, any volume by its id. */
async function imageCalled(
  context: ToolContext,
  wanted: string,
  node: string | undefined,
  notes: string[],
): Promise<NamedFile> {
  if (wanted.includes(':')) {
    const { volid, size, nodes } = await findVolume(context, wanted, node);
    return { file: fileOf(volid), size, volidOn: (one) => (nodes.includes(one) ? volid : undefined) };
  }
  const volumes = await readVolumes(context, { content: 'import', node }, notes);
  const found = fileCalled(volumes, wanted);
  if (found) return found;
  const names = volumes.map(({ volid }) => fileOf(volid));
  throw noSuchFile(
    'disk image',
    wanted,
    names,
    'It has to be on a storage whose content has import; or give a volume id.',
  );
}

function refuseSmaller(image: NamedFile, wanted: number | undefined): void {
  if (wanted === undefined || image.size === undefined || image.size <= wanted * GIB) return;
  throw new Failure(
    'invalid-input',
    `${image.file} holds a disk of ${Math.ceil(image.size / GIB)} GiB; it cannot be made smaller.`,
    'Leave disk_gib out, or give more.',
  );
}

/** Everything that a new VM needs, on one node: the asked one, or the fitting one with the most free memory. */
export async function findMedia(
  context: ToolContext,
  all: Resources,
  { iso, import_from, node, storage, disk_gib }: MediaWish,
  notes: string[],
): Promise<Media> {
  const disc = iso === undefined ? undefined : await isoCalled(context, iso, node, notes);
  const image = import_from === undefined ? undefined : await imageCalled(context, import_from, node, notes);
  if (image) refuseSmaller(image, disk_gib);
  const room = roomOn(all, 'images', storage);
  const needs = [disc, image].filter((one) => one !== undefined);
  const picked = pickNode(all, {
    node,
    that: `has ${[...needs.map(({ file }) => file), room.called].join(' and ')}`,
    fits: (one) => needs.every((file) => file.volidOn(one) !== undefined) && room.on(one),
  });
  return {
    node: picked,
    storage: pickStorage(all, picked, 'images', storage).storage,
    iso: disc?.volidOn(picked),
    image: image?.volidOn(picked),
  };
}
