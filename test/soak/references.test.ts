import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Datacentre, startDatacentre } from '../e2e/datacentre.ts';
import { initialize, startRaw } from '../e2e/raw.ts';
import { tally } from '../figures.ts';

let dc: Datacentre;
beforeAll(async () => {
  dc = await startDatacentre();
});
afterAll(() => dc.stop());

const CALLS = 100;

interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** How many objects of that class a heap snapshot holds. */
function objectsIn(file: string, name: string): number {
  const { snapshot, nodes, strings }: Snapshot = JSON.parse(readFileSync(file, 'utf8'));
  const { node_fields: fields } = snapshot.meta;
  const wanted = strings.indexOf(name);
  return nodes.filter((value, i) => i % fields.length === fields.indexOf('name') && value === wanted).length;
}

it('guarantee 26: a call leaves no reference behind', { timeout: 60_000 }, async () => {
  const options = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${dc.dir}`;
  const session = startRaw(await dc.launch({}, { NODE_OPTIONS: options }));
  await initialize(session);
  for (let i = 0; i < CALLS; i++) {
    await session.request('tools/call', { name: 'ssh_host_list', arguments: {} });
    await session.request('resources/read', { uri: 'ssh://host/nowhere' });
  }
  session.child.kill('SIGUSR2');
  const name = await vi.waitFor(() => {
    const [found] = readdirSync(dc.dir).filter((file) => file.endsWith('.heapsnapshot'));
    expect(found).toBeDefined();
    return found ?? '';
  }, 10_000);
  // It is written in one go, and answered is what comes after.
  await session.request('ping');
  expect(objectsIn(join(dc.dir, name), 'WeakRef')).toBeLessThan(CALLS);
  tally(26, 'calls and readings that leave no reference behind', 2 * CALLS);
  session.child.stdin?.end();
  await session.gone;
});
