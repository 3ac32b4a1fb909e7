import { dirname, join } from 'node:path';
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

/** The API as the settings describe it. */
export function pveOf({ settings, token, ca }: Loaded, wishes: PveWishes): Pve {
  const [first, ...others] = endpointsOf(settings);
  return createPve({
    ...(first ?? { host: 'unset', port: settings.proxmoxPort }),
    others,
    token,
    fingerprint: settings.proxmoxFingerprint,
    ca,
    protectedGuests: new Set(settings.protectedGuests),
    ...wishes,
    timeoutMs: wishes.timeoutMs ?? settings.proxmoxTimeoutS * 1000,
  });
}

/** Every endpoint of PROXMOX_HOST with its port. */
export const endpointsOf = ({ proxmoxHost = [], proxmoxPort }: Loaded['settings']) =>
  proxmoxHost.map(({ host, port = proxmoxPort }) => ({ host, port }));

/** How SSH connections are made. */
export const connectionOf = ({ settings, ownKnownHosts }: Loaded): PoolOptions => ({
  knownHosts: [settings.sshKnownHosts],
  ownKnownHosts,
  acceptNew: settings.sshAcceptNew,
  connectTimeoutMs: settings.sshConnectTimeoutS * 1000,
});

/** The hosts that can be named. Without a token the cluster is not asked for its nodes. */
export const hostsOf = (loaded: Loaded, pve: Pve, ground: Omit<HostsAround, 'nodes'>): Inventory =>
  createHosts(loaded, { ...ground, nodes: async () => (loaded.token ? (await readCluster(pve)).nodes : []) });

/** Webhooks as the settings and the inventory file have them; events wait beside the audit file. */
export function hooksOf(
  { settings, webhookCa }: Loaded,
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
    plainHttp: webhookHttp,
    ca: webhookCa,
    ofHosts: webhooks,
    folder: join(dirname(auditFile), 'webhooks'),
    version,
    redact,
    tell: warn,
  };
}
