import { createHosts, type Inventory } from '../config/inventory.ts';
import type { Loaded } from '../config/load.ts';
import { createPve, type Pve } from '../pve/client.ts';
import { readCluster } from '../pve/cluster.ts';
import type { PoolOptions } from '../ssh/pool.ts';
import { ground } from './surroundings.ts';

/** The API as the settings describe it, for a human who waits: `timeoutMs` for each call. */
export const apiOf = ({ settings, token, ca }: Loaded, timeoutMs: number): Pve =>
  createPve({
    host: settings.proxmoxHost ?? 'unset',
    port: settings.proxmoxPort,
    token,
    fingerprint: settings.proxmoxFingerprint,
    ca,
    timeoutMs,
    readOnly: true,
  });

/** The hosts that can be named. Without a token the cluster is not asked for its nodes. */
export const hostsOf = (loaded: Loaded, pve: Pve): Inventory =>
  createHosts(loaded, { ...ground(), nodes: async () => (loaded.token ? (await readCluster(pve)).nodes : []) });

/** How SSH connections are made. */
export const connectionOf = ({ settings, ownKnownHosts }: Loaded): PoolOptions => ({
  knownHosts: [settings.sshKnownHosts],
  ownKnownHosts,
  acceptNew: settings.sshAcceptNew,
  connectTimeoutMs: settings.sshConnectTimeoutS * 1000,
});
