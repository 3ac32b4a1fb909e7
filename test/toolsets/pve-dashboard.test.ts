import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

interface Shown {
  readonly headline: string;
  readonly facts: Record<string, unknown> & { guest_list: unknown[]; tasks: { state: string }[] };
}

describe('pve_dashboard', () => {
  it('tells what pve_overview tells, and the guests and the newest tasks besides', async () => {
    const { headline, facts } = (await bench.call('pve_dashboard')) as unknown as Shown;
    const overview = (await bench.call('pve_overview')) as unknown as Shown;
    expect(headline.split(';')[0]).toBe(overview.headline.split(';')[0]);
    expect(Object.keys(facts)).toEqual(expect.arrayContaining(['attention', 'nodes', 'storages', 'guests']));
    expect(facts.guest_list).toHaveLength(7);
    expect(facts.guest_list).toContainEqual({
      kind: 'lxc',
      memory: '4 GiB',
      name: 'keycloak',
      node: 'pve1',
      status: 'stopped',
      tags: ['docker', 'sso'],
      vmid: 400,
    });
    expect(facts.tasks.length).toBeGreaterThan(2);
    expect(facts.tasks.map(({ state }) => state)).toContain('failed');
  });

  it('shows the first 60 guests of many, and counts the rest', async () => {
    const [first] = bench.world.guests;
    if (!first) throw new Error('no guest');
    const more = Array.from({ length: 100 }, (_, i) => ({ ...first, vmid: 20_000 + i, name: `many-${i}` }));
    bench.world.guests.push(...more);
    const { facts } = (await bench.call('pve_dashboard')) as unknown as Shown;
    bench.world.guests.splice(-more.length);
    expect(facts.guest_list).toHaveLength(60);
    expect(facts.guests_not_shown).toBe(47);
  });
});
