import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { flag, num, text } from '../../pve/fields.ts';
import { path } from '../../pve/path.ts';
import { words } from '../../pve/rows.ts';
import { bytes, count, percent, usage } from '../format.ts';
import { node } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';
import { eachNode } from './nodes.ts';

const shape = z.array(
  z.object({
    storage: z.string(),
    type: text,
    content: text,
    active: flag,
    enabled: flag,
    shared: flag,
    used: num,
    total: num,
    avail: num,
  }),
);

type Row = z.infer<typeof shape>[number] & { readonly nodes: readonly string[] };

const state = ({ enabled, active }: Row): string => (enabled === false ? 'disabled' : active ? 'active' : 'inactive');
const filled = ({ used, total }: Row): number => (total ? (used ?? 0) / total : 0);

/** One row for a storage that several nodes share, as long as they see it in the same state. */
function merged(rows: readonly Row[]): Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const key = row.shared ? `${row.storage} ${state(row)}` : `${row.storage} ${state(row)} ${row.nodes}`;
    const seen = byKey.get(key);
    byKey.set(key, seen ? { ...seen, nodes: [...seen.nodes, ...row.nodes] } : row);
  }
  return [...byKey.values()].sort((a, b) => (a.storage < b.storage ? -1 : a.storage > b.storage ? 1 : 0));
}

const facts = (row: Row): Facts => ({
  storage: row.storage,
  nodes: row.nodes,
  type: row.type,
  state: state(row),
  used: row.active ? usage(row.used, row.total) : undefined,
  free: row.active && row.avail !== undefined ? bytes(row.avail) : undefined,
  shared: row.shared ?? false,
  content: words(row.content ?? ''),
});

async function storagesOf(pve: Pve, node: string, signal: AbortSignal): Promise<Row[]> {
  const rows = await pve.get(path`/nodes/${node}/storage`, shape, {}, { signal });
  return rows.map((row) => ({ ...row, nodes: [node] }));
}

export default definePveTool({
  name: 'pve_storage_list',
  title: 'List storages',
  effect: 'read',
  core: true,
  summary:
    'Storages with type, use, free space, what they may hold, whether they are shared, and on which nodes; ' +
    'inactive and disabled ones too.',
  search: 'disk space free full usage capacity datastore zfs lvm nfs ceph pbs volumes pvesm status',
  input: {
    node: node.optional(),
    content: z
      .enum(['images', 'rootdir', 'iso', 'vztmpl', 'backup', 'snippets', 'import'])
      .optional()
      .describe('That may hold this.'),
  },

  async run({ node: only, content }, { pve, signal }) {
    const notes: string[] = [];
    const read = (name: string) => storagesOf(pve, name, signal);
    const all = merged(await eachNode({ pve, signal }, only, read, notes));
    if (all.length === 0) notes.push('The token sees no storage: it may lack Datastore.Audit on /storage.');
    const rows = all.filter((row) => content === undefined || words(row.content ?? '').includes(content));
    const fullest = rows.filter((row) => row.active).sort((a, b) => filled(b) - filled(a))[0];
    const worst = fullest ? `; fullest is ${fullest.storage} at ${percent(filled(fullest))}` : '';
    return answer(`${count(rows.length, 'storage')}${worst}`, {
      storages: rows.map(facts),
      notes: noted(notes),
    });
  },
});
