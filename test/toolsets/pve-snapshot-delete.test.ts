import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_snapshot_delete', () => {
  it('shows a human which point is given up', async () => {
    expect(
      await bench.preview('pve_snapshot_delete', { guest: 'keycloak', snapshot: 'before-upgrade' }),
    ).toMatchInlineSnapshot(`
      {
        "message": "Delete the snapshot before-upgrade of CT 400 (keycloak) on pve1, taken 2026-11-11T03:10:00Z.
      There is no way back to it afterwards. The guest goes on as it is; no snapshot is left.
      The present state descends from it: it is the last point to go back to.",
        "state": {
          "guest": "keycloak",
          "node": "pve1",
          "snapshot": "before-upgrade",
          "snapshots": 1,
          "taken": 1794366600,
          "vmid": 400,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('does not say that it is gone while it is listed', async () => {
    const keycloak = bench.world.guest(400);
    const snapshots = [...(keycloak?.snapshots ?? [])];
    const data = [{ name: 'before-upgrade', snaptime: 1794366600 }];
    const kept = bent(/\/lxc\/400\/snapshot$/, () => JSON.stringify({ data }));
    const input = { guest: 400, snapshot: 'before-upgrade' };
    const told = await bench.call('pve_snapshot_delete', input, { pve: bench.as('root@pam!mcp', kept) });
    expect(told.headline).toContain('snapshot before-upgrade is still listed after its deletion');
    Object.assign(keycloak ?? {}, { snapshots });
  });

  it('deletes it and tells what is left: one write', async () => {
    expect(await bench.call('pve_snapshot_delete', { guest: 200, snapshot: 'clean' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "VM 200 (homeassistant) on pve1",
          "snapshot": "clean",
          "snapshots_left": [
            "before-16",
          ],
          "task_state": "ok",
          "upid": "UPID:pve1:…:qmdelsnapshot:200:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 200 (homeassistant) on pve1: snapshot clean deleted, 1 snapshot left",
      }
    `);
    expect(bench.writes()).toEqual(['DELETE /nodes/pve1/qemu/200/snapshot/clean']);
    expect(bench.world.guest(200)?.snapshots.map(({ name }) => name)).toEqual(['before-16']);
  });

  it('hands back the task when it is not waited for', async () => {
    const { facts } = await bench.call('pve_snapshot_delete', { guest: 200, snapshot: 'before-16', wait_s: 0 });
    expect(facts).toMatchObject({ snapshot: 'before-16', task_state: 'running' });
  });

  it('offers the names there are', async () => {
    expect(await bench.fails('pve_snapshot_delete', { guest: 410, snapshot: 'clean' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "nightly",
          ],
        },
        "headline": "CT 410 (postgres) on pve1 has no snapshot clean.",
        "hint": "It has: nightly.",
        "kind": "not-found",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_snapshot_delete', { guest: 410, snapshot: 'nightly' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Snapshot'),
    });
    expect(bench.world.guest(410)?.snapshots).toHaveLength(1);
  });
});
