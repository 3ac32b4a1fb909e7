import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { count, iso } from '../format.ts';
import { guest, snapshotName, waitSeconds } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { settle } from './settle.ts';
import { readSnapshots, type Snapshot } from './snapshots.ts';
import { inspect, since } from './state.ts';

/** `mcp-20261120-0310`, in UTC; with the seconds when that is taken. */
export function snapshotNameAt(now: Date, taken: readonly Snapshot[]): string {
  const [day = '', time = ''] = now.toISOString().replace(/[-:]/g, '').split('T');
  const name = `mcp-${day}-${time.slice(0, 4)}`;
  return taken.some((one) => one.name === name) ? `mcp-${day}-${time.slice(0, 6)}` : name;
}

function refuse(guest: Guest, vmstate: boolean, name: string | undefined, existing: readonly Snapshot[]): void {
  if (vmstate && guest.kind === 'lxc') {
    throw new Failure(
      'invalid-input',
      `${guest.label} is a container: its memory cannot be saved in a snapshot.`,
      'Leave vmstate out.',
    );
  }
  if (existing.some((one) => one.name === name)) {
    throw new Failure(
      'conflict',
      `${guest.label} already has a snapshot ${name}.`,
      'Give another name, or none to have one made.',
    );
  }
}

export default definePveTool({
  name: 'pve_snapshot_create',
  title: 'Take a snapshot of a guest',
  effect: 'change',
  core: true,
  summary: 'Take a snapshot of a VM or container, which goes on running. Needs a storage that has snapshots.',
  search: 'make restore point checkpoint before upgrade rollback vm lxc qm snapshot pct snapshot',
  input: {
    guest,
    name: snapshotName.optional().describe('Else named by the time.'),
    description: z.string().max(4096).optional().describe('What it is for.'),
    vmstate: z.boolean().default(false).describe('VMs: save the memory too; a rollback resumes it.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, name, vmstate }, context) {
    const { guest, state } = await inspect(context, ref);
    refuse(guest, vmstate, name, await readSnapshots(context.pve, guest, context.signal));
    const what = `Take a snapshot${name ? ` named ${name}` : ''} of ${guest.label}${vmstate ? ' with its memory' : ''}.`;
    return { message: `${what} It is ${since(state)}.`, state: { guest: guest.label, status: state.status } };
  },

  async run({ guest: ref, name: wanted, description, vmstate, wait_s }, context) {
    const { pve, signal } = context;
    const { guest } = await inspect(context, ref);
    const before = await readSnapshots(pve, guest, signal);
    refuse(guest, vmstate, wanted, before);
    const name = wanted ?? snapshotNameAt(new Date(), before);
    const snapshots = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/snapshot`;
    const params = { snapname: name, description, vmstate: guest.kind === 'qemu' ? vmstate : undefined };
    const { done, facts } = await settle(context, await pve.post(snapshots, params, { signal }), wait_s);
    if (!done)
      return answer(`${guest.label}: snapshot ${name} is still being taken`, {
        guest: guest.label,
        snapshot: name,
        ...facts,
      });
    const notes: string[] = [];
    const after = await attempt(readSnapshots(pve, guest, signal), notes, 'The snapshots afterwards');
    const taken = after?.find((one) => one.name === name);
    if (after && !taken)
      notes.push('The task ended well, but the snapshot is not listed: look with pve_snapshot_list.');
    return answer(`${guest.label}: snapshot ${name} taken${after ? `, ${count(after.length, 'snapshot')} now` : ''}`, {
      guest: guest.label,
      snapshot: name,
      parent: taken?.parent,
      taken: taken?.snaptime === undefined ? undefined : iso(taken.snaptime),
      with_memory: taken?.vmstate || undefined,
      ...facts,
      notes: noted(notes),
    });
  },
});
