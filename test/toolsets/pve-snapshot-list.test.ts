import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_snapshot_list', () => {
  it('lists them as a tree, with the one that the present state descends from', async () => {
    expect(await bench.call('pve_snapshot_list', { guest: 200 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "VM 200 (homeassistant) on pve1",
          "snapshots": [
            {
              "description": {
                "remote": "right after setup",
              },
              "name": "clean",
              "taken": "2026-10-11T03:10:00Z",
            },
            {
              "current": true,
              "description": {
                "remote": "before HAOS 16",
              },
              "name": "before-16",
              "parent": "clean",
              "taken": "2026-11-07T03:10:00Z",
            },
          ],
        },
        "headline": "VM 200 (homeassistant) on pve1: 2 snapshots; the present state descends from before-16",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('says that there is none', async () => {
    expect(await bench.call('pve_snapshot_list', { guest: 'win11' })).toEqual({
      headline: 'VM 201 (win11) on pve1: 0 snapshots',
      facts: { guest: 'VM 201 (win11) on pve1', snapshots: [] },
    });
  });

  it('says what is wrong with a guest that is not there', async () => {
    expect(await bench.fails('pve_snapshot_list', { guest: 999 })).toMatchObject({ kind: 'not-found' });
  });
});
