import { type Facts, remote } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { findGuest, type Guest, listGuests } from '../../pve/guests.ts';
import { bytes, iso } from '../format.ts';
import { attempt } from './attempt.ts';
import type { Volume } from './volumes.ts';

/** The name of each guest there is, by its VMID; a backup may outlive its guest. */
export async function namesOfGuests(
  pve: Pve,
  signal: AbortSignal,
  notes: string[],
): Promise<ReadonlyMap<number, string>> {
  const guests = await attempt(listGuests(pve, { signal }), notes, 'The names of the guests');
  return new Map((guests ?? []).map(({ vmid, name }) => [vmid, name]));
}

/** Digits are taken as they are, because a guest that was deleted has volumes too; a name has to be one of a guest. */
export async function vmidOf(pve: Pve, ref: number | string, signal: AbortSignal): Promise<number> {
  return /^\d+$/.test(String(ref)) ? Number(ref) : (await findGuest(pve, ref, { signal })).vmid;
}

/** `lxc` or `qemu`, as the backup says itself or its id does. */
export function kindOf({ subtype, volid }: Pick<Volume, 'subtype' | 'volid'>): Guest['kind'] | undefined {
  if (subtype === 'lxc' || subtype === 'qemu') return subtype;
  if (/vzdump-lxc-|backup\/ct\//.test(volid)) return 'lxc';
  return /vzdump-qemu-|backup\/vm\//.test(volid) ? 'qemu' : undefined;
}

/** Newest first. */
export const newestFirst = (volumes: readonly Volume[]): Volume[] =>
  [...volumes].sort((a, b) => (b.ctime ?? 0) - (a.ctime ?? 0));

/** One backup in an answer. Its notes are whatever somebody wrote. */
export function backupFacts(backup: Volume, names: ReadonlyMap<number, string>): Facts {
  const { volid, vmid, ctime, size, storage, nodes, notes, encrypted, verification } = backup;
  return {
    backup: volid,
    vmid,
    guest: vmid === undefined ? undefined : (names.get(vmid) ?? 'no guest of that id now'),
    kind: kindOf(backup),
    taken: ctime === undefined ? undefined : iso(ctime),
    size: size === undefined ? undefined : bytes(size),
    storage,
    node: nodes.length === 1 ? nodes[0] : undefined,
    protected: backup.protected || undefined,
    verified: verification?.state,
    encrypted: encrypted === undefined ? undefined : true,
    notes: notes?.trim() ? remote(notes.trim()) : undefined,
  };
}
