import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Pve } from '../../pve/client.ts';
import { flag, num, text } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';

const shape = z.array(
  z.object({
    name: z.string(),
    parent: text,
    snaptime: num,
    vmstate: flag,
    description: text,
  }),
);

type Row = z.infer<typeof shape>[number];

/** `current`: the present state descends from this one. */
export type Snapshot = Row & { readonly current: boolean };

/** The guest's snapshots, each after its parent and siblings by time; without the API's pseudo entry `current`. */
export async function readSnapshots(pve: Pve, { node, kind, vmid }: Guest, signal: AbortSignal): Promise<Snapshot[]> {
  const rows = await pve.get(path`/nodes/${node}/${kind}/${vmid}/snapshot`, shape, {}, { signal });
  const here = rows.find((row) => row.name === 'current')?.parent;
  return inTreeOrder(rows.filter((row) => row.name !== 'current')).map((row) => ({
    ...row,
    current: row.name === here,
  }));
}

/** The snapshot of that name, or a `not-found` Failure with the names there are. */
export function pickSnapshot(guest: Guest, snapshots: readonly Snapshot[], name: string): Snapshot {
  const found = snapshots.find((one) => one.name === name);
  if (found) return found;
  const names = snapshots.map((one) => one.name);
  throw new Failure(
    'not-found',
    `${guest.label} has no snapshot ${name}.`,
    names.length > 0 ? `It has: ${names.join(', ')}.` : 'It has none at all.',
    { facts: { candidates: names } },
  );
}

/** Depth first; a row whose parent is not listed counts as a root, and a row in a ring of parents is put at the end. */
function inTreeOrder(rows: readonly Row[]): Row[] {
  const byTime = [...rows].sort((a, b) => (a.snaptime ?? 0) - (b.snaptime ?? 0));
  const names = new Set(rows.map((row) => row.name));
  const ordered = new Set<Row>();
  const visit = (row: Row): void => {
    if (ordered.has(row)) return;
    ordered.add(row);
    for (const child of byTime) if (child.parent === row.name) visit(child);
  };
  for (const row of byTime) if (row.parent === undefined || !names.has(row.parent)) visit(row);
  return [...ordered, ...byTime.filter((row) => !ordered.has(row))];
}
