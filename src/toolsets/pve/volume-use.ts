import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import { isDiskKey } from './disks.ts';
import { readSnapshots } from './snapshots.ts';
import { ownersOf, type Volume } from './volumes.ts';

const shape = z.record(z.string(), z.unknown());

/** A guest whose configuration names a volume, and the key that does. */
export interface Use {
  readonly guest: Guest;
  readonly key: string;
}

/** The first key of a configuration that names the volume: `rootfs`, `scsi0`, `ide2`, `vmstate`, … */
const keyOf = (config: Readonly<Record<string, unknown>>, volid: string): string | undefined =>
  Object.entries(config).find(([, value]) => String(value).split(/[,=]/).includes(volid))?.[0];

/** What the guest starts with next, what it runs with now, and what its snapshots hold. */
async function useBy({ pve, signal }: ToolContext, guest: Guest, volid: string, deep: boolean): Promise<Use[]> {
  const { node, kind, vmid } = guest;
  const at = path`/nodes/${node}/${kind}/${vmid}/config`;
  const names = deep ? (await readSnapshots(pve, guest, signal)).map(({ name }) => name) : [];
  const asked = [{}, { current: true }, ...names.map((snapshot) => ({ snapshot }))];
  const configs = await Promise.all(asked.map((params) => pve.get(at, shape, params, { signal })));
  for (const [i, config] of configs.entries()) {
    const key = keyOf(config, volid);
    if (key !== undefined) return [{ guest, key: i < 2 ? key : `${key} of snapshot ${names[i - 2]}` }];
  }
  return [];
}

/** More guests than this are not asked one by one. */
const MOST_ASKED = 1000;

/** What has to be known of a volume to find who uses it; without `content` only guests that its id names are asked. */
type Sought = Pick<Volume, 'volid' | 'nodes'> & Partial<Pick<Volume, 'vmid' | 'content'>>;

/**
 * The guests that may use it: of a disk those that its id names and, since a disk may be attached to another guest, all
 * where the storage is; of an ISO image every VM there, of a snippet (hookscript, cicustom) every guest there.
 */
function suspects(guests: readonly Guest[], owners: readonly number[], { content = '', nodes }: Sought): Guest[] {
  const kinds =
    content === 'iso' ? ['qemu'] : ['images', 'rootdir', 'snippets'].includes(content) ? ['qemu', 'lxc'] : [];
  return guests.filter(
    ({ vmid, kind, node }) => owners.includes(vmid) || (kinds.includes(kind) && nodes.includes(node)),
  );
}

/** Who uses the volume. Every guest that may has to be readable: otherwise nobody can say that none does. */
export async function usesOf(context: ToolContext, volume: Sought): Promise<readonly Use[]> {
  const owners = [...ownersOf(volume.volid), ...(volume.vmid === undefined ? [] : [volume.vmid])];
  const found = suspects(await listGuests(context.pve, { signal: context.signal }), owners, volume);
  if (found.length > MOST_ASKED) {
    throw new Failure(
      'refused',
      `${found.length} guests may use ${volume.volid}, too many to look at each.`,
      'Delete it in the web interface, when it is known that none does.',
    );
  }
  const uses: Use[] = [];
  for (let i = 0; i < found.length; i += 4) {
    const some = found.slice(i, i + 4).map((guest) => useBy(context, guest, volume.volid, owners.includes(guest.vmid)));
    uses.push(...(await Promise.all(some)).flat());
  }
  return uses;
}

/** Refuses, as a `conflict`, to attach a volume that another guest has: two that write to one disk destroy what is on it. */
export async function refuseTaken(
  context: ToolContext,
  { kind, vmid }: Guest,
  set: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [key, value] of Object.entries(set)) {
    const volid = /^(?:(?:file|volume)=)?([A-Za-z][\w.-]*:[^,]+)/.exec(value)?.[1] ?? '';
    const owners = ownersOf(volid);
    if (!isDiskKey(kind, key) || owners.length === 0 || owners.includes(vmid)) continue;
    const uses = await usesOf(context, { volid, nodes: [] });
    const [taken] = uses.filter((use) => use.guest.vmid !== vmid);
    if (taken === undefined) continue;
    throw new Failure(
      'conflict',
      `${volid} is a disk of ${taken.guest.label} (${taken.key}). Nothing was done.`,
      'Detach it there first (pve_disk_remove), or clone that guest.',
    );
  }
}
