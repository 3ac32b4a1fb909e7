import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { count } from '../format.ts';
import { guest, waitSeconds } from '../params.ts';
import { definePveTool, type Preview, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { diskLabel, disksOf } from './disks.ts';
import { lastBackup } from './last-backup.ts';
import { refuseLocked } from './locked.ts';
import { namedBy } from './named-by.ts';
import { readSettings, type Settings } from './settings.ts';
import { settle } from './settle.ts';
import { readSnapshots } from './snapshots.ts';
import { type GuestState, inspect, since } from './state.ts';
import { readVolumes } from './volumes.ts';

/** What Proxmox VE would refuse is told before anybody is asked. */
function refuse(found: Guest, state: GuestState, purge: boolean): void {
  if (state.status !== 'stopped') {
    throw new Failure(
      'conflict',
      `${found.label} is ${since(state)}; only a stopped guest is deleted. Nothing was done.`,
      'Shut it down with pve_guest_power (action shutdown), then call again.',
    );
  }
  refuseLocked(found, state);
  if (purge || !state.managedByHa) return;
  throw new Failure(
    'conflict',
    `${found.label} is a resource of HA, and so is deleted with purge only. Nothing was done.`,
    'Leave purge at its default, or take the guest out of HA first.',
  );
}

/** The disks that are its own: what is in a CD-ROM drive is not, but for cloud-init's. */
const ownDisks = ({ kind }: Guest, settings: Settings): string[] =>
  disksOf(kind, settings)
    .filter(({ volume, cdrom }) => volume !== undefined && (!cdrom || volume.includes('-cloudinit')))
    .map(diskLabel);

const listed = (items: readonly string[]): string => (items.length > 0 ? items.join(', ') : 'none');

/** Volumes of its VMID that its configuration does not name, on the storages of its node; backups are none of them. */
async function strayVolumes(context: ToolContext, { node, vmid }: Guest, named: readonly string[], notes: string[]) {
  const all = await readVolumes(context, { node, vmid }, notes);
  const disks = all.filter(({ content }) => content === 'images' || content === 'rootdir');
  const isNamed = (volid: string): boolean => named.some((label) => /\(([^,)]+)/.exec(label)?.[1] === volid);
  return disks.map(({ volid }) => volid).filter((volid) => !isNamed(volid));
}

async function preview(
  found: Guest,
  state: GuestState,
  { purge, unreferenced }: { readonly purge: boolean; readonly unreferenced: boolean },
  context: ToolContext,
): Promise<Preview> {
  const { pve, signal } = context;
  const notes: string[] = [];
  const blind: string[] = [];
  const [settings, snapshots, backup, names] = await Promise.all([
    readSettings(pve, found, signal),
    attempt(readSnapshots(pve, found, signal), notes, 'Snapshots'),
    lastBackup(pve, found, signal),
    namedBy(pve, found, state, signal, notes),
  ]);
  const labels = ownDisks(found, settings);
  const strays = unreferenced ? await strayVolumes(context, found, labels, blind) : undefined;
  const fate = names.length === 0 ? '' : purge ? ' It is taken out of these.' : ' These are left as they are.';
  const lines = [
    `Delete ${found.label}${found.template ? ', a template,' : ''} for good (${state.status}). There is no undo.`,
    `Its disks go with it: ${listed(labels)}.`,
    ...(strays ? [`So does every other volume of its VMID on any storage; seen: ${listed(strays)}.`] : []),
    `Snapshots, which go too: ${snapshots ? listed(snapshots.map(({ name }) => name)) : 'not known'}.`,
    `Backups stay. Last backup: ${backup}.`,
    `Named by: ${names.length > 0 || notes.length === 0 ? listed(names) : 'nothing that could be read'}.${fate}`,
    ...notes,
    ...blind,
  ];
  const { vmid, name, node } = found;
  const snapshotNames = snapshots?.map((one) => one.name);
  return {
    message: lines.join('\n'),
    state: {
      vmid,
      name,
      node,
      status: state.status,
      lock: state.lock,
      disks: labels,
      snapshots: snapshotNames,
      ...(strays && { strays }),
    },
  };
}

export default definePveTool({
  name: 'pve_guest_delete',
  title: 'Delete a guest',
  effect: 'destroy',
  summary:
    'Delete a stopped VM or container with its disks and snapshots. Backups stay. There is no undo: a human is ' +
    'asked.',
  search: 'remove destroy erase drop vm lxc container purge qm destroy pct destroy',
  input: {
    guest,
    purge: z.boolean().default(true).describe('Also from backup, replication and HA jobs.'),
    destroy_unreferenced_disks: z
      .boolean()
      .default(false)
      .describe('Also volumes of its VMID that its configuration does not name.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, purge, destroy_unreferenced_disks: unreferenced }, context) {
    const { guest: found, state } = await inspect(context, ref);
    refuse(found, state, purge);
    return preview(found, state, { purge, unreferenced }, context);
  },

  async run({ guest: ref, purge, destroy_unreferenced_disks: unreferenced, wait_s }, context) {
    const { pve, signal } = context;
    const { guest: found, state } = await inspect(context, ref);
    refuse(found, state, purge);
    const notes: string[] = [];
    const settings = await readSettings(pve, found, signal);
    const disks = ownDisks(found, settings);
    const params = { purge, 'destroy-unreferenced-disks': unreferenced };
    const at = path`/nodes/${found.node}/${found.kind}/${found.vmid}`;
    const { done, facts } = await settle(context, await pve.delete(at, params, { signal }), wait_s);
    const own = { guest: found.label, purged: purge, disks, ...facts };
    if (!done) return answer(`${found.label} is still being deleted`, own);
    const left = await attempt(listGuests(pve, { signal }), notes, 'The guests that are left');
    const still = left?.some(({ vmid }) => vmid === found.vmid) ?? false;
    if (still) notes.push('The task ended well, but the guest is still listed: look with pve_guest_get.');
    const what = disks.length > 0 ? ` with ${count(disks.length, 'disk')}` : '';
    return answer(`${found.label} ${still ? 'is still listed after its deletion' : `was deleted${what}`}`, {
      ...own,
      deleted: left === undefined ? undefined : !still,
      notes: noted(notes),
    });
  },
});
