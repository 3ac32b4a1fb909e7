import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const keycloak = 'local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst';
const gitlab = 'nas:backup/vzdump-qemu-300-2026_11_17-21_10_00.vma.zst';

describe('pve_guest_restore', () => {
  it('shows a human what is lost', async () => {
    expect(await bench.preview('pve_guest_restore', { guest: 'keycloak', backup: keycloak })).toMatchInlineSnapshot(`
      {
        "message": "Overwrite CT 400 (keycloak) on pve1 with the backup local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst, of 2026-11-09T17:10:00Z. There is no undo.
      Its configuration and its disks as they are now are lost: rootfs (local-lvm:vm-400-disk-0, 16G).
      Its snapshots are lost: 1 snapshot (before-upgrade).
      The disks are made anew on local-lvm.
      It stays stopped afterwards.",
        "state": {
          "backup": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
          "digest": "665ab2f9075c270581eaf7e7e38df8f0a7e238dd",
          "lock": undefined,
          "name": "keycloak",
          "node": "pve1",
          "snapshots": [
            "before-upgrade",
          ],
          "status": "stopped",
          "taken": 1794244200,
          "vmid": 400,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('starts nothing with the address of another guest that is running', async () => {
    const other = bench.world.guest(101);
    if (!other) throw new Error('no CT 101');
    const input = { guest: 101, backup: keycloak };
    const keeper = bench.world.guest(400);
    const before = other.status;
    Object.assign(other, { status: 'stopped' });
    Object.assign(keeper ?? {}, { status: 'running' });
    const { message } = await bench.preview('pve_guest_restore', input);
    expect(message).toContain('The backup is of another guest, 400, whose MAC addresses come with it.');
    expect(message).toContain('192.168.2.70/24 is the address in the backup and that of CT 400 (keycloak) on pve1');
    expect(await bench.fails('pve_guest_restore', { ...input, start: true })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining('is not started beside it'),
    });
    expect(bench.writes()).toEqual([]);
    Object.assign(other, { status: before });
    Object.assign(keeper ?? {}, { status: 'stopped' });
  });

  it('overwrites a container where its disk is, and keeps what it is: one write', async () => {
    const guest = bench.world.guest(400);
    const before = { ...guest?.config };
    if (guest) guest.config.memory = 1;
    expect(await bench.call('pve_guest_restore', { guest: 400, backup: keycloak })).toMatchInlineSnapshot(`
      {
        "facts": {
          "backup": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
          "guest": "CT 400 (keycloak) on pve1",
          "node": "pve1",
          "status": "stopped",
          "steps": [
            {
              "step": "restore",
              "task_state": "ok",
              "upid": "UPID:pve1:…:vzrestore:400:root@pam!mcp:",
              "waited": "… s",
            },
          ],
          "storage": "local-lvm",
          "vmid": 400,
        },
        "headline": "CT 400 (keycloak) on pve1: overwritten with the backup of 2026-11-09T17:10:00Z, stopped",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc']);
    expect(bench.world.requests.findLast(({ method }) => method === 'POST')?.params).toMatchInlineSnapshot(`
      {
        "force": "1",
        "ostemplate": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
        "restore": "1",
        "storage": "local-lvm",
        "vmid": "400",
      }
    `);
    expect(bench.world.guest(400)).toMatchObject({ snapshots: [], config: { memory: 4096, net0: before.net0 } });
  });

  it('overwrites a VM and starts it', async () => {
    await bench.call('pve_guest_stop', { guest: 300 });
    bench.forget();
    const told = await bench.call('pve_guest_restore', { guest: 'gitlab', backup: gitlab, start: true });
    expect(told).toMatchObject({ facts: { status: 'running' } });
    expect(bench.writes()).toEqual(['POST /nodes/pve2/qemu', 'POST /nodes/pve2/qemu/300/status/start']);
  });

  it('refuses a running guest, another kind and a template before anybody is asked', async () => {
    expect(await bench.fails('pve_guest_restore', { guest: 300, backup: gitlab })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 300 (gitlab) on pve2 is running, up 1 s; only a stopped guest is overwritten. Nothing was done.",
        "hint": "Shut it down with pve_guest_power (action shutdown), then call again.",
        "kind": "conflict",
      }
    `);
    await expect(bench.preview('pve_guest_restore', { guest: 300, backup: gitlab })).rejects.toThrow('only a stopped');
    expect(await bench.fails('pve_guest_restore', { guest: 201, backup: keycloak })).toMatchObject({
      headline: expect.stringContaining('VM 201 (win11) on pve1 is a VM, and the backup is of a container.'),
    });
    expect(await bench.fails('pve_guest_restore', { guest: 9000, backup: gitlab })).toMatchObject({
      headline: expect.stringContaining('is a template'),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('knows that the backup is out of reach of its node', async () => {
    expect(await bench.fails('pve_guest_restore', { guest: 300, backup: keycloak })).toMatchObject({
      kind: 'not-found',
      headline: expect.stringContaining('on pve2'),
    });
  });

  it('names what a token lacks', async () => {
    const pve = bench.as('mcp@pve!auditor');
    const given = { ugid: 'mcp@pve!auditor', type: 'token', propagate: true } as const;
    bench.world.access.acl.push({ ...given, path: '/storage', roleid: 'Administrator' });
    expect(await bench.fails('pve_guest_restore', { guest: 400, backup: keycloak }, { pve })).toMatchObject({
      kind: 'permission',
      hint: expect.stringContaining('VM.Allocate'),
    });
    bench.world.access.acl.pop();
    expect(bench.world.guest(400)?.config.memory).toBe(4096);
  });

  it('is refused for a protected guest', async () => {
    const tool = tools.find(({ name }) => name === 'pve_guest_restore');
    if (!tool) throw new Error('no such tool');
    const context = bench.context({ setup: { ...setup, protectedGuests: [400] } });
    await expect(refuseProtected(tool, { guest: 'keycloak', backup: keycloak }, context)).rejects.toThrow('protected');
    await expect(refuseProtected(tool, { guest: 410, backup: keycloak }, bench.context())).rejects.toThrow(
      'protection',
    );
  });
});
