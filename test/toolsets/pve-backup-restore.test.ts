import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const restore = (input: Record<string, unknown>) => bench.call('pve_backup_restore', input);
const keycloak = 'local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst';
const gitlab = 'nas:backup/vzdump-qemu-300-2026_11_17-21_10_00.vma.zst';
const home = 'pbs:backup/vm/200/2026-11-20T00:10:00Z';

describe('pve_backup_restore', () => {
  it('makes a new container with disks where they were and MAC addresses of its own: one write', async () => {
    expect(await restore({ backup: keycloak })).toMatchInlineSnapshot(`
      {
        "facts": {
          "backup": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
          "guest": "CT 100 (keycloak) on pve1",
          "node": "pve1",
          "notes": [
            "192.168.2.70/24 is its address and that of CT 400 (keycloak) on pve1: change one of them before both run.",
          ],
          "status": "stopped",
          "steps": [
            {
              "step": "restore",
              "task_state": "ok",
              "upid": "UPID:pve1:…:vzrestore:100:root@pam!mcp:",
              "waited": "… s",
            },
          ],
          "storage": "local-lvm",
          "vmid": 100,
        },
        "headline": "CT 100 (keycloak) on pve1: restored from the backup of 2026-11-09T17:10:00Z, stopped",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc']);
    expect(bench.world.requests.findLast(({ method }) => method === 'POST')?.params).toMatchInlineSnapshot(`
      {
        "ostemplate": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
        "restore": "1",
        "storage": "local-lvm",
        "unique": "1",
        "vmid": "100",
      }
    `);
    const [copy, original] = [bench.world.guest(100), bench.world.guest(400)];
    expect(copy).toMatchObject({ kind: 'lxc', status: 'stopped', config: { hostname: 'keycloak' } });
    expect(copy?.config.net0).not.toBe(original?.config.net0);
  });

  it('makes a new VM as it is told, starts it, and waits for its address', async () => {
    const wanted = { backup: home, new_vmid: 777, name: 'ha-test', storage: 'local-zfs', start: true };
    const told = await restore(wanted);
    expect(told).toMatchObject({
      headline: expect.stringMatching(/^VM 777 \(ha-test\) on pve1: restored from the backup of .*, running/),
      facts: { vmid: 777, ip_addresses: [{ interface: 'ens18' }] },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu', 'POST /nodes/pve1/qemu/777/status/start']);
    expect(bench.world.guest(777)?.config.scsi0).toContain('local-zfs:vm-777-disk-0');
  });

  it('restores a backup that several nodes reach to the node that is asked for', async () => {
    const { facts } = await restore({ backup: gitlab, node: 'pve1' });
    expect(facts).toMatchObject({ node: 'pve1' });
    expect((await restore({ backup: gitlab })).facts).toMatchObject({ node: 'pve2' });
  });

  it('starts no copy beside the running original of the same address', async () => {
    await bench.call('pve_guest_power', { guest: 400, action: 'start' });
    bench.forget();
    expect(await bench.fails('pve_backup_restore', { backup: keycloak, start: true })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "192.168.2.70/24 is its address and that of CT 400 (keycloak) on pve1, which is running: the copy is not started beside it. Nothing was done.",
        "hint": "Restore it without start, give it another address with pve_guest_configure, then start it.",
        "kind": "conflict",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('refuses an id that is taken, and what is no backup, before anything is written', async () => {
    expect(await bench.fails('pve_backup_restore', { backup: keycloak, new_vmid: 410 })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining('VM 410 already exists'),
    });
    expect(await bench.fails('pve_backup_restore', { backup: 'local-lvm:vm-410-disk-0' })).toMatchObject({
      kind: 'invalid-input',
    });
    expect(await bench.fails('pve_backup_restore', { backup: keycloak, node: 'pve2' })).toMatchObject({
      kind: 'not-found',
      headline: expect.stringContaining('on pve2'),
    });
    expect(await bench.fails('pve_backup_restore', { backup: keycloak, storage: 'pbs' })).toMatchObject({
      kind: 'not-found',
      hint: expect.stringContaining('Those that can: '),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('tells in the words of Proxmox VE why a restore failed', async () => {
    bench.world.switches.nextTask = { fail: "storage 'local-lvm' is out of space" };
    expect(await bench.fails('pve_backup_restore', { backup: keycloak, new_vmid: 500 })).toMatchObject({
      kind: 'task-failed',
      headline: expect.stringContaining('out of space'),
    });
  });

  it('names what a token lacks to see or to restore it', async () => {
    const pve = bench.as('mcp@pve!operator');
    expect(await bench.fails('pve_backup_restore', { backup: keycloak }, { pve })).toMatchObject({ kind: 'not-found' });
    const nobody = bench.as('mcp@pve!auditor');
    const given = { ugid: 'mcp@pve!auditor', type: 'token', roleid: 'Administrator', propagate: true } as const;
    bench.world.access.acl.push({ ...given, path: '/storage' });
    expect(await bench.fails('pve_backup_restore', { backup: keycloak }, { pve: nobody })).toMatchObject({
      kind: 'permission',
    });
    bench.world.access.acl.pop();
    expect(bench.writes().length).toBeLessThanOrEqual(1);
  });

  it('can be asked about', async () => {
    expect((await bench.preview('pve_backup_restore', { backup: keycloak, new_vmid: 600 })).message).toBe(
      [
        `Restore ${keycloak} (of 2026-11-09T17:10:00Z) to the new CT 600 (keycloak) on pve1 with its disks on local-lvm.`,
        '192.168.2.70/24 is its address and that of CT 400 (keycloak) on pve1: change one of them before both run.',
      ].join('\n'),
    );
  });
});
