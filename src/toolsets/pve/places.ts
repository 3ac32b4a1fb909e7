import { Failure } from '../../failure.ts';
import { readResources, type StorageRow } from '../../pve/resources.ts';
import type { ToolContext } from '../tool.ts';

/** A storage as it has to be read: a shared one once, by any of its nodes; another one on each of its nodes. */
export interface Place {
  readonly storage: string;
  /** Where it is reached; one node when it is not shared. */
  readonly nodes: readonly string[];
  /** `dir`, `lvmthin`, `nfs`, `pbs`, … */
  readonly type?: string;
}

function unknown(what: string, name: string, known: readonly string[]): Failure {
  const names = [...new Set(known)].sort();
  const hint = names.length > 0 ? `There are: ${names.join(', ')}.` : 'The token sees none.';
  return new Failure('not-found', `There is no ${what} "${name}" that this token may see.`, hint, {
    facts: { candidates: names },
  });
}

function placeOf(row: StorageRow, rows: readonly StorageRow[]): Place {
  const { storage, node, plugin: type } = row;
  const nodes = row.shared ? rows.filter((one) => one.storage === storage).map((one) => one.node) : [node];
  return { storage, nodes, type };
}

/**
 * The storages that may hold `content` and answer now, of those asked for; what does not answer is noted. A storage or
 * node that there is not is a `not-found` Failure.
 */
export async function findPlaces(
  { pve, signal }: Pick<ToolContext, 'pve' | 'signal'>,
  { storage, node, content }: { readonly storage?: string; readonly node?: string; readonly content?: string },
  notes: string[],
): Promise<Place[]> {
  const { storages, nodes } = await readResources(pve, { signal });
  const names = nodes.map((one) => one.node);
  if (node !== undefined && !names.includes(node)) throw unknown('node', node, names);
  const known = storages.map((one) => one.storage);
  if (storage !== undefined && !known.includes(storage)) throw unknown('storage', storage, known);
  const asked = storages.filter(
    (row) =>
      (storage === undefined || row.storage === storage) &&
      (node === undefined || row.node === node) &&
      (content === undefined || row.content.includes(content)),
  );
  const ready = asked.filter((row) => row.status === 'available');
  if (storage !== undefined && asked.length === 0 && content !== undefined) {
    notes.push(`Storage ${storage} is not made to hold ${content}.`);
  }
  for (const name of new Set(asked.map((row) => row.storage))) {
    const silent = asked.filter((row) => row.storage === name && !ready.some((one) => same(one, row)));
    if (silent.length > 0)
      notes.push(`Storage ${name} is not available now on ${silent.map((row) => row.node).join(', ')}.`);
  }
  if (storages.length === 0) notes.push('The token sees no storage: it may lack Datastore.Audit on /storage.');
  const once = ready.filter((row, i) => !row.shared || ready.findIndex((one) => one.storage === row.storage) === i);
  return once.map((row) => placeOf(row, ready));
}

/** A shared storage answers as long as one of its nodes does. */
const same = (one: StorageRow, other: StorageRow): boolean =>
  one.storage === other.storage && (one.shared || one.node === other.node);
