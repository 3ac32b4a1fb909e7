import { z } from 'zod';
import type { Pve, PveCallOptions } from './client.ts';
import { flag, text } from './fields.ts';
import { path } from './path.ts';

/** A member of the cluster, or the one node of a standalone host. */
export interface ClusterNode {
  readonly name: string;
  /** Where the other members reach it; absent when the cluster does not tell. */
  readonly address?: string;
  /** Whether it is the one that answered. */
  readonly local: boolean;
}

/** A node that never joined a cluster is `standalone`, which is not a fault. */
export type Cluster =
  | { readonly kind: 'cluster'; readonly name: string; readonly quorate: boolean }
  | { readonly kind: 'standalone' };

const statusShape = z.array(z.object({ type: z.string(), name: z.string(), ip: text, local: flag, quorate: flag }));

/** The cluster and its nodes, sorted by name, by GET /cluster/status; a standalone host answers with itself alone. */
export async function readCluster(
  pve: Pve,
  options?: PveCallOptions,
): Promise<{ readonly cluster: Cluster; readonly nodes: readonly ClusterNode[] }> {
  const rows = await pve.get(path`/cluster/status`, statusShape, {}, options);
  const cluster = rows.find(({ type }) => type === 'cluster');
  const nodes = rows
    .filter(({ type }) => type === 'node')
    .map(({ name, ip, local }) => ({ name, address: ip, local: local ?? false }))
    .sort((a, b) => a.name.localeCompare(b.name));
  return {
    cluster: cluster
      ? { kind: 'cluster', name: cluster.name, quorate: cluster.quorate ?? false }
      : { kind: 'standalone' },
    nodes,
  };
}
