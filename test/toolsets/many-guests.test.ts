import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/demo/world.ts';
import { parseInput } from '../../src/gate/parse.ts';
import { createPresent } from '../../src/present/present.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, startBench } from './harness.ts';

const MANY = 10_000;
/** What MCP_ANSWER_CHARS is unless it is set. */
const BUDGET = 30_000;

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
  const [model] = bench.world.guests;
  if (!model) throw new Error('no guest');
  const guests = Array.from({ length: MANY }, (_, i): Guest => {
    const vmid = MANY + i;
    const config = {
      ...model.config,
      hostname: `web-${vmid}`,
      name: `web-${vmid}`,
      tags: i % 100 === 0 ? 'rare' : 'web',
    };
    return { ...model, vmid, config, node: i % 3 === 0 ? 'pve2' : 'pve1', ...(i % 50 === 0 && { lock: 'backup' }) };
  });
  bench.world.guests.push(...guests);
  bench.forget();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

/** The answer as a client is sent it. */
async function sent(name: string, input: Record<string, unknown> = {}) {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  const present = createPresent({ redact: (text) => text, budget: BUDGET, save: async () => undefined });
  return present.answer(await tool.run(parseInput(tool, input), bench.context()));
}

const readsOf = (path: string): number => bench.world.requests.filter((request) => request.path === path).length;

describe(`a cluster of ${MANY} guests`, () => {
  it.each([
    [{}, MANY + 8],
    [{ limit: 200 }, MANY + 8],
    [{ tag: 'rare' }, MANY / 100],
    [{ name: 'web-1999', node: 'pve1' }, 6],
    [{ kind: 'lxc', status: 'stopped' }, undefined],
  ])('is listed with %o by one request, and within the budget', async (input, total) => {
    const { structured } = await sent('pve_guest_list', input);
    expect(bench.requests()).toBe(1);
    if (total !== undefined) expect(structured).toMatchObject({ total });
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(BUDGET);
    expect(structured.guests).not.toHaveLength(0);
  });

  it('is summarised by one request for all of them, and within the budget', async () => {
    const before = readsOf('/cluster/resources');
    const { structured } = await sent('pve_overview');
    expect(readsOf('/cluster/resources')).toBe(before + 1);
    expect(bench.requests()).toBeLessThan(10);
    expect(structured).toMatchObject({ guests: { total: MANY + 7 } });
    expect(structured.attention).toEqual(expect.arrayContaining([expect.stringMatching(/\d+ more guests locked\./)]));
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(BUDGET);
  });

  it('is looked through once for the name of one of them', async () => {
    const before = readsOf('/cluster/resources');
    const { structured } = await sent('pve_guest_get', { guest: 'web-15000' });
    expect(structured).toMatchObject({ vmid: 15_000 });
    expect(readsOf('/cluster/resources')).toBe(before + 1);
  });
});
