import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, bent, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const remove = (input: Record<string, unknown>) => bench.call('pve_guest_delete', input);

describe('pve_guest_delete', () => {
  it('shows a human everything that would be lost', async () => {
    expect(await bench.preview('pve_guest_delete', { guest: 'keycloak' })).toMatchInlineSnapshot(`
      {
        "message": "Delete CT 400 (keycloak) on pve1 for good (stopped). There is no undo.
      Its disks go with it: rootfs (local-lvm:vm-400-disk-0, 16G).
      Snapshots, which go too: before-upgrade.
      Backups stay. Last backup: 2026-11-09T17:10:00Z.
      Named by: none.",
        "state": {
          "disks": [
            "rootfs (local-lvm:vm-400-disk-0, 16G)",
          ],
          "lock": undefined,
          "name": "keycloak",
          "node": "pve1",
          "snapshots": [
            "before-upgrade",
          ],
          "status": "stopped",
          "vmid": 400,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the volumes that go without being in the configuration, and no backups', async () => {
    Object.assign(bench.world.guest(400)?.config ?? {}, { mp8: 'local-lvm:vm-400-disk-91,mp=/x' });
    const stray = { volid: 'local-lvm:vm-400-disk-9', node: 'pve1', content: 'rootdir', format: 'raw' } as const;
    bench.world.storage('local-lvm')?.volumes.push({ ...stray, size: 1, ctime: 1, vmid: 400 });
    const input = { guest: 400, destroy_unreferenced_disks: true };
    const { message, state } = await bench.preview('pve_guest_delete', input);
    expect(message).toContain(`every other volume of its VMID on any storage; seen: ${stray.volid}.`);
    expect(state).toMatchObject({ strays: [stray.volid] });
    bench.world.storage('local-lvm')?.volumes.pop();
    delete bench.world.guest(400)?.config.mp8;
  });

  it('says which jobs name the guest, and what becomes of them', async () => {
    const postgres = bench.world.guest(410);
    Object.assign(postgres ?? {}, { status: 'stopped' });
    const replicated = bent(/^\/cluster\/replication$/, () =>
      JSON.stringify({
        data: [
          { id: '410-0', guest: 410, target: 'pve2', type: 'local' },
          { id: '99-0', guest: 99 },
        ],
      }),
    );
    const managed = bent(/\/410\/status\/current$/, (body) => body.replace('"managed":0', '"managed":1'));
    const pve = bench.as('root@pam!mcp', (wire) => managed(replicated(wire)));
    const shown = await bench.preview('pve_guest_delete', { guest: 410 }, { pve });
    expect(shown.message).toContain(
      'Named by: HA, replication 410-0 to pve2, backup job backup-nightly. It is taken out of these.',
    );
    const kept = bench.fails('pve_guest_delete', { guest: 410, purge: false }, { pve });
    expect(await kept).toMatchObject({ kind: 'conflict', headline: expect.stringContaining('is a resource of HA') });
    Object.assign(postgres ?? {}, { status: 'running' });
  });

  it('says so when the jobs cannot be read', async () => {
    const pve = bench.as(
      'mcp@pve!auditor',
      bent(/^\/cluster\/backup$/, () => '{"data":null}'),
    );
    const shown = await bench.preview('pve_guest_delete', { guest: 400 }, { pve });
    expect(shown.message).toMatch(/Named by: nothing that could be read\.\nBackup jobs could not be read: /);
  });

  it('refuses a running guest before it asks', async () => {
    const failed = await bench.fails('pve_guest_delete', { guest: 300 });
    expect(failed).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 300 (gitlab) on pve2 is running, up 42 min; only a stopped guest is deleted. Nothing was done.",
        "hint": "Shut it down with pve_guest_power (action shutdown), then call again.",
        "kind": "conflict",
      }
    `);
    await expect(bench.preview('pve_guest_delete', { guest: 300 })).rejects.toThrow('only a stopped guest is deleted');
    expect(bench.writes()).toEqual([]);
  });

  it('refuses a locked guest before it asks', async () => {
    const keycloak = bench.world.guest(400);
    Object.assign(keycloak ?? {}, { lock: 'backup' });
    expect(await bench.fails('pve_guest_delete', { guest: 400 })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining('is locked by an operation: backup'),
    });
    Object.assign(keycloak ?? {}, { lock: undefined });
    expect(bench.writes()).toEqual([]);
  });

  it('is refused by the gate for what Proxmox VE or the operator protects', async () => {
    const tool = tools.find(({ name }) => name === 'pve_guest_delete');
    if (!tool) throw new Error('there is no such tool');
    await expect(refuseProtected(tool, { guest: 'postgres' }, bench.context())).rejects.toThrow('protection flag');
    const context = bench.context({ setup: { ...setup, protectedGuests: [400] } });
    await expect(refuseProtected(tool, { guest: 'keycloak' }, context)).rejects.toThrow("operator's settings");
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_delete', { guest: 400 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Allocate'),
    });
    expect(bench.world.guest(400)).toBeDefined();
  });

  it('deletes, waits, and tells that it is gone: one write', async () => {
    expect(await remove({ guest: 'keycloak', destroy_unreferenced_disks: true })).toMatchInlineSnapshot(`
      {
        "facts": {
          "deleted": true,
          "disks": [
            "rootfs (local-lvm:vm-400-disk-0, 16G)",
          ],
          "guest": "CT 400 (keycloak) on pve1",
          "purged": true,
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzdestroy:400:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "CT 400 (keycloak) on pve1 was deleted with 1 disk",
      }
    `);
    expect(bench.writes()).toEqual(['DELETE /nodes/pve1/lxc/400']);
    expect(bench.world.requests.findLast(({ method }) => method === 'DELETE')?.params).toMatchObject({
      purge: '1',
      'destroy-unreferenced-disks': '1',
    });
    expect(bench.world.guest(400)).toBeUndefined();
  });

  it('leaves it in backup jobs unless it purges them', async () => {
    const jobs = () => bench.world.backupJobs.map(({ id, vmid }) => `${id}: ${vmid}`);
    for (const vmid of [101, 300]) Object.assign(bench.world.guest(vmid) ?? {}, { status: 'stopped' });
    await remove({ guest: 101, purge: false });
    expect(jobs()).toEqual(['backup-nightly: 101,200,410', 'backup-gitlab: 300']);
    await remove({ guest: 300 });
    expect(jobs()).toEqual(['backup-nightly: 101,200,410']);
  });

  it('fails as its task does', async () => {
    bench.world.switches.nextTask = {
      fail: "base volume 'local-lvm:base-9000-disk-0' is still in use by linked clones",
    };
    expect(await bench.fails('pve_guest_delete', { guest: 9000 })).toMatchObject({
      kind: 'task-failed',
      headline: expect.stringContaining('still in use by linked clones'),
    });
    expect(bench.world.guest(9000)).toBeDefined();
  });

  it('does not say that it is gone while it is listed', async () => {
    const row = JSON.stringify({ id: 'qemu/9000', type: 'qemu', node: 'pve1', status: 'stopped', vmid: 9000 });
    const listed = bent(/^\/cluster\/resources/, (body) =>
      bench.world.guest(9000) ? body : body.replace('"data":[', `"data":[${row},`),
    );
    const pve = bench.as('root@pam!mcp', listed);
    const told = await bench.call('pve_guest_delete', { guest: 9000 }, { pve });
    expect(told).toMatchObject({
      headline: expect.stringContaining('is still listed after its deletion'),
      facts: { deleted: false },
    });
  });
});
