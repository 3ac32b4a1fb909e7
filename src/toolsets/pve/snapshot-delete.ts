import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { count, iso } from '../format.ts';
import { guest, snapshotName, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { refuseLocked } from './locked.ts';
import { settle } from './settle.ts';
import { pickSnapshot, readSnapshots, type Snapshot } from './snapshots.ts';
import { inspect } from './state.ts';

interface Found {
  readonly guest: Guest;
  readonly snapshot: Snapshot;
  readonly snapshots: readonly Snapshot[];
}

async function look(context: ToolContext, ref: number | string, name: string): Promise<Found> {
  const { guest, state } = await inspect(context, ref);
  const snapshots = await readSnapshots(context.pve, guest, context.signal);
  const snapshot = pickSnapshot(guest, snapshots, name);
  refuseLocked(guest, state);
  return { guest, snapshot, snapshots };
}

function preview({ guest, snapshot, snapshots }: Found) {
  const { name, snaptime, vmstate, current } = snapshot;
  const others = snapshots.length - 1;
  const lines = [
    `Delete the snapshot ${name} of ${guest.label}${snaptime === undefined ? '' : `, taken ${iso(snaptime)}`}${vmstate ? ', with its memory' : ''}.`,
    `There is no way back to it afterwards. The guest goes on as it is; ${others === 0 ? 'no snapshot is left' : `${count(others, 'snapshot')} stay`}.`,
    ...(current ? ['The present state descends from it: it is the last point to go back to.'] : []),
  ];
  const { vmid, node } = guest;
  return {
    message: lines.join('\n'),
    state: { vmid, guest: guest.name, node, snapshot: name, taken: snaptime, snapshots: snapshots.length },
  };
}

export default definePveTool({
  name: 'pve_snapshot_delete',
  title: 'Delete a snapshot of a guest',
  effect: 'destroy',
  summary:
    'Delete one snapshot of a VM or container; its present state and other snapshots stay. There is no way back ' +
    'to that point afterwards.',
  search: 'remove drop clean up old checkpoint restore point qm delsnapshot pct delsnapshot',
  input: {
    guest,
    snapshot: snapshotName.describe('Snapshot name.'),
    wait_s: waitSeconds.optional(),
  },

  confirm: async ({ guest: ref, snapshot }, context) => preview(await look(context, ref, snapshot)),

  async run({ guest: ref, snapshot: name, wait_s }, context) {
    const { pve, signal } = context;
    const { guest } = await look(context, ref, name);
    const at = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/snapshot/${name}`;
    const { done, facts } = await settle(context, await pve.delete(at, {}, { signal }), wait_s);
    const told = { guest: guest.label, snapshot: name };
    if (!done) return answer(`${guest.label}: snapshot ${name} is still being deleted`, { ...told, ...facts });
    const notes: string[] = [];
    const after = await attempt(readSnapshots(pve, guest, signal), notes, 'The snapshots afterwards');
    const still = after?.some((one) => one.name === name);
    if (still) notes.push('The task ended well, but the snapshot is still listed.');
    return answer(
      `${guest.label}: snapshot ${name} ${still ? 'is still listed after its deletion' : 'deleted'}${after ? `, ${count(after.length, 'snapshot')} left` : ''}`,
      {
        ...told,
        snapshots_left: after?.map((one) => one.name),
        ...facts,
        notes: noted(notes),
      },
    );
  },
});
