import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { bytes } from '../format.ts';
import { diskKey, guest } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { type Disk, diskLabel, pickDisk, refuseWaiting, sizeInBytes } from './disks.ts';
import { refuseLocked } from './locked.ts';
import { readSettings, refuseTemplate, type Settings } from './settings.ts';
import { settle } from './settle.ts';
import { inspect } from './state.ts';

const refuse = (message: string, hint: string): Failure => new Failure('invalid-input', message, hint);

/** Bytes that the disk will have; refuses a shrink, which no storage does, and what has no size. */
function grownTo(guest: Guest, disk: Disk, size: string): number | undefined {
  const label = `${diskLabel(disk)} of ${guest.label}`;
  if (disk.volume === undefined || disk.cdrom) {
    throw refuse(`${label} is no volume of its own: it cannot be resized.`, 'Name a disk on a storage.');
  }
  if (disk.key.startsWith('unused')) {
    throw refuse(
      `${label} is not attached.`,
      'Attach it first: pve_guest_configure with set, such as scsi1 and its volume.',
    );
  }
  const now = sizeInBytes(disk.size);
  const asked = sizeInBytes(size.replace('+', ''));
  if (asked === undefined) throw refuse(`"${size}" is not a size.`, 'Write 64G or +8G.');
  if (size.startsWith('+')) return now === undefined ? undefined : now + asked;
  if (now === undefined)
    throw refuse(`The present size of ${label} is not known.`, 'Say by how much it is to grow, as +8G.');
  if (asked < now) {
    throw refuse(
      `${label} has ${bytes(now)}: ${bytes(asked)} would shrink it, and a disk can only grow.`,
      'For a smaller disk add a new one (pve_disk_add), copy the data inside the guest, and remove the old one.',
    );
  }
  return asked;
}

interface Found {
  readonly guest: Guest;
  readonly disk: Disk;
  readonly settings: Settings;
  readonly to?: number;
}

async function look(context: ToolContext, ref: string | number, key: string, size: string): Promise<Found> {
  const { guest, state } = await inspect(context, ref);
  refuseTemplate(guest);
  refuseLocked(guest, state);
  const settings = await readSettings(context.pve, guest, context.signal);
  const disk = pickDisk(guest, settings, key);
  refuseWaiting(guest, settings, key);
  return { guest, disk, settings, to: grownTo(guest, disk, size) };
}

const inside = {
  lxc: undefined,
  qemu: 'Inside the VM the partition and its file system are still as they were: grow them there.',
} as const;

export default definePveTool({
  name: 'pve_disk_resize',
  title: 'Grow a disk of a guest',
  effect: 'change',
  summary:
    "Grow a disk of a VM or container; it cannot be made smaller again. A container's file system grows with it, " +
    "a VM's is grown inside.",
  search: 'enlarge extend expand increase bigger space rootfs volume full resize pct resize qm resize shrink',
  input: {
    guest,
    disk: diskKey,
    size: z
      .string()
      .regex(/^\+?\d+(\.\d+)?[KMGT]$/, 'must be as 64G or +8G')
      .describe('64G, or +8G for so much more.'),
  },

  async confirm({ guest: ref, disk: key, size }, context) {
    const { guest, disk, to } = await look(context, ref, key, size);
    const what = to === undefined ? `by ${size.slice(1)}` : `to ${bytes(to)}`;
    return {
      message: `Grow ${diskLabel(disk)} of ${guest.label} ${what}. It cannot be made smaller again.`,
      state: { guest: guest.label, disk: disk.value },
    };
  },

  async run({ guest: ref, disk: key, size }, context) {
    const { pve, signal } = context;
    const { guest, disk, settings, to } = await look(context, ref, key, size);
    const common = { guest: guest.label, disk: key, volume: disk.volume, before: disk.size };
    if (to !== undefined && to === sizeInBytes(disk.size)) {
      return answer(`${guest.label}: ${key} has ${bytes(to)} already; nothing was done`, { ...common, changed: false });
    }
    const resize = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/resize`;
    const started = await pve.put(resize, { disk: key, size, digest: settings.digest }, { signal });
    const { done, facts } = await settle(context, started);
    if (!done) return answer(`${guest.label}: ${key} is still being resized`, { ...common, ...facts });
    const notes: string[] = [];
    const after = await attempt(readSettings(pve, guest, signal), notes, 'The configuration afterwards');
    const now = after && pickDisk(guest, after, key).size;
    if (inside[guest.kind]) notes.push(inside[guest.kind] ?? '');
    return answer(`${guest.label}: ${key} grown${now ? ` to ${now}` : ''}`, {
      ...common,
      now,
      ...facts,
      notes: noted(notes),
    });
  },
});
