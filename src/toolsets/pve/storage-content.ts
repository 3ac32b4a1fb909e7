import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import { bytes, count, countBy, iso, tally } from '../format.ts';
import { guest, limit, node, storage } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';
import { namesOfGuests, vmidOf } from './backups.ts';
import { readVolumes, type Volume } from './volumes.ts';

const orders: Readonly<Record<'size' | 'newest' | 'name', (a: Volume, b: Volume) => number>> = {
  size: (a, b) => (b.size ?? 0) - (a.size ?? 0),
  newest: (a, b) => (b.ctime ?? 0) - (a.ctime ?? 0),
  name: (a, b) => (a.volid < b.volid ? -1 : 1),
};

function row(
  { volid, content, format, size, used, vmid, ctime, nodes, parent }: Volume,
  names: ReadonlyMap<number, string>,
): Facts {
  return {
    volume: volid,
    content,
    format,
    size: size === undefined ? undefined : bytes(size),
    used: used ? bytes(used) : undefined,
    vmid,
    guest: vmid === undefined ? undefined : (names.get(vmid) ?? 'no guest of that id now'),
    made: ctime === undefined ? undefined : iso(ctime),
    node: nodes.length === 1 ? nodes[0] : undefined,
    parent,
  };
}

export default definePveTool({
  name: 'pve_storage_content',
  title: 'List what is on storages',
  effect: 'read',
  summary:
    'List volumes on storages: disks, ISO images, container templates, import images, backups; with size, format ' +
    'and the guest that owns them.',
  search: 'show files isos images templates disks volumes orphaned unused space what uses pvesm list',
  input: {
    storage: storage.optional(),
    content: z
      .enum(['images', 'rootdir', 'iso', 'vztmpl', 'import', 'backup', 'snippets'])
      .optional()
      .describe('images: disks of VMs; rootdir: of containers; vztmpl: templates.'),
    guest: guest.optional().describe('VMID (also of a deleted guest) or name.'),
    node: node.optional(),
    sort: z.enum(['size', 'newest', 'name']).default('size').describe('What comes first.'),
    limit: limit(200, 50),
  },

  async run({ storage, content, guest: ref, node, sort, limit }, { pve, signal }) {
    const notes: string[] = [];
    const vmid = ref === undefined ? undefined : await vmidOf(pve, ref, signal);
    const [volumes, names] = await Promise.all([
      readVolumes({ pve, signal }, { storage, content, node, vmid }, notes),
      namesOfGuests(pve, signal, notes),
    ]);
    const found = volumes.sort(orders[sort]);
    const shown = found.slice(0, limit);
    const size = bytes(found.reduce((sum, one) => sum + (one.size ?? 0), 0));
    const kinds = tally(countBy(found, (one) => one.content ?? 'other'));
    const more = shown.length < found.length ? `, the first ${shown.length} shown` : '';
    if (found.length === 0) notes.push('Volumes that the token may not use are left out in silence.');
    return answer(
      found.length === 0 ? 'No volume found' : `${count(found.length, 'volume')}, ${size}: ${kinds}${more}`,
      {
        volumes: shown.map((one) => row(one, names)),
        not_shown: found.length - shown.length || undefined,
        notes: noted(notes),
      },
    );
  },
});
