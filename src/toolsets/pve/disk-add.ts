import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import type { Guest } from '../../pve/guests.ts';
import { readResources } from '../../pve/resources.ts';
import { diskGib, guest, onStorage } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';
import { disksOf } from './disks.ts';
import { refuseLocked } from './locked.ts';
import { pickStorage } from './pick-place.ts';
import { parseParts } from './property-string.ts';
import { apply, effective, readSettings, refuseTemplate, type Settings, waiting } from './settings.ts';
import { inspect } from './state.ts';

const buses = ['scsi', 'virtio', 'sata'] as const;

/** How many of each there may be (qemu-server, PVE/QemuServer/Drive.pm; pve-container, PVE/LXC/Config.pm). */
const slots = { scsi: 31, virtio: 16, sata: 6, mp: 256 } as const;

interface Wish {
  readonly size_gib: number;
  readonly storage?: string;
  readonly bus?: (typeof buses)[number];
  readonly mount?: string;
  readonly backup: boolean;
}

const refuse = (message: string, hint: string): Failure => new Failure('invalid-input', message, hint);

function refuseOtherKind(guest: Guest, { bus, mount }: Wish): void {
  if (guest.kind === 'qemu' && mount !== undefined) {
    throw refuse(`${guest.label} is a VM: mount is for containers.`, 'Leave it out; a VM mounts its disks itself.');
  }
  if (guest.kind === 'lxc' && mount === undefined) {
    throw refuse(`${guest.label} is a container: its disk needs a place.`, 'Give mount, such as /srv/data.');
  }
  if (guest.kind === 'lxc' && bus !== undefined) {
    throw refuse(`${guest.label} is a container: bus is for VMs.`, 'Leave it out.');
  }
}

function refuseTaken(guest: Guest, settings: Settings, mount: string): void {
  const there = disksOf('lxc', settings).find(({ value }) => parseParts(value).get('mp') === mount);
  if (there === undefined) return;
  throw new Failure(
    'conflict',
    `${guest.label} has ${there.key} at ${mount} already.`,
    'Give another mount, or grow that one with pve_disk_resize.',
  );
}

/** The first key of that kind that nothing is plugged in to, nor waits to be. */
function freeKey(guest: Guest, settings: Settings, kind: keyof typeof slots): string {
  const keys = Array.from({ length: slots[kind] }, (_, i) => `${kind}${i}`);
  const key = keys.find((one) => !settings.keys.has(one));
  if (key !== undefined) return key;
  throw new Failure(
    'conflict',
    `${guest.label} has no free ${kind} slot.`,
    'Choose another bus, or remove a disk first.',
  );
}

/** Where its root disk is, or the first that it has. */
function storageOfFirst({ kind }: Guest, settings: Settings): string | undefined {
  const rank = (key: string): string => (key === 'rootfs' ? '' : key);
  const disks = disksOf(kind, settings).filter(
    ({ key, storage, cdrom }) => storage !== undefined && !cdrom && !/^(unused|efidisk|tpmstate)/.test(key),
  );
  return disks.sort((a, b) => rank(a.key).localeCompare(rank(b.key), 'en', { numeric: true }))[0]?.storage;
}

/** What is to be written: `local-lvm:8` makes a volume of 8 GiB. */
async function plan(pve: Pve, guest: Guest, settings: Settings, wish: Wish, signal: AbortSignal) {
  const { size_gib, storage, bus = 'scsi', mount, backup } = wish;
  refuseOtherKind(guest, wish);
  if (mount !== undefined) refuseTaken(guest, settings, mount);
  const key = freeKey(guest, settings, guest.kind === 'lxc' ? 'mp' : bus);
  const first = storageOfFirst(guest, settings);
  const content = guest.kind === 'lxc' ? 'rootdir' : 'images';
  const { storage: name } = pickStorage(await readResources(pve, { signal }), guest.node, content, storage ?? first);
  // A container's mount point is left out of backups unless it says otherwise, a VM's disk is not.
  const kept = guest.kind === 'lxc' ? (backup ? ',backup=1' : '') : backup ? '' : ',backup=0';
  return { key, name, value: `${name}:${size_gib}${mount === undefined ? '' : `,mp=${mount}`}${kept}` };
}

export default definePveTool({
  name: 'pve_disk_add',
  title: 'Add a disk to a guest',
  effect: 'change',
  summary: 'Add an empty disk to a VM on the next free slot, or a formatted mount point to a container.',
  search: 'attach create volume storage mount point mp0 scsi1 virtio drive hard disk more space pct qm set',
  input: {
    guest,
    size_gib: diskGib.describe('Size.'),
    storage: onStorage.optional().describe('Else that of its first disk.'),
    bus: z.enum(buses).optional().describe('VMs: else scsi.'),
    mount: z
      .string()
      .regex(/^\/[^,\s]+$/, 'must be an absolute path')
      .max(512)
      .refine((text) => !/\/\.{1,2}(\/|$)/.test(text), 'must hold no . or ..')
      .optional()
      .describe('Containers: where it is mounted.'),
    backup: z.boolean().default(true).describe('Include it in backups.'),
  },

  async confirm({ guest: ref, ...wish }, context) {
    const { guest } = await inspect(context, ref);
    refuseTemplate(guest);
    const settings = await readSettings(context.pve, guest, context.signal);
    const { key, name } = await plan(context.pve, guest, settings, wish, context.signal);
    const at = wish.mount === undefined ? '' : ` at ${wish.mount}`;
    return {
      message: `Add ${key} of ${wish.size_gib} GiB on ${name}${at} to ${guest.label}.`,
      state: { guest: guest.label, disk: key, storage: name },
    };
  },

  async run({ guest: ref, ...wish }, context) {
    const { pve, signal } = context;
    const { guest, state } = await inspect(context, ref);
    refuseTemplate(guest);
    refuseLocked(guest, state);
    const before = await readSettings(pve, guest, signal);
    const { key, value } = await plan(pve, guest, before, wish, signal);
    const { done, facts, after, notes } = await apply(context, guest, before, { set: { [key]: value }, remove: [] });
    if (!done) return answer(`${guest.label}: ${key} is still being made`, { guest: guest.label, disk: key, ...facts });
    if (guest.kind === 'qemu') notes.push('It is empty: partition, format and mount it inside the VM.');
    return answer(`${guest.label}: ${key} of ${wish.size_gib} GiB added`, {
      guest: guest.label,
      disk: key,
      value: after && effective(after, key),
      restart_needed: (after && waiting(after, [key])) || undefined,
      ...facts,
      notes: noted(notes),
    });
  },
});
