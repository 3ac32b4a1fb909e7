import { z } from 'zod';
import type { Facts } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { num } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { isHidden, shown } from './settings.ts';

const value = z.union([z.string(), z.number()]);

/** The keys that decide what a guest is and has; not identities (vmgenid, smbios1), not keys or passwords. */
const telling =
  /^(arch|args|balloon|bios|boot|cores|cpu|cpulimit|cpuunits|features|hookscript|machine|memory|nameserver|onboot|ostype|protection|rootfs|scsihw|searchdomain|sockets|startup|swap|tags|unprivileged|vga|agent|(dev|efidisk|hostpci|ide|ipconfig|mp|net|sata|scsi|serial|tpmstate|unused|usb|virtio|virtiofs)\d+)$/;

export interface GuestConfig {
  /** By Proxmox VE's own names, sorted. */
  readonly settings: Facts;
  /** Free text; whoever may edit the guest wrote it. */
  readonly description?: string;
}

/** The configuration that the next start uses, cut down to what decides. */
export async function readConfig(pve: Pve, { node, kind, vmid }: Guest, signal: AbortSignal): Promise<GuestConfig> {
  const shape = z.record(z.string(), z.unknown());
  const config = await pve.get(path`/nodes/${node}/${kind}/${vmid}/config`, shape, {}, { signal });
  const settings = Object.entries(config).flatMap(([key, raw]) => {
    const parsed = value.safeParse(raw);
    return telling.test(key) && parsed.success ? [[key, parsed.data] as const] : [];
  });
  const { description } = config;
  return {
    settings: Object.fromEntries(settings.sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(typeof description === 'string' && { description: description.trimEnd() }),
  };
}

/** `delete` is 2 where the volume goes with it. */
const pendingShape = z.array(
  z.object({ key: z.string(), value: value.optional(), pending: value.optional(), delete: num }),
);

/** Settings that were changed and wait for the guest's next start: each with what is in force and what will be. */
export async function readPending(pve: Pve, { node, kind, vmid }: Guest, signal: AbortSignal): Promise<Facts[]> {
  const rows = await pve.get(path`/nodes/${node}/${kind}/${vmid}/pending`, pendingShape, {}, { signal });
  return rows
    .filter((row) => row.pending !== undefined || row.delete)
    .map((row) => {
      if (isHidden(row.key)) return { setting: row.key, after_restart: 'changed' };
      const next = row.delete ? 'removed' : shown(row.key, row.pending);
      return { setting: row.key, now: shown(row.key, row.value), after_restart: next };
    });
}
