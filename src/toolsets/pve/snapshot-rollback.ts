import { z } from 'zod';
import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { iso } from '../format.ts';
import { guest, snapshotName, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { lastBackup } from './last-backup.ts';
import { refuseLocked } from './locked.ts';
import { settle } from './settle.ts';
import { pickSnapshot, readSnapshots, type Snapshot } from './snapshots.ts';
import { awaitStart } from './start-after.ts';
import { type GuestState, inspect, readState, since } from './state.ts';

interface Found {
  readonly guest: Guest;
  readonly state: GuestState;
  readonly snapshot: Snapshot;
  readonly snapshots: readonly Snapshot[];
}

async function look(context: ToolContext, ref: number | string, name: string): Promise<Found> {
  const { guest, state } = await inspect(context, ref);
  const snapshots = await readSnapshots(context.pve, guest, context.signal);
  const snapshot = pickSnapshot(guest, snapshots, name);
  refuseLocked(guest, state);
  return { guest, state, snapshot, snapshots };
}

/** What a rollback does to the power, by PVE::AbstractConfig::snapshot_rollback: stopped first, memory brings it back. */
function power({ state, snapshot }: Found, start: boolean): string {
  const up = state.status !== 'stopped';
  if (snapshot.vmstate) {
    return `${up ? 'Its power is cut, and it' : 'It'} comes back running as it was then, with the memory of the snapshot.`;
  }
  const cut = up ? 'Its power is cut. ' : '';
  if (start) return `${cut}It is started afterwards.`;
  if (up && state.managedByHa) return `${cut}HA may start it again afterwards.`;
  return up ? `${cut}It stays stopped afterwards, unless start is true.` : 'It stays stopped.';
}

const taken = ({ name, snaptime }: Snapshot): string =>
  `snapshot ${name}${snaptime === undefined ? '' : ` of ${iso(snaptime)}`}`;

async function preview(context: ToolContext, found: Found, start: boolean) {
  const { guest, state, snapshot, snapshots } = found;
  const backup = await lastBackup(context.pve, guest, context.signal);
  const newer = snapshots.filter((one) => (one.snaptime ?? 0) > (snapshot.snaptime ?? 0));
  const lines = [
    `Roll ${guest.label} back to ${taken(snapshot)}. It is ${since(state)}.`,
    'What its disks and its configuration gained since then is lost. There is no undo.',
    power(found, start),
    ...(newer.length > 0
      ? [`Newer snapshots: ${newer.map(({ name }) => name).join(', ')}. On ZFS they have to be deleted first.`]
      : []),
    `Last backup: ${backup}.`,
  ];
  const { vmid, name, node } = guest;
  const { status, pid } = state;
  return {
    message: lines.join('\n'),
    state: {
      vmid,
      name,
      node,
      status,
      pid,
      snapshot: snapshot.name,
      taken: snapshot.snaptime,
      snapshots: snapshots.length,
    },
  };
}

export default definePveTool({
  name: 'pve_snapshot_rollback',
  title: 'Roll a guest back to a snapshot',
  effect: 'destroy',
  core: true,
  summary:
    'Put the disks and configuration of a VM or container back to a snapshot: everything since is lost. A running ' +
    'guest is stopped, and stays so unless start is true; a snapshot with memory brings a VM back running.',
  search: 'revert restore undo return checkpoint previous state qm rollback pct rollback',
  input: {
    guest,
    snapshot: snapshotName.describe('Snapshot name.'),
    start: z.boolean().default(false).describe('Start it afterwards.'),
    wait_s: waitSeconds.optional(),
  },

  confirm: async ({ guest: ref, snapshot, start }, context) =>
    preview(context, await look(context, ref, snapshot), start),

  async run({ guest: ref, snapshot: name, start, wait_s }, context) {
    const { pve, signal } = context;
    const { guest, state, snapshot } = await look(context, ref, name);
    const rollback = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/snapshot/${name}/rollback`;
    const started = await pve.post(rollback, { start: start || undefined }, { signal });
    const { done, facts } = await settle(context, started, wait_s);
    const told = { guest: guest.label, snapshot: name, taken: snapshot.snaptime && iso(snapshot.snaptime) };
    if (!done) return answer(`${guest.label} is still being rolled back to ${name}`, { ...told, ...facts });
    const notes: string[] = [];
    if (start) await awaitStart(context, guest, started, notes);
    const now = await attempt(readState(pve, guest, signal), notes, 'The state afterwards');
    if (now?.status === 'stopped' && state.status !== 'stopped') {
      notes.push('It was up before; the rollback stopped it. pve_guest_power starts it.');
    }
    return answer(`${guest.label}: rolled back to ${name}${now ? `, ${since(now)}` : ''}`, {
      ...told,
      status_before: state.status,
      status: now?.status,
      ...facts,
      notes: noted(notes),
    });
  },
});
