import type { Cluster } from '../../pve/cluster.ts';
import type { Resources, StorageRow } from '../../pve/resources.ts';
import { bytes, count, percent } from '../format.ts';

const FULL = 0.85;
const LOCKED_SHOWN = 10;

type Space = { readonly disk?: number; readonly maxdisk?: number };
const filled = ({ disk = 0, maxdisk = 0 }: Space): number => (maxdisk > 0 ? disk / maxdisk : 0);
const fullness = (row: Space): string =>
  `${percent(filled(row))} full, ${bytes(Math.max(0, (row.maxdisk ?? 0) - (row.disk ?? 0)))} free`;

/** A shared storage once, as the first node that has it sees it; fullest first. */
export function oncePerStorage(rows: readonly StorageRow[]): StorageRow[] {
  const seen = new Map<string, StorageRow>();
  for (const row of rows) {
    const key = row.shared && row.status === 'available' ? row.storage : `${row.storage} ${row.node}`;
    if (!seen.has(key)) seen.set(key, row);
  }
  return [...seen.values()].sort((a, b) => filled(b) - filled(a));
}

/** What an operator should look at, a sentence each, worst first; empty when all is well. */
export function attentionTo(all: Resources, cluster: Cluster | undefined, failedTasks: number): string[] {
  const lost = cluster?.kind === 'cluster' && !cluster.quorate;
  const away = all.nodes.filter(({ status }) => status !== 'online');
  return [
    ...(lost ? ['The cluster has no quorum: nothing can be changed until most of its nodes are back.'] : []),
    ...away.map(({ node, status }) => `Node ${node} is ${status}.`),
    ...all.nodes.filter((row) => filled(row) > FULL).map((row) => `The root disk of ${row.node} is ${fullness(row)}.`),
    ...storageSentences(all.storages, new Set(away.map(({ node }) => node))),
    ...lockedSentences(all),
    ...(failedTasks > 0 ? [`${count(failedTasks, 'task')} failed in the last 24 hours.`] : []),
    ...(blind(all)
      ? ['The token sees no guest, storage or load: it has no privileges. server_status tells the cure.']
      : []),
  ];
}

function storageSentences(rows: readonly StorageRow[], away: ReadonlySet<string>): string[] {
  const where = (row: StorageRow) => `Storage ${row.storage}${row.shared ? '' : ` on ${row.node}`}`;
  return oncePerStorage(rows)
    .filter((row) => !away.has(row.node))
    .flatMap((row) => {
      if (row.status !== 'available') return [`Storage ${row.storage} is not available on ${row.node}.`];
      return filled(row) > FULL ? [`${where(row)} is ${fullness(row)}.`] : [];
    });
}

function lockedSentences({ guests }: Resources): string[] {
  const locked = guests.filter(({ lock }) => lock !== undefined);
  const shown = locked.slice(0, LOCKED_SHOWN).map(({ label, lock }) => `${label} is locked: ${lock}.`);
  const more = locked.length - shown.length;
  return more > 0 ? [...shown, `${count(more, 'more guest')} locked.`] : shown;
}

/** A token without privileges is not refused: it is shown bare nodes and nothing else. */
const blind = ({ guests, storages, nodes }: Resources): boolean =>
  guests.length === 0 && storages.length === 0 && nodes.every(({ maxmem }) => maxmem === undefined);
