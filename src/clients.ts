import { dirname, join } from 'node:path';
import type { Cluster } from './config/clusters.ts';
import { createHosts, type HostsAround, type Inventory } from './config/inventory.ts';
import type { Loaded } from './config/load.ts';
import type { Failure } from './failure.ts';
import type { HooksOptions } from './hooks/hooks.ts';
import { createPve, type Pve } from './pve/client.ts';
import { readCluster } from './pve/cluster.ts';
import type { PoolOptions } from './ssh/pool.ts';

/** Where a client is to differ from what the settings say. */
export interface PveWishes {
  /** For each call; otherwise PROXMOX_TIMEOUT_S. */
  readonly timeoutMs?: number;
  readonly readOnly: boolean;
  /** Why it cannot be used: the answer of every call. */
  readonly problem?: Failure;
}

/** The API of a cluster as it is described. */
export function pveOf(cluster: Cluster, wishes: PveWishes): Pve {
  const { endpoints, token, fingerprint, ca, protectedGuests, timeoutMs } = cluster;
  const [first = { host: 'unset', port: 8006 }, ...others] = endpoints;
  const common = { token, fingerprint, ca, protectedGuests: new Set(protectedGuests) };
  return createPve({ ...first, others, ...common, ...wishes, timeoutMs: wishes.timeoutMs ?? timeoutMs });
}

/** The same of all clusters, that of the settings first. */
export const pvesOf = (
  { clusters: [main, ...others] }: Loaded,
  wishesOf: (cluster: Cluster) => PveWishes,
): readonly [Pve, ...Pve[]] => [
  pveOf(main, wishesOf(main)),
  ...others.map((cluster) => pveOf(cluster, wishesOf(cluster))),
];

/** How SSH connections are made. */
export const connectionOf = ({ settings, ownKnownHosts }: Loaded): PoolOptions => ({
  knownHosts: [settings.sshKnownHosts],
  ownKnownHosts,
  acceptNew: settings.sshAcceptNew,
  connectTimeoutMs: settings.sshConnectTimeoutS * 1000,
});

/** The hosts that can be named; `pves` are in the order of the clusters. Without a token no cluster is asked for its nodes. */
export function hostsOf(
  loaded: Loaded,
  pves: readonly Pve[],
  ground: Omit<HostsAround, 'nodes' | 'further'>,
): Inventory {
  const nodesOf = (pve: Pve | undefined, { token }: Cluster) => {
    return async () => (pve && token ? (await readCluster(pve)).nodes : []);
  };
  const [main, ...others] = loaded.clusters;
  const further = others.map((cluster, i) => [cluster.name, nodesOf(pves[i + 1], cluster)] as const);
  return createHosts(loaded, { ...ground, nodes: nodesOf(pves[0], main), further: new Map(further) });
}

/** Webhooks as the settings and the inventory file have them; events wait beside the audit file. */
export function hooksOf(
  { settings, webhookCa, clusters }: Loaded,
  { webhooks }: Pick<Inventory, 'webhooks'>,
  {
    version,
    redact,
    warn = () => undefined,
  }: Pick<HooksOptions, 'version' | 'redact'> & { warn?: HooksOptions['tell'] },
): HooksOptions {
  const { webhookUrl, webhookSecret, webhookEvents, webhookHttp, auditFile } = settings;
  return {
    url: webhookUrl,
    secret: webhookSecret,
    events: webhookEvents,
    mainCluster: clusters.length > 1 ? settings.proxmoxCluster : undefined,
    plainHttp: webhookHttp,
    ca: webhookCa,
    ofHosts: webhooks,
    folder: join(dirname(auditFile), 'webhooks'),
    version,
    redact,
    tell: warn,
  };
}
