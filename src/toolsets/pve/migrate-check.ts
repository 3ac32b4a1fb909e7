import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { findPath } from '../../pve/apipath.ts';
import { flag, num } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import type { Resources } from '../../pve/resources.ts';
import { bytes, count } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import { type Disk, disksOf, sizeInBytes } from './disks.ts';
import { storagesOf } from './pick-place.ts';
import { parseParts } from './property-string.ts';
import type { Settings } from './settings.ts';

const conflict = (message: string, hint: string): Failure => new Failure('conflict', message, hint);

const strings = z.array(z.string()).optional().catch(undefined);
const hindrances = z
  .record(
    z.string(),
    z.object({
      unavailable_storages: strings,
      'unavailable-resources': strings,
      'blocking-ha-resources': z
        .array(z.object({ sid: z.string() }))
        .optional()
        .catch(undefined),
    }),
  )
  .optional()
  .catch(undefined);

const shape = z.object({
  local_disks: z
    .array(z.object({ volid: z.string(), size: num, cdrom: flag }))
    .optional()
    .catch(undefined),
  local_resources: strings,
  not_allowed_nodes: hindrances,
  'not-allowed-nodes': hindrances,
});

/** What Proxmox VE itself says beforehand; nothing of a container on PVE 8, which has no such call. */
type Told = z.infer<typeof shape>;

/** GET migrate: for a VM always, for a container where the server's schema has it (PVE 9) and can be read. */
export async function askServer({ pve, schema, signal }: ToolContext, { node, kind, vmid }: Guest): Promise<Told> {
  const at = path`/nodes/${node}/${kind}/${vmid}/migrate`;
  if (kind === 'lxc') {
    const known = await schema().catch(() => undefined);
    if (!known || !findPath(known, at).methods.some(({ method }) => method === 'GET')) return {};
  }
  return pve.get(at, shape, {}, { signal });
}

/** The node to go to: there, online, and another one. */
export function checkNode({ nodes }: Resources, guest: Guest, to: string): void {
  const names = nodes.map(({ node }) => node).filter((node) => node !== guest.node);
  const others = names.length > 0 ? `It can go to: ${names.join(', ')}.` : 'There is no other node.';
  const row = nodes.find(({ node }) => node === to);
  if (row === undefined) {
    throw new Failure('not-found', `There is no node "${to}".`, others, { facts: { candidates: names } });
  }
  if (to === guest.node) throw conflict(`${guest.label} is there already.`, others);
  if (row.status !== 'online') throw conflict(`Node ${to} is ${row.status}.`, 'Bring it back, or choose another node.');
}

/** Each storage that the guest's disks will be on has to be available on the other node. */
function checkStorages(all: Resources, guest: Guest, to: string, disks: readonly Disk[], storage?: string): void {
  const content = guest.kind === 'lxc' ? 'rootdir' : 'images';
  const fits = storagesOf(all, to, content).map((row) => row.storage);
  const needed = storage === undefined ? disks.flatMap((disk) => (disk.cdrom ? [] : (disk.storage ?? []))) : [storage];
  const known = new Set(all.storages.map((row) => row.storage));
  // A storage that the token may not see is left to Proxmox VE.
  const absent = needed.find((name) => !fits.includes(name) && (storage !== undefined || known.has(name)));
  if (absent === undefined) return;
  throw conflict(
    `Node ${to} has no storage ${absent} that can hold ${content}.`,
    fits.length > 0 ? `Give storage, one of: ${fits.join(', ')}.` : 'Choose another node.',
  );
}

/** Folders and devices of the node that a container has mounted, unless they are said to be everywhere. */
function checkBinds(guest: Guest, disks: readonly Disk[]): void {
  const bind = disks.find(({ value }) => value.startsWith('/') && parseParts(value).get('shared') !== '1');
  if (guest.kind === 'qemu' || bind === undefined) return;
  throw conflict(
    `${guest.label} has ${bind.value.split(',')[0]} of its node mounted (${bind.key}): it cannot go without it.`,
    `Detach ${bind.key} with pve_disk_remove, or mark it shared=1 when the other node has the same folder.`,
  );
}

function checkTold(guest: Guest, to: string, told: Told): void {
  const [resource] = told.local_resources ?? [];
  if (resource !== undefined) {
    throw conflict(
      `${guest.label} uses a device of its node (${(told.local_resources ?? []).join(', ')}): it cannot go without it.`,
      'Take the device away with pve_guest_configure, or map it for both nodes.',
    );
  }
  const cdrom = told.local_disks?.find((disk) => disk.cdrom && !/-cloudinit\b/.test(disk.volid));
  if (cdrom) {
    throw conflict(
      `${guest.label} has the CD ${cdrom.volid} of its node inserted.`,
      'Eject it: pve_guest_configure with set, such as ide2 and none,media=cdrom.',
    );
  }
  const why = told.not_allowed_nodes?.[to] ?? told['not-allowed-nodes']?.[to];
  const reasons = [
    ...(why?.unavailable_storages ?? []).map((name) => `storage ${name} is not there`),
    ...(why?.['unavailable-resources'] ?? []).map((name) => `${name} is not mapped there`),
    ...(why?.['blocking-ha-resources'] ?? []).map(({ sid }) => `HA keeps it apart from ${sid}`),
  ];
  if (reasons.length > 0) {
    throw conflict(
      `${guest.label} cannot go to ${to}: ${reasons.join('; ')}.`,
      'Choose another node, or change that first.',
    );
  }
}

interface Wish {
  readonly to: string;
  readonly storage?: string;
  /** Whether a running container may be stopped and started for it. */
  readonly restart: boolean;
}

/** The volumes that have to be copied, because the other node does not reach them where they are. */
export interface Way {
  readonly copies: number;
  /** Bytes of them in all, as far as their sizes are known. */
  readonly copied: number;
}

/** What will have to be copied, when nothing stands in the way; a `conflict` Failure says what does. */
export function checkWay(
  guest: Guest,
  running: boolean,
  { resources, settings, told }: { readonly resources: Resources; readonly settings: Settings; readonly told: Told },
  { to, storage, restart }: Wish,
): Way {
  const disks = disksOf(guest.kind, settings);
  checkTold(guest, to, told);
  checkBinds(guest, disks);
  checkStorages(resources, guest, to, disks, storage);
  if (guest.kind === 'lxc' && running && !restart) {
    throw conflict(
      `${guest.label} is running, and a running container can only be stopped, moved and started again.`,
      'Call with restart: true when that is wanted, or shut it down first.',
    );
  }
  const shared = new Set(resources.storages.filter((row) => row.shared).map((row) => row.storage));
  const stays = (name: string): boolean => shared.has(name) && (storage === undefined || storage === name);
  const local = disks.filter((disk) => disk.storage !== undefined && !disk.cdrom && !stays(disk.storage));
  return { copies: local.length, copied: local.reduce((sum, disk) => sum + (sizeInBytes(disk.size) ?? 0), 0) };
}

/** `2 volumes (96 GiB)`; undefined when nothing has to be copied. */
export const copyOf = ({ copies, copied }: Way): string | undefined =>
  copies === 0 ? undefined : `${count(copies, 'volume')} (${bytes(copied)})`;
