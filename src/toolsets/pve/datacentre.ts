import { z } from 'zod';
import type { Facts } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { type Cluster, readCluster } from '../../pve/cluster.ts';
import { text } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { type NodeRow, type Resources, readResources, type StorageRow } from '../../pve/resources.ts';
import { orAfter } from '../deadline.ts';
import { count, countBy, duration, percent, tally, usage } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { attentionTo, oncePerStorage } from './attention.ts';
import { readClusterTasks, runningFirst, type TaskRow, taskFacts, verdict } from './tasks.ts';

const STORAGES_SHOWN = 30;
const FAILED_TASKS_SHOWN = 5;
const DAY_S = 86_400;
const VERSION_PATIENCE_MS = 4000;

const nodeShape = z.object({ pveversion: text });

/** `9.2.11`, from `pve-manager/9.2.11/14a22df3`; undefined when the node does not tell at once. */
async function readVersion(pve: Pve, node: string, signal: AbortSignal): Promise<string | undefined> {
  const inTime = orAfter(signal, VERSION_PATIENCE_MS);
  const status = pve.get(path`/nodes/${node}/status`, nodeShape, {}, { signal: inTime });
  return status.then(
    ({ pveversion }) => pveversion?.split('/')[1],
    () => undefined,
  );
}

const nodeFacts = (row: NodeRow, version: string | undefined, running: number): Facts => ({
  node: row.node,
  status: row.status,
  cpu: row.cpu !== undefined && row.maxcpu ? `${percent(row.cpu)} of ${row.maxcpu}` : undefined,
  memory: row.mem === undefined ? undefined : usage(row.mem, row.maxmem),
  root_disk: row.disk === undefined ? undefined : usage(row.disk, row.maxdisk),
  uptime: row.uptime ? duration(row.uptime) : undefined,
  version,
  guests_running: running,
});

const storageFacts = ({ storage, node, shared, status, disk, maxdisk }: StorageRow): Facts => ({
  storage,
  node: shared ? undefined : node,
  shared: shared || undefined,
  used: usage(disk, maxdisk),
  status: status === 'available' ? undefined : status,
});

function guestFacts({ guests }: Resources): Facts {
  const live = guests.filter(({ template }) => !template);
  const states = (kind: 'lxc' | 'qemu') =>
    countBy(
      live.filter((one) => one.kind === kind),
      ({ status }) => status,
    );
  return {
    total: live.length,
    lxc: states('lxc'),
    qemu: states('qemu'),
    templates: guests.length - live.length || undefined,
  };
}

function title(cluster: Cluster | undefined, nodes: readonly NodeRow[]): string {
  const online = nodes.filter(({ status }) => status === 'online').length;
  const up = `${online} of ${count(nodes.length, 'node')} online`;
  if (cluster?.kind === 'standalone') return `Standalone node ${nodes[0]?.node ?? ''}`.trim();
  if (cluster) return `Cluster ${cluster.name}, ${cluster.quorate ? 'quorate' : 'without quorum'}, ${up}`;
  return nodes.length > 1 ? `Cluster, ${up}` : up;
}

const failedSince = (tasks: readonly TaskRow[], epochSeconds: number): TaskRow[] =>
  tasks.filter((task) => verdict(task.status) === 'failed' && (task.starttime ?? 0) >= epochSeconds);

/** The whole datacentre as it was seen at one moment. */
export interface Seen {
  /** A sentence that stands alone. */
  readonly headline: string;
  readonly facts: Facts;
  readonly guests: readonly Guest[];
  /** The newest tasks of all nodes, as far as they could be read. */
  readonly tasks: readonly TaskRow[];
}

/** Looks at nodes, guests, storages and recent tasks; what cannot be read is noted in the facts. */
export async function seeDatacentre({ pve, signal }: Pick<ToolContext, 'pve' | 'signal'>): Promise<Seen> {
  const notes: string[] = [];
  const [resources, whole, tasks] = await Promise.all([
    readResources(pve, { signal }),
    attempt(readCluster(pve, { signal }), notes, 'Whether this is a cluster'),
    attempt(readClusterTasks(pve, signal), notes, 'Recent tasks'),
  ]);
  const { nodes, guests } = resources;
  const cluster = whole?.cluster;
  const online = (row: NodeRow) => row.status === 'online';
  const versions = await Promise.all(
    nodes.map((row) => (online(row) ? readVersion(pve, row.node, signal) : undefined)),
  );
  const running = countBy(
    guests.filter(({ status }) => status === 'running'),
    ({ node }) => node,
  );
  const up = new Set(nodes.filter(online).map(({ node }) => node));
  const storages = oncePerStorage(resources.storages.filter(({ node }) => up.has(node)));
  const failed = runningFirst(failedSince(tasks ?? [], Date.now() / 1000 - DAY_S));
  const attention = attentionTo(resources, cluster, failed.length);
  const live = guests.filter(({ template }) => !template);
  const states = live.length > 0 ? `: ${tally(countBy(live, ({ status }) => status))}` : '';
  const alerts = attention.length > 0 ? `${count(attention.length, 'thing')} to look at` : 'nothing needs attention';
  const headline = `${title(cluster, nodes)}; ${count(live.length, 'guest')}${states}; ${alerts}`;
  const facts = {
    kind: cluster?.kind,
    cluster: cluster?.kind === 'cluster' ? { name: cluster.name, quorate: cluster.quorate } : undefined,
    attention,
    nodes: nodes.map((row, i) => nodeFacts(row, versions[i], running[row.node] ?? 0)),
    guests: guestFacts(resources),
    storages: storages.slice(0, STORAGES_SHOWN).map(storageFacts),
    storages_not_shown: Math.max(0, storages.length - STORAGES_SHOWN) || undefined,
    failed_tasks: failed.length > 0 ? failed.slice(0, FAILED_TASKS_SHOWN).map(taskFacts) : undefined,
    notes: noted(notes),
  };
  return { headline, facts, guests, tasks: tasks ?? [] };
}
