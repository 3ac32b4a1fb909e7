import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { parseParts } from './property-string.ts';
import { effectiveAll, type Settings } from './settings.ts';
import { ownersOf } from './volumes.ts';

const keys = {
  lxc: /^(rootfs|(mp|unused)\d+)$/,
  qemu: /^(ide|sata|scsi|virtio|efidisk|tpmstate|unused)\d+$/,
} as const;

/** Whether a key of such a guest's configuration is a disk, or a volume that is no disk any more. */
export const isDiskKey = (kind: Guest['kind'], key: string): boolean => keys[kind].test(key);

/** A disk as a guest's configuration has it. */
export interface Disk {
  /** `scsi0`, `rootfs`, `mp1`, `unused0`. */
  readonly key: string;
  /** The whole value. */
  readonly value: string;
  /** `local-lvm:vm-400-disk-0`; absent when it is a folder or device of the node, or an empty drive. */
  readonly volume?: string;
  readonly storage?: string;
  /** As it is written: `32G`. */
  readonly size?: string;
  readonly cdrom: boolean;
}

function diskOf(key: string, value: string): Disk {
  const parts = parseParts(value);
  const source = parts.get('') ?? parts.get('file') ?? parts.get('volume') ?? '';
  const [, storage] = /^([A-Za-z][\w.-]*):./.exec(source) ?? [];
  const cdrom = parts.get('media') === 'cdrom';
  return { key, value, cdrom, size: parts.get('size'), ...(storage === undefined ? {} : { volume: source, storage }) };
}

/** Every disk of the guest as its next start finds them. */
export const disksOf = (kind: Guest['kind'], settings: Settings): Disk[] =>
  [...effectiveAll(settings)].filter(([key]) => isDiskKey(kind, key)).map(([key, value]) => diskOf(key, value));

/** The disk of that key; a `not-found` Failure with those there are. */
export function pickDisk(guest: Guest, settings: Settings, key: string): Disk {
  const disks = disksOf(guest.kind, settings);
  const disk = disks.find((one) => one.key === key);
  if (disk !== undefined) return disk;
  const names = disks.map((one) => one.key).sort();
  throw new Failure('not-found', `${guest.label} has no disk "${key}".`, `It has: ${names.join(', ') || 'none'}.`, {
    facts: { candidates: names },
  });
}

/** Whether the name of its volume says that it is another guest's: Proxmox VE detaches it, and frees it by a move only. */
export const isForeign = ({ vmid }: Guest, { volume = '' }: Disk): boolean => {
  const owners = ownersOf(volume);
  return owners.length > 0 && !owners.includes(vmid);
};

/**
 * Refuses, as a `conflict`, a disk whose volume the next start replaces: what is shown is the one that waits, and what
 * Proxmox VE resizes, moves or destroys is the one in force (qemu-server, PVE/API2/Qemu.pm).
 */
export function refuseWaiting(guest: Guest, { keys: all }: Settings, key: string): void {
  const { now, waits } = all.get(key) ?? {};
  if (now === undefined || typeof waits !== 'string') return;
  const [old, next] = [diskOf(key, now).volume, diskOf(key, waits).volume];
  if (old === next) return;
  throw new Failure(
    'conflict',
    `${key} of ${guest.label} is ${old ?? now} now and ${next ?? waits} after the next restart. Nothing was done.`,
    'Restart the guest first, or revert the pending change in the web interface (Hardware > Revert).',
  );
}

/** `scsi0 (local-lvm:vm-200-disk-0, 32G)`. */
export const diskLabel = ({ key, volume, value, size }: Disk): string =>
  `${key} (${[volume ?? value.split(',')[0], size].filter((part) => part !== undefined).join(', ')})`;

const units: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Bytes of a size as Proxmox VE writes it: `512M`, `32G`, a plain number of bytes; undefined for anything else. */
export function sizeInBytes(text: string | undefined): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text ?? '') ?? [];
  return number === undefined ? undefined : Number(number) * (unit ? (units[unit] ?? 1) : 1);
}
