import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { readResources } from '../../pve/resources.ts';
import { count } from '../format.ts';
import { backup, guest, storage, waitSeconds } from '../params.ts';
import { definePveTool, type Preview, type ToolContext } from '../tool.ts';
import { type Archive, readArchive, readOrigin, rootStorage, taken } from './archive.ts';
import { diskLabel, disksOf } from './disks.ts';
import { refuseLocked } from './locked.ts';
import { startOf, tellNew } from './new-guest.ts';
import { pickStorage } from './pick-place.ts';
import { restoreStage, seesAddress } from './restore.ts';
import { effectiveAll, readSettings, type Settings } from './settings.ts';
import { readSnapshots } from './snapshots.ts';
import { inStages } from './stages.ts';
import { type GuestState, inspect, since } from './state.ts';

interface Found {
  readonly guest: Guest;
  readonly state: GuestState;
  readonly archive: Archive;
  readonly settings: Settings;
  /** Where a container's disks go; a VM's go where the backup says. */
  readonly storage?: string;
  readonly notes: readonly string[];
}

/** What Proxmox VE would refuse is told before anybody is asked. */
function refuse(guest: Guest, state: GuestState, kind: Guest['kind']): void {
  const conflict = (cause: string, cure: string) => new Failure('conflict', `${cause} Nothing was done.`, cure);
  if (kind !== guest.kind) {
    const what = { lxc: 'a container', qemu: 'a VM' };
    throw conflict(
      `${guest.label} is ${what[guest.kind]}, and the backup is of ${what[kind]}.`,
      'pve_backup_restore makes a new guest from it.',
    );
  }
  if (guest.template) {
    throw conflict(`${guest.label} is a template.`, 'pve_backup_restore makes a new guest from the backup.');
  }
  refuseLocked(guest, state);
  if (state.status === 'stopped') return;
  throw conflict(
    `${guest.label} is ${since(state)}; only a stopped guest is overwritten.`,
    'Shut it down with pve_guest_power (action shutdown), then call again.',
  );
}

/** A backup of another guest brings that one's addresses: the two are not run side by side unseen. */
async function refuseTwin(context: ToolContext, guest: Guest, archive: Archive, start: boolean, notes: string[]) {
  if (archive.volume.vmid === guest.vmid) return;
  const { origin, shared } = await readOrigin(context, archive, notes);
  if (origin === undefined || shared.length === 0) return;
  const same = `${shared.join(', ')} is the address in the backup and that of ${origin.label}`;
  if (start && origin.status === 'running') {
    throw new Failure(
      'conflict',
      `${same}, which is running: ${guest.label} is not started beside it. Nothing was done.`,
      'Restore it without start, give it another address, then start it.',
    );
  }
  notes.push(`${same}: change one of them before both run.`);
}

interface Wish {
  readonly guest: string | number;
  readonly backup: string;
  readonly storage?: string;
  readonly start: boolean;
}

async function look(context: ToolContext, { guest: ref, backup: volid, storage: wanted, start }: Wish): Promise<Found> {
  const { pve, signal } = context;
  const { guest, state } = await inspect(context, ref);
  const notes: string[] = [];
  const archive = await readArchive(context, volid, guest.node, notes);
  refuse(guest, state, archive.kind);
  await refuseTwin(context, guest, archive, start, notes);
  const settings = await readSettings(pve, guest, signal);
  const own = guest.kind === 'lxc' ? (rootStorage(effectiveAll(settings)) ?? rootStorage(archive.config)) : undefined;
  const home = wanted ?? own;
  const content = guest.kind === 'lxc' ? 'rootdir' : 'images';
  const all = await readResources(pve, { signal });
  const chosen = home !== undefined || guest.kind === 'lxc';
  const storage = chosen ? pickStorage(all, guest.node, content, home).storage : undefined;
  return { guest, state, archive, settings, storage, notes };
}

async function preview(context: ToolContext, found: Found, start: boolean): Promise<Preview> {
  const { guest, state, archive, settings, storage, notes } = found;
  const { volid, vmid: from, ctime } = archive.volume;
  const disks = disksOf(guest.kind, settings)
    .filter(({ volume, cdrom }) => volume !== undefined && !cdrom)
    .map(diskLabel);
  const snapshots = await readSnapshots(context.pve, guest, context.signal);
  const names = snapshots.map((one) => one.name);
  const lines = [
    `Overwrite ${guest.label} with the backup ${volid}, ${taken(archive.volume)}. There is no undo.`,
    `Its configuration and its disks as they are now are lost: ${disks.join(', ') || 'none'}.`,
    ...(guest.kind === 'qemu' ? ['A disk that the backup does not have stays as an unused one.'] : []),
    `Its snapshots are lost: ${names.length > 0 ? `${count(names.length, 'snapshot')} (${names.join(', ')})` : 'it has none'}.`,
    ...(from !== guest.vmid
      ? [`The backup is of another guest, ${from ?? 'not known'}, whose MAC addresses come with it.`]
      : []),
    ...(storage === undefined ? [] : [`The disks are made anew on ${storage}.`]),
    start ? 'It is started afterwards.' : 'It stays stopped afterwards.',
    ...notes,
  ];
  const { vmid, name, node } = guest;
  const { status, lock } = state;
  return {
    message: lines.join('\n'),
    state: { vmid, name, node, status, lock, digest: settings.digest, snapshots: names, backup: volid, taken: ctime },
  };
}

export default definePveTool({
  name: 'pve_guest_restore',
  title: 'Restore a backup over an existing guest',
  effect: 'destroy',
  summary:
    'Put a stopped VM or container back to a backup: its present disks, configuration and snapshots are lost. To ' +
    'keep them, pve_backup_restore makes a new guest.',
  search: 'recover overwrite replace revert vzdump archive pbs qmrestore force pct restore',
  input: {
    guest,
    backup,
    storage: storage.optional().describe('For its disks; else as now (container), as in the backup (VM).'),
    start: z.boolean().default(false).describe('Start it afterwards.'),
    wait_s: waitSeconds.optional(),
  },

  confirm: async (wish, context) => preview(context, await look(context, wish), wish.start),

  async run({ wait_s, ...wish }, context) {
    const { backup, start } = wish;
    const { guest, archive, storage, notes } = await look(context, wish);
    const stages = [
      restoreStage(context, guest, archive, { storage, force: true }),
      ...(start ? [startOf(context, guest)] : []),
    ];
    const reached = await inStages(context, stages, { waitSeconds: wait_s, facts: { guest: guest.label } });
    return tellNew(context, guest, reached, {
      made: `overwritten with the backup ${taken(archive.volume)}`,
      facts: { backup, storage },
      started: start,
      seesAddress: seesAddress(archive),
      notes,
    });
  },
});
