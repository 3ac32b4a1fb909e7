import { z } from 'zod';
import { path } from '../../pve/path.ts';
import type { Resources } from '../../pve/resources.ts';
import type { ToolContext } from '../tool.ts';
import { fileCalled, fileOf, filesNamed, noSuchFile } from './named-files.ts';
import { pickNode, roomOn, storagesOf } from './pick-place.ts';
import type { Stage } from './stages.ts';
import { readVolumes } from './volumes.ts';

/** What a container is made from, where that is, and the write that brings it there when it is not yet. */
export interface Template {
  readonly node: string;
  readonly volid: string;
  readonly download?: Stage;
  readonly downloadedTo?: string;
}

const appliances = z.array(z.object({ template: z.string() }));

/** What the caller wants of the place. */
export interface TemplateWish {
  readonly template: string;
  readonly node?: string;
  readonly storage?: string;
}

/**
 * The template that is called so, and a node for it: the asked one, or of the online nodes that have the template and
 * room the one with the most free memory. Where no node has it, it is one to download from Proxmox's own list.
 */
export async function findTemplate(
  context: ToolContext,
  all: Resources,
  { template: wanted, node, storage }: TemplateWish,
  notes: string[],
): Promise<Template> {
  const volumes = await readVolumes(context, { content: 'vztmpl', node }, notes);
  const room = roomOn(all, 'rootdir', storage);
  const here = fileCalled(volumes, wanted);
  if (here) {
    const that = `has both ${here.file} and ${room.called}`;
    const picked = pickNode(all, { node, that, fits: (one) => here.volidOn(one) !== undefined && room.on(one) });
    return { node: picked, volid: here.volidOn(picked) ?? '' };
  }
  const that = `has both a storage for templates and ${room.called}`;
  const fits = (one: string): boolean => storagesOf(all, one, 'vztmpl').length > 0 && room.on(one);
  return fromList(
    context,
    all,
    pickNode(all, { node, that, fits }),
    wanted,
    volumes.map(({ volid }) => fileOf(volid)),
  );
}

/** A template of Proxmox's list, to be downloaded to the storage of that node with the most free space. */
async function fromList(
  { pve, signal }: ToolContext,
  all: Resources,
  node: string,
  wanted: string,
  here: readonly string[],
): Promise<Template> {
  const list = path`/nodes/${node}/aplinfo`;
  const names = (await pve.get(list, appliances, {}, { signal })).map(({ template }) => template);
  const [template] = filesNamed(names, (name) => name, wanted);
  const cure = '`pveam update` on the node renews the list of what can be downloaded.';
  if (template === undefined) throw noSuchFile('container template', wanted, [...here, ...names], cure);
  const storage = storagesOf(all, node, 'vztmpl')[0]?.storage ?? '';
  return {
    node,
    volid: `${storage}:vztmpl/${template}`,
    downloadedTo: storage,
    download: { name: 'download template', write: () => pve.post(list, { storage, template }, { signal }) },
  };
}
