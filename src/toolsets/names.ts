import type { Pve } from '../pve/client.ts';
import { guestsOf } from '../pve/guests.ts';
import { readRows } from '../pve/rows.ts';
import type { Hosts } from './tool.ts';

/** What there is to be named, as far as the datacentre and the inventory told within 2 s. */
export interface Names {
  /** Sorted by VMID; `ref` is the VMID, and `400@attic` where there are several clusters. */
  readonly guests: readonly {
    readonly vmid: number;
    readonly name: string;
    readonly label: string;
    readonly ref: string;
  }[];
  /** `pve1`, and `pve1@attic` where there are several clusters. */
  readonly nodes: readonly string[];
  /** Every host that a target can name, nodes included. */
  readonly hosts: readonly string[];
}

/** Somebody waits at a keyboard. */
const PATIENCE_MS = 2_000;
/** A list and the completions after it are one look. */
const FRESH_MS = 10_000;

/** The value, or the other one when it fails or takes too long. */
function inTime<T>(work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), PATIENCE_MS);
  });
  return Promise.race([work.catch(() => otherwise), late]).finally(() => clearTimeout(timer));
}

/** A cluster, by its name where there are several. */
interface Named {
  readonly name?: string;
  readonly pve: Pve;
}

async function lookAt({ name, pve }: Named): Promise<Pick<Names, 'guests' | 'nodes'>> {
  const rows = await inTime(readRows(pve, {}, { signal: AbortSignal.timeout(PATIENCE_MS) }), []);
  const at = name === undefined ? '' : `@${name}`;
  return {
    guests: guestsOf(rows).map((guest) => ({
      vmid: guest.vmid,
      name: guest.name,
      label: name === undefined ? guest.label : `${guest.label} of ${name}`,
      ref: `${guest.vmid}${at}`,
    })),
    nodes: rows.flatMap(({ type, node }) => (type === 'node' && node !== undefined ? [`${node}${at}`] : [])),
  };
}

async function look(clusters: readonly Named[], hosts: Pick<Hosts, 'list'>): Promise<Names> {
  const [seen, known] = await Promise.all([Promise.all(clusters.map(lookAt)), inTime(hosts.list(), [])]);
  return {
    guests: seen.flatMap(({ guests }) => guests).sort((a, b) => a.vmid - b.vmid),
    nodes: seen.flatMap(({ nodes }) => nodes).sort(),
    hosts: known.map(({ spec }) => spec.name),
  };
}

/** Tells the names; never fails, and looks once in 10 s at most. */
export function namesOf(clusters: readonly Named[], hosts: Pick<Hosts, 'list'>): () => Promise<Names> {
  let last: { readonly at: number; readonly names: Promise<Names> } | undefined;
  return () => {
    if (!last || performance.now() - last.at > FRESH_MS) last = { at: performance.now(), names: look(clusters, hosts) };
    return last.names;
  };
}
