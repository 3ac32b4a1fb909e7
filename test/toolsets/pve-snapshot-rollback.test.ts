import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const rollBack = (input: Record<string, unknown>) => bench.call('pve_snapshot_rollback', input);

describe('pve_snapshot_rollback', () => {
  it('does not say that what HA runs stays stopped', async () => {
    const managed = bent(/\/410\/status\/current$/, (body) => body.replace('"managed":0', '"managed":1'));
    const pve = bench.as('root@pam!mcp', managed);
    const { message } = await bench.preview('pve_snapshot_rollback', { guest: 410, snapshot: 'nightly' }, { pve });
    expect(message).toContain('Its power is cut. HA may start it again afterwards.');
  });

  it('shows a human what is lost, and that a running container stays stopped', async () => {
    expect(
      await bench.preview('pve_snapshot_rollback', { guest: 'postgres', snapshot: 'nightly' }),
    ).toMatchInlineSnapshot(`
      {
        "message": "Roll CT 410 (postgres) on pve1 back to snapshot nightly of 2026-11-19T19:10:00Z. It is running, up 20 d.
      What its disks and its configuration gained since then is lost. There is no undo.
      Its power is cut. It stays stopped afterwards, unless start is true.
      Last backup: 2026-11-20T00:10:00Z.",
        "state": {
          "name": "postgres",
          "node": "pve1",
          "pid": 4410,
          "snapshot": "nightly",
          "snapshots": 1,
          "status": "running",
          "taken": 1795115400,
          "vmid": 410,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the newer snapshots, and what start does', async () => {
    const { message } = await bench.preview('pve_snapshot_rollback', { guest: 200, snapshot: 'clean', start: true });
    expect(message).toContain('Newer snapshots: before-16.');
    expect(message).toContain('Its power is cut. It is started afterwards.');
  });

  it('rolls a running container back and says that it is stopped now: one write', async () => {
    const guest = bench.world.guest(410);
    if (guest) guest.config.memory = 1;
    expect(await rollBack({ guest: 410, snapshot: 'nightly' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "CT 410 (postgres) on pve1",
          "notes": [
            "It was up before; the rollback stopped it. pve_guest_power starts it.",
          ],
          "snapshot": "nightly",
          "status": "stopped",
          "status_before": "running",
          "taken": "2026-11-19T19:10:00Z",
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzrollback:410:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "CT 410 (postgres) on pve1: rolled back to nightly, stopped",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/410/snapshot/nightly/rollback']);
    expect(bench.world.guest(410)).toMatchObject({ status: 'stopped', config: { memory: 8192 } });
  });

  it('starts it afterwards when that is wanted', async () => {
    const told = await rollBack({ guest: 400, snapshot: 'before-upgrade', start: true });
    expect(told).toMatchObject({
      headline: expect.stringMatching(/rolled back to before-upgrade, running, up/),
      facts: { status_before: 'stopped', status: 'running' },
    });
  });

  it('says that a VM comes back running from a snapshot with memory', async () => {
    await bench.call('pve_snapshot_create', { guest: 201, name: 'with_memory', vmstate: true });
    const shown = await bench.preview('pve_snapshot_rollback', { guest: 201, snapshot: 'with_memory' });
    expect(shown.message).toContain('comes back running as it was then, with the memory of the snapshot.');
    const told = await rollBack({ guest: 201, snapshot: 'with_memory' });
    expect(told.facts).toMatchObject({ status_before: 'running', status: 'running' });
  });

  it('offers the names there are', async () => {
    const failure = await bench.fails('pve_snapshot_rollback', { guest: 200, snapshot: 'before-17' });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "clean",
            "before-16",
          ],
        },
        "headline": "VM 200 (homeassistant) on pve1 has no snapshot before-17.",
        "hint": "It has: clean, before-16.",
        "kind": "not-found",
      }
    `);
    await expect(bench.preview('pve_snapshot_rollback', { guest: 101, snapshot: 'none' })).rejects.toThrow(
      'CT 101 (pihole) on pve1 has no snapshot none.',
    );
    expect(bench.writes()).toEqual([]);
  });

  it('refuses a locked guest before anybody is asked', async () => {
    const guest = bench.world.guest(200);
    if (guest) guest.lock = 'backup';
    expect(await bench.fails('pve_snapshot_rollback', { guest: 200, snapshot: 'clean' })).toMatchObject({
      kind: 'conflict',
      headline: 'VM 200 (homeassistant) on pve1 is locked by an operation: backup.',
      hint: expect.stringContaining('qm unlock 200'),
    });
    if (guest) guest.lock = undefined;
    expect(bench.writes()).toEqual([]);
  });

  it('tells in the words of Proxmox VE that ZFS goes back to the newest one only', async () => {
    for (const name of ['one', 'two_']) await bench.call('pve_snapshot_create', { guest: 101, name });
    bench.forget();
    expect(await bench.fails('pve_snapshot_rollback', { guest: 101, snapshot: 'one' })).toMatchObject({
      kind: 'task-failed',
      headline: expect.stringContaining("can't rollback, 'one' is not most recent snapshot on 'local-zfs:"),
    });
    expect(bench.writes()).toHaveLength(1);
    expect(bench.world.guest(101)?.status).toBe('running');
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_snapshot_rollback', { guest: 200, snapshot: 'clean' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Snapshot.Rollback'),
    });
    expect(bench.world.guest(200)?.status).toBe('running');
  });
});
