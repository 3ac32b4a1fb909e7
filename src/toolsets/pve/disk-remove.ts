import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { bytes } from '../format.ts';
import { diskKey, guest } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { type Disk, diskLabel, disksOf, isForeign, pickDisk, refuseWaiting } from './disks.ts';
import { lastBackup } from './last-backup.ts';
import { refuseLocked } from './locked.ts';
import { apply, effective, readSettings, refuseTemplate, type Settings } from './settings.ts';
import { inspect } from './state.ts';
import { findVolume, isListed, ownersOf } from './volumes.ts';

const fail = (message: string, hint: string): Failure => new Failure('invalid-input', message, hint);

/** Refuses what would do something else than is asked for. */
function refuse(guest: Guest, disk: Disk, destroy: boolean): void {
  const label = `${diskLabel(disk)} of ${guest.label}`;
  if (disk.key === 'rootfs') {
    throw fail(`${label} is its root disk: a container is nothing without it.`, 'Delete the container instead.');
  }
  if (disk.key.startsWith('unused') && !destroy) {
    throw fail(`${label} is detached already.`, 'With destroy: true its volume is deleted.');
  }
  if (destroy && (disk.volume === undefined || (disk.cdrom && !/-cloudinit\b/.test(disk.volume)))) {
    throw fail(`${label} is no volume of its own: there is nothing to destroy.`, 'Leave destroy out to detach it.');
  }
  if (destroy && isForeign(guest, disk)) {
    throw fail(
      `${label} is a volume of guest ${ownersOf(disk.volume ?? '').join(', ')}: Proxmox VE would not destroy it from here.`,
      'Leave destroy out to detach it; pve_volume_delete deletes a volume that no guest uses.',
    );
  }
  if (destroy && guest.kind === 'lxc' && !disk.key.startsWith('unused')) {
    throw fail(
      `${label} is attached, and Proxmox VE destroys only detached volumes of a container.`,
      'Call without destroy first; the answer names the unused volume, which a second call with destroy deletes.',
    );
  }
}

interface Found {
  readonly guest: Guest;
  readonly disk: Disk;
  readonly settings: Settings;
}

async function look(context: ToolContext, ref: string | number, key: string, destroy: boolean): Promise<Found> {
  const { guest, state } = await inspect(context, ref);
  refuseTemplate(guest);
  refuseLocked(guest, state);
  const settings = await readSettings(context.pve, guest, context.signal);
  const disk = pickDisk(guest, settings, key);
  refuse(guest, disk, destroy);
  refuseWaiting(guest, settings, key);
  return { guest, disk, settings };
}

/** The size as the configuration has it, of a detached volume as its storage does. */
async function sizeOf({ guest, disk }: Found, context: ToolContext): Promise<string> {
  if (disk.size !== undefined || disk.volume === undefined) return disk.size ?? 'no size';
  const volume = await attempt(findVolume(context, disk.volume, guest.node), [], 'The volume');
  return volume?.size === undefined ? 'size not known' : bytes(volume.size);
}

/** Whether the VM starts from it. */
const boots = ({ key }: Disk, settings: Settings): boolean =>
  new RegExp(`[=;]${key}(;|$)`).test(effective(settings, 'boot') ?? '');

/** What becomes of the volume of a disk that is only detached. */
function stays(guest: Guest, disk: Disk): string {
  if (disk.volume === undefined) return 'Nothing is deleted.';
  if (/-cloudinit\b/.test(disk.volume)) return 'Its image goes too; Proxmox VE makes a new one with a new drive.';
  if (disk.cdrom || isForeign(guest, disk)) return 'The volume stays on its storage.';
  return 'The volume stays as an unused one, with all its data.';
}

async function previewLines(found: Found, destroy: boolean, context: ToolContext): Promise<string[]> {
  const { guest, disk, settings } = found;
  const boot = boots(disk, settings) ? ['It is in the boot order: the VM may not start without it.'] : [];
  if (!destroy) {
    return [`Detach ${diskLabel(disk)} from ${guest.label}.`, stays(guest, disk), ...boot];
  }
  return [
    `DESTROY the volume ${disk.volume} (${await sizeOf(found, context)}), ${disk.key} of ${guest.label}, with all its data. There is no undo.`,
    ...boot,
    `Last backup of the guest: ${await lastBackup(context.pve, guest, context.signal)}.`,
  ];
}

/** What became of it, as the configuration tells and, of a volume that was to be destroyed, its storage (`listed`). */
function fate(
  { guest, disk }: Found,
  after: Settings,
  destroy: boolean,
  listed: boolean | undefined,
): { readonly said: string; readonly unused?: string } {
  if (effective(after, disk.key) !== undefined) return { said: 'is still there: look with pve_guest_get' };
  if (after.keys.get(disk.key)?.waits === null) {
    return { said: `goes with the next restart of the guest${destroy ? ', its volume too' : ''}` };
  }
  if (destroy && listed === false) return { said: 'and its volume are gone' };
  const unused = disksOf(guest.kind, after).find((one) => one.key.startsWith('unused') && one.volume === disk.volume);
  if (destroy && !unused) {
    return { said: `is gone; its volume ${listed ? 'is still on the storage' : 'could not be looked for'}` };
  }
  return { said: unused ? `is detached; its volume is ${unused.key} now` : 'is detached', unused: unused?.key };
}

export default definePveTool({
  name: 'pve_disk_remove',
  title: 'Detach or destroy a disk',
  effect: 'destroy',
  summary:
    'Detach a disk or mount point from a VM or container: its volume stays as an unused one, or with destroy is ' +
    'deleted with its data. A volume of a container is destroyed once it is detached.',
  search: 'delete unlink unplug remove drive volume mount point unused wipe pct qm disk unlink',
  input: {
    guest,
    disk: diskKey,
    destroy: z.boolean().default(false).describe('Delete the volume with its data, for good.'),
  },

  async confirm({ guest: ref, disk: key, destroy }, context) {
    const found = await look(context, ref, key, destroy);
    const { guest, disk } = found;
    return {
      message: (await previewLines(found, destroy, context)).join('\n'),
      state: { vmid: guest.vmid, name: guest.name, node: guest.node, disk: key, value: disk.value },
    };
  },

  async run({ guest: ref, disk: key, destroy }, context) {
    const found = await look(context, ref, key, destroy);
    const { guest, disk, settings } = found;
    const force = destroy && guest.kind === 'qemu' ? true : undefined;
    const { done, facts, after, notes } = await apply(context, guest, settings, { set: {}, remove: [key], force });
    const common = { guest: guest.label, disk: key, was: disk.value };
    if (!done) return answer(`${guest.label}: ${key} is still being removed`, { ...common, ...facts });
    const listed =
      destroy && disk.volume !== undefined ? await isListed(context, disk.volume, guest.node, notes) : undefined;
    const { said, unused } = after ? fate(found, after, destroy, listed) : { said: 'was removed' };
    return answer(`${guest.label}: ${key} ${said}`, { ...common, unused, ...facts, notes: noted(notes) });
  },
});
