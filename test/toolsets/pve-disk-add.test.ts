import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const add = (input: Record<string, unknown>) => bench.call('pve_disk_add', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_disk_add', input);
const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};

describe('pve_disk_add', () => {
  it('gives a VM a disk on the next free slot, on the storage of its first one: one write', async () => {
    expect(await add({ guest: 200, size_gib: 8 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "disk": "scsi1",
          "guest": "VM 200 (homeassistant) on pve1",
          "notes": [
            "It is empty: partition, format and mount it inside the VM.",
          ],
          "task_state": "ok",
          "upid": "UPID:pve1:…:qmconfig:200:root@pam!mcp:",
          "value": "local-lvm:vm-200-disk-1,size=8G",
          "waited": "… s",
        },
        "headline": "VM 200 (homeassistant) on pve1: scsi1 of 8 GiB added",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/200/config']);
    expect(config(200).scsi1).toContain('local-lvm:');
  });

  it('gives a container a mount point: one write', async () => {
    expect(await add({ guest: 101, size_gib: 4, mount: '/srv/data', storage: 'local-lvm' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "disk": "mp0",
          "guest": "CT 101 (pihole) on pve1",
          "value": "local-lvm:vm-101-disk-0,backup=1,mp=/srv/data,size=4G",
        },
        "headline": "CT 101 (pihole) on pve1: mp0 of 4 GiB added",
      }
    `);
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/101/config']);
    const volume = String(config(101).mp0).split(',')[0];
    expect(bench.world.storage('local-lvm')?.volumes).toContainEqual(
      expect.objectContaining({ volid: volume, size: 4 * 1024 ** 3, vmid: 101 }),
    );
  });

  it('takes another bus, storage and no backups', async () => {
    const told = await add({ guest: 300, size_gib: 1, bus: 'sata', storage: 'local-zfs', backup: false });
    expect(told.facts).toMatchObject({
      disk: 'sata0',
      restart_needed: true,
      value: expect.stringMatching(/^local-zfs:.*backup=0/),
    });
    expect((await add({ guest: 300, size_gib: 1, bus: 'sata' })).facts).toMatchObject({ disk: 'sata1' });
  });

  it('knows which storages can hold a disk', async () => {
    expect(await fails({ guest: 200, size_gib: 8, storage: 'pbs' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "local-zfs",
            "nas",
            "local-lvm",
          ],
        },
        "headline": "Storage "pbs" cannot hold images on pve1: it is not there, not available, or not made for that.",
        "hint": "Those that can: local-zfs (599 GiB free), nas (500 GiB free), local-lvm (128 GiB free).",
        "kind": "not-found",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [{ guest: 200, size_gib: 1, mount: '/srv' }, 'invalid-input'],
    [{ guest: 101, size_gib: 1 }, 'invalid-input'],
    [{ guest: 101, size_gib: 1, mount: '/x', bus: 'scsi' }, 'invalid-input'],
    [{ guest: 101, size_gib: 1, mount: '/x,ro=1' }, 'invalid-input'],
    [{ guest: 101, size_gib: 1, mount: '/x/../y' }, 'invalid-input'],
    [{ guest: 101, size_gib: 1, mount: '/srv/data' }, 'conflict'],
    [{ guest: 9000, size_gib: 1 }, 'conflict'],
  ])('refuses %j before anything is written', async (input, kind) => {
    expect(await fails(input)).toMatchObject({ kind });
    expect(bench.writes()).toEqual([]);
  });

  it('tells what Proxmox VE refuses: a mount point for a protected container', async () => {
    expect(await fails({ guest: 410, size_gib: 1, mount: '/srv' })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining("can't update CT 410 drive 'mp0' - protection mode enabled"),
    });
    expect(config(410).mp0).toBeUndefined();
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_disk_add', { guest: 200, size_gib: 1 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.Disk'),
    });
    expect(config(200).scsi2).toBeUndefined();
  });

  it('can be asked about', async () => {
    expect(await bench.preview('pve_disk_add', { guest: 102, size_gib: 4, mount: '/srv' })).toMatchInlineSnapshot(`
      {
        "message": "Add mp0 of 4 GiB on local-zfs at /srv to CT 102 (webzfs-proxy) on pve1.",
        "state": {
          "disk": "mp0",
          "guest": "CT 102 (webzfs-proxy) on pve1",
          "storage": "local-zfs",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });
});
