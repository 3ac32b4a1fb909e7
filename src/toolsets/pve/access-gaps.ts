import { z } from 'zod';
import { granting } from '../../pve/denial.ts';
import type { Need } from './access-needs.ts';

/** Path to privileges; the value says whether they reach below it, which no need here asks about. */
export const rightsShape = z.record(z.string(), z.record(z.string(), z.unknown()));
export type Rights = z.infer<typeof rightsShape>;

/** Whether one of the privileges that would do is held on that path. */
export const holds = (rights: Rights, path: string, { anyOf }: Need): boolean =>
  anyOf.some((privilege) => rights[path]?.[privilege] !== undefined);

/** Where below a path that is not held as a whole the need is met: single guests and storages, or those of a pool. */
const elsewhere = (rights: Rights, need: Need): string[] =>
  Object.keys(rights).filter(
    (path) => (path.startsWith(`${need.path}/`) || path.startsWith('/pool/')) && holds(rights, path, need),
  );

/** Privileges that tools lack on one path, and the line that gives them. */
export interface Gap {
  readonly on: string;
  readonly cure: string;
  /** `VM.Audit`, `Datastore.Audit or Datastore.AllocateSpace`; sorted. */
  readonly privileges: readonly string[];
  readonly tools: readonly string[];
  /** Where below that path they are held. */
  readonly partly: readonly string[];
}

/** What these tools lack, in one row for each line that cures it; of `only` that path, where one is given. */
export function gapsIn(
  tools: ReadonlyMap<string, readonly Need[]>,
  rights: Rights,
  token: string,
  only?: string,
): Gap[] {
  const rows = new Map<string, Record<'privileges' | 'tools' | 'partly', Set<string>> & { readonly on: string }>();
  for (const [tool, needs] of tools) {
    for (const need of needs) {
      const on = only ?? need.path;
      if (holds(rights, on, need)) continue;
      const cure = granting(on, need.anyOf[0] ?? '', token);
      const row = rows.get(cure) ?? { on, privileges: new Set(), tools: new Set(), partly: new Set() };
      rows.set(cure, row);
      row.privileges.add(need.anyOf.join(' or '));
      row.tools.add(tool);
      for (const path of only === undefined ? elsewhere(rights, need) : []) row.partly.add(path);
    }
  }
  return [...rows].map(([cure, { on, privileges, tools: without, partly }]) => ({
    ...{ on, cure, privileges: [...privileges].sort(), tools: [...without], partly: [...partly] },
  }));
}
