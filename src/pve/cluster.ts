import { z } from 'zod';
import type { Pve, PveCallOptions } from './client.ts';
import { path } from './path.ts';

/** A member of the cluster, or the one node of a standalone host. */
export interface ClusterNode {
  readonly name: string;
  /** Where the other members reach it; absent when the cluster does not tell. */
  readonly address?: string;
  /** Whether it is the one that answered. */
  readonly local: boolean;
  readonly online: boolean;
}

const flag = z.coerce.number().catch(0).transform(Boolean);
const row = z.object({ type: z.string(), name: z.string(), ip: z.string().optional(), local: flag, online: flag });

/** The nodes by GET /cluster/status, which a standalone host answers too, with itself alone; sorted by name. */
export async function clusterNodes(pve: Pve, options?: PveCallOptions): Promise<ClusterNode[]> {
  const rows = await pve.get(path`/cluster/status`, z.array(row), {}, options);
  return rows
    .filter(({ type }) => type === 'node')
    .map(({ name, ip, local, online }) => ({ name, address: ip, local, online }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
