import { answer, remote } from '../../present/answer.ts';
import { findGuest, readGuest } from '../../pve/guests.ts';
import { count, iso } from '../format.ts';
import { guest } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { readSnapshots } from './snapshots.ts';

export default definePveTool({
  name: 'pve_snapshot_list',
  title: 'List snapshots of a guest',
  effect: 'read',
  core: true,
  summary:
    'Snapshots of a VM or container, each after its parent: time, description, whether memory was saved, and ' +
    'which one the present state descends from.',
  search: 'show restore points checkpoints history tree current lxc qm listsnapshot pct',
  input: { guest },

  async run({ guest: ref }, { pve, signal }) {
    const found = await findGuest(pve, ref, { signal });
    const read = await readGuest(pve, found, (there) => readSnapshots(pve, there, signal), { signal });
    const { guest, value: snapshots } = read;
    const current = snapshots.find((snapshot) => snapshot.current);
    const after = current ? `; the present state descends from ${current.name}` : '';
    return answer(`${guest.label}: ${count(snapshots.length, 'snapshot')}${after}`, {
      guest: guest.label,
      snapshots: snapshots.map(({ name, parent, snaptime, vmstate, description, current }) => ({
        name,
        parent,
        taken: snaptime === undefined ? undefined : iso(snaptime),
        with_memory: vmstate || undefined,
        current: current || undefined,
        description: description?.trim() ? remote(description.trim()) : undefined,
      })),
    });
  },
});
