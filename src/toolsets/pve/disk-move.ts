import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { readResources } from '../../pve/resources.ts';
import { bytes } from '../format.ts';
import { diskKey, guest, onStorage, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { type Disk, diskLabel, disksOf, isForeign, pickDisk, refuseWaiting, sizeInBytes } from './disks.ts';
import { refuseLocked } from './locked.ts';
import { pickStorage } from './pick-place.ts';
import { readSettings, refuseTemplate, type Settings } from './settings.ts';
import { settle } from './settle.ts';
import { type GuestState, inspect } from './state.ts';
import { isListed } from './volumes.ts';

const formats = ['raw', 'qcow2', 'vmdk'] as const;

interface Wish {
  readonly disk: string;
  readonly storage: string;
  readonly delete_source: boolean;
  readonly format?: (typeof formats)[number];
}

function refuse(guest: Guest, { status }: GuestState, disk: Disk, wish: Wish): void {
  const { storage, format, delete_source } = wish;
  const label = `${diskLabel(disk)} of ${guest.label}`;
  const fail = (kind: Failure['kind'], message: string, hint: string) => new Failure(kind, message, hint);
  if (disk.volume === undefined || disk.cdrom) {
    throw fail('invalid-input', `${label} is no volume of its own: it cannot be moved.`, 'Name a disk on a storage.');
  }
  if (delete_source && isForeign(guest, disk)) {
    throw fail(
      'conflict',
      `${label} is another guest's volume by its name: it is not deleted.`,
      'Leave out delete_source.',
    );
  }
  if (guest.kind === 'lxc' && format !== undefined) {
    throw fail('invalid-input', `${guest.label} is a container: format is for VMs.`, 'Leave it out.');
  }
  if (guest.kind === 'lxc' && disk.key.startsWith('unused')) {
    throw fail('invalid-input', `${label} is not attached, and only attached ones are moved.`, 'Attach it first.');
  }
  if (disk.storage === storage && format === undefined) {
    throw fail('conflict', `${label} is on ${storage} already.`, 'Nothing has to be done.');
  }
  if (guest.kind === 'lxc' && status !== 'stopped') {
    throw fail(
      'conflict',
      `${guest.label} is ${status}: disks of a container are moved only while it is stopped.`,
      'Shut it down with pve_guest_power first.',
    );
  }
}

interface Found {
  readonly guest: Guest;
  readonly disk: Disk;
  readonly settings: Settings;
  /** What should be known before, and does not forbid it. */
  readonly caution?: string;
}

async function look(context: ToolContext, ref: string | number, wish: Wish): Promise<Found> {
  const { pve, signal } = context;
  const { guest, state } = await inspect(context, ref);
  refuseTemplate(guest);
  refuseLocked(guest, state);
  const settings = await readSettings(pve, guest, signal);
  const disk = pickDisk(guest, settings, wish.disk);
  refuse(guest, state, disk, wish);
  refuseWaiting(guest, settings, wish.disk);
  const content = guest.kind === 'lxc' ? 'rootdir' : 'images';
  const place = pickStorage(await readResources(pve, { signal }), guest.node, content, wish.storage);
  const free = Math.max(0, (place.maxdisk ?? 0) - (place.disk ?? 0));
  const size = sizeInBytes(disk.size) ?? 0;
  const caution =
    place.maxdisk !== undefined && free < size
      ? `${wish.storage} has ${bytes(free)} free, less than the disk's ${bytes(size)}: it fits only if most of it is empty.`
      : undefined;
  return { guest, disk, settings, caution };
}

/** What became of the old volume: one that could not be deleted is a line in the task's log only. */
async function oldOf(context: ToolContext, { guest, disk }: Found, after: Settings, notes: string[]): Promise<string> {
  const same = ({ key, volume }: Disk) => key.startsWith('unused') && volume === disk.volume;
  const unused = disksOf(guest.kind, after).find(same);
  if (unused) {
    notes.push(`The old volume is kept as ${unused.key}; pve_disk_remove destroys it.`);
    return unused.key;
  }
  const listed = await isListed(context, disk.volume ?? '', guest.node, notes);
  if (listed) notes.push('The old volume is still on its storage, and no configuration names it: pve_volume_delete.');
  return listed === undefined ? 'not known' : listed ? 'still there' : 'deleted';
}

export default definePveTool({
  name: 'pve_disk_move',
  title: 'Move a disk to another storage',
  effect: 'change',
  summary: 'Move a disk of a VM (running or not) or of a stopped container to another storage.',
  search: 'migrate storage relocate copy volume move_disk move_volume convert format pct move-volume qm disk move',
  input: {
    guest,
    disk: diskKey,
    storage: onStorage.describe('Where to.'),
    delete_source: z.boolean().default(false).describe('Delete the old volume, which else stays as an unused one.'),
    format: z.enum(formats).optional().describe('VMs, on a storage of files.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, ...wish }, context) {
    const { guest, disk, caution } = await look(context, ref, wish);
    const old = wish.delete_source
      ? 'The old volume is deleted after the copy.'
      : 'The old volume stays as an unused one.';
    return {
      message: [
        `Move ${diskLabel(disk)} of ${guest.label} to ${wish.storage}. ${old}`,
        ...(caution ? [caution] : []),
      ].join('\n'),
      state: { guest: guest.label, disk: disk.value },
    };
  },

  async run({ guest: ref, wait_s, ...wish }, context) {
    const { pve, signal } = context;
    const found = await look(context, ref, wish);
    const { guest, disk, settings, caution } = found;
    const { disk: key, storage, format, delete_source } = wish;
    const named = guest.kind === 'lxc' ? { volume: key } : { disk: key, format };
    const params = { ...named, storage, delete: delete_source, digest: settings.digest };
    const action = guest.kind === 'lxc' ? 'move_volume' : 'move_disk';
    const at = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/${action}`;
    const { done, facts } = await settle(context, await pve.post(at, params, { signal }), wait_s);
    const common = { guest: guest.label, disk: key, before: disk.volume };
    const notes = caution ? [caution] : [];
    if (!done)
      return answer(`${guest.label}: ${key} is still being moved`, { ...common, ...facts, notes: noted(notes) });
    const after = await attempt(readSettings(pve, guest, signal), notes, 'The configuration afterwards');
    const old = after && (await oldOf(context, found, after, notes));
    return answer(`${guest.label}: ${key} moved to ${storage}`, {
      ...common,
      now: after && pickDisk(guest, after, key).volume,
      old_volume: old,
      ...facts,
      notes: noted(notes),
    });
  },
});
