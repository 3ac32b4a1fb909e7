import { answer } from '../../present/answer.ts';
import { bytes, count, iso } from '../format.ts';
import { guest, limit, node, storage } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';
import { backupFacts, namesOfGuests, newestFirst, vmidOf } from './backups.ts';
import { readVolumes, type Volume } from './volumes.ts';

const hidden =
  'The token sees no backup here: there is none, or it lacks Datastore.AllocateSpace on the storage or VM.Backup on the guests.';

function headline(found: readonly Volume[], shown: number): string {
  const [newest] = found;
  if (newest === undefined) return 'No backup found';
  const guests = new Set(found.map(({ vmid }) => vmid)).size;
  const size = bytes(found.reduce((sum, one) => sum + (one.size ?? 0), 0));
  const more = shown < found.length ? `, the newest ${shown} shown` : '';
  return `${count(found.length, 'backup')} of ${count(guests, 'guest')}, ${size}; newest of ${iso(newest.ctime ?? 0)}${more}`;
}

export default definePveTool({
  name: 'pve_backup_list',
  title: 'List backups',
  effect: 'read',
  core: true,
  summary:
    'Backups on all storages, Proxmox Backup Server included, newest first: guest, time, size, notes, whether ' +
    'protected and verified.',
  search: 'list show vzdump archives pbs snapshots datastore dump restore points when was it last backed up',
  input: {
    guest: guest.optional().describe('VMID (also of a deleted guest) or name.'),
    storage: storage.optional(),
    node: node.optional(),
    limit: limit(200, 50),
  },

  async run({ guest: ref, storage, node, limit }, { pve, signal }) {
    const notes: string[] = [];
    const vmid = ref === undefined ? undefined : await vmidOf(pve, ref, signal);
    const wanted = { storage, node, content: 'backup', vmid };
    const [volumes, names] = await Promise.all([
      readVolumes({ pve, signal }, wanted, notes),
      namesOfGuests(pve, signal, notes),
    ]);
    const found = newestFirst(volumes);
    const shown = found.slice(0, limit);
    if (found.length === 0) notes.push(hidden);
    return answer(headline(found, shown.length), {
      backups: shown.map((one) => backupFacts(one, names)),
      not_shown: found.length - shown.length || undefined,
      notes: noted(notes),
    });
  },
});
