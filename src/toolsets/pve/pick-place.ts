import { Failure } from '../../failure.ts';
import type { NodeRow, Resources, StorageRow } from '../../pve/resources.ts';
import { bytes } from '../format.ts';

const freeMemory = ({ mem = 0, maxmem = 0 }: NodeRow): number => maxmem - mem;
const freeSpace = ({ disk = 0, maxdisk = 0 }: StorageRow): number => maxdisk - disk;

/** The available storages of a node that may hold `content`, most free space first. */
export const storagesOf = ({ storages }: Resources, node: string, content: string): StorageRow[] =>
  storages
    .filter((row) => row.node === node && row.status === 'available' && row.content.includes(content))
    .sort((a, b) => freeSpace(b) - freeSpace(a));

/** The storage of that name, or the one with the most free space, that may hold `content` on the node. */
export function pickStorage(all: Resources, node: string, content: string, wanted?: string): StorageRow {
  const fit = storagesOf(all, node, content);
  const picked = wanted === undefined ? fit[0] : fit.find(({ storage }) => storage === wanted);
  if (picked) return picked;
  const candidates = fit.map((row) => `${row.storage} (${bytes(Math.max(0, freeSpace(row)))} free)`);
  throw new Failure(
    'not-found',
    wanted === undefined
      ? `No storage of ${node} that this token may see can hold ${content} now.`
      : `Storage "${wanted}" cannot hold ${content} on ${node}: it is not there, not available, or not made for that.`,
    candidates.length > 0 ? `Those that can: ${candidates.join(', ')}.` : 'pve_storage_list tells what there is.',
    { facts: { candidates: fit.map(({ storage }) => storage) } },
  );
}

/** Whether the node has a storage for `content`, the asked one when one is asked for; and how that is said. */
export const roomOn = (all: Resources, content: string, wanted?: string) => ({
  called: wanted === undefined ? 'a storage for the disk' : `storage ${wanted} for the disk`,
  on: (node: string): boolean =>
    storagesOf(all, node, content).some(({ storage }) => wanted === undefined || storage === wanted),
});

/** What a node must have to be picked. */
export interface NodeWish {
  /** Asked for by name. */
  readonly node?: string;
  /** A sentence's end: `has …`. */
  readonly that: string;
  readonly fits: (node: string) => boolean;
}

/** The online node that is asked for, or that fits and has the most free memory. */
export function pickNode({ nodes }: Resources, { node, that, fits }: NodeWish): string {
  if (node !== undefined) {
    const known = nodes.find((row) => row.node === node);
    const names = nodes.map((row) => row.node);
    if (known === undefined) {
      throw new Failure('not-found', `There is no node "${node}".`, `The nodes are: ${names.join(', ')}.`, {
        facts: { candidates: names },
      });
    }
    if (known.status !== 'online') {
      throw new Failure(
        'conflict',
        `Node ${node} is ${known.status}.`,
        'Choose another node, or none to have one chosen.',
      );
    }
  }
  const online = nodes.filter((row) => row.status === 'online' && (node === undefined || row.node === node));
  const [best] = online.filter((row) => fits(row.node)).sort((a, b) => freeMemory(b) - freeMemory(a));
  if (best) return best.node;
  throw new Failure(
    'not-found',
    node === undefined ? `No online node ${that}.` : `Node ${node} has not what it needs: it must be one that ${that}.`,
    'pve_storage_list tells which storages each node has, and what they may hold.',
  );
}
