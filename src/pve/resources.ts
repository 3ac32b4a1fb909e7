import type { Pve, PveCallOptions } from './client.ts';
import { type Guest, guestsOf } from './guests.ts';
import { type ResourceRow, readRows, words } from './rows.ts';

/** A cluster member. An offline one has no `cpu`, `mem`, `disk`, `uptime`; nor has one the token may not audit. */
export interface NodeRow {
  readonly node: string;
  /** `online`, `offline` or `unknown`. */
  readonly status: string;
  /** Share of all cores in use, 0 to 1. */
  readonly cpu?: number;
  readonly maxcpu?: number;
  /** Bytes, as all of mem, maxmem, disk and maxdisk. */
  readonly mem?: number;
  readonly maxmem?: number;
  readonly disk?: number;
  readonly maxdisk?: number;
  /** Seconds. */
  readonly uptime?: number;
}

/** A storage as one node sees it; a shared one has a row for each node. */
export interface StorageRow {
  readonly storage: string;
  readonly node: string;
  /** `available` or `unknown`. */
  readonly status: string;
  /** `dir`, `lvmthin`, `zfspool`, `nfs`, `pbs`, … */
  readonly plugin?: string;
  /** `images`, `rootdir`, `iso`, `vztmpl`, `backup`, … */
  readonly content: readonly string[];
  readonly shared: boolean;
  /** Bytes. */
  readonly disk?: number;
  readonly maxdisk?: number;
}

export interface Resources {
  readonly guests: readonly Guest[];
  readonly nodes: readonly NodeRow[];
  readonly storages: readonly StorageRow[];
}

/** Guests, nodes and storages of the whole cluster by one GET /cluster/resources, each sorted by id or name. */
export async function readResources(pve: Pve, options?: PveCallOptions): Promise<Resources> {
  const rows = await readRows(pve, {}, options);
  return {
    guests: guestsOf(rows),
    nodes: rows.flatMap(nodeOf).sort((a, b) => a.node.localeCompare(b.node)),
    storages: rows
      .flatMap(storageOf)
      .sort((a, b) => a.storage.localeCompare(b.storage) || a.node.localeCompare(b.node)),
  };
}

function nodeOf(row: ResourceRow): NodeRow[] {
  if (row.type !== 'node' || row.node === undefined) return [];
  const { node, status = 'unknown', cpu, maxcpu, mem, maxmem, disk, maxdisk, uptime } = row;
  return [{ node, status, cpu, maxcpu, mem, maxmem, disk, maxdisk, uptime }];
}

function storageOf(row: ResourceRow): StorageRow[] {
  if (row.type !== 'storage' || row.storage === undefined || row.node === undefined) return [];
  const { storage, node, status = 'unknown', plugintype, content = '', shared = false, disk, maxdisk } = row;
  return [{ storage, node, status, plugin: plugintype, content: words(content), shared, disk, maxdisk }];
}
