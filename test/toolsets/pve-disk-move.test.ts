import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const move = (input: Record<string, unknown>) => bench.call('pve_disk_move', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_disk_move', input);
const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};

describe('pve_disk_move', () => {
  it('moves a disk of a running VM and keeps the old volume: one write', async () => {
    expect(await move({ guest: 201, disk: 'scsi0', storage: 'local-zfs' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "before": "local-lvm:vm-201-disk-0",
          "disk": "scsi0",
          "guest": "VM 201 (win11) on pve1",
          "notes": [
            "The old volume is kept as unused0; pve_disk_remove destroys it.",
          ],
          "now": "local-zfs:vm-201-disk-0",
          "old_volume": "unused0",
          "task_state": "ok",
          "upid": "UPID:pve1:…:qmmove:201:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 201 (win11) on pve1: scsi0 moved to local-zfs",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/move_disk']);
    expect(config(201)).toMatchObject({
      scsi0: expect.stringMatching(/^local-zfs:/),
      unused0: 'local-lvm:vm-201-disk-0',
    });
  });

  it('moves the disk of a stopped container and deletes the old volume: one write', async () => {
    Object.assign(bench.world.guest(400) ?? {}, { snapshots: [] });
    expect((await move({ guest: 400, disk: 'rootfs', storage: 'nas', delete_source: true })).facts).toMatchObject({
      old_volume: 'deleted',
      now: expect.stringMatching(/^nas:400\//),
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/move_volume']);
    const volumes = bench.world.storage('local-lvm')?.volumes.map(({ volid }) => volid);
    expect(volumes).not.toContain('local-lvm:vm-400-disk-0');
  });

  it('says so when the old volume was not deleted after all', async () => {
    const row = { volid: String(config(201).unused0), content: 'images', vmid: 201 };
    const volid = String(config(201).scsi0).split(',')[0];
    const data = [row, { ...row, volid }];
    const kept = bent(/\/storage\/local-zfs\/content/, () => JSON.stringify({ data }));
    const input = { guest: 201, disk: 'scsi0', storage: 'nas', delete_source: true };
    const { facts } = await bench.call('pve_disk_move', input, { pve: bench.as('root@pam!mcp', kept) });
    expect(facts).toMatchObject({ old_volume: 'still there' });
    await move({ guest: 201, disk: 'scsi0', storage: 'local-zfs', delete_source: true });
  });

  it('tells beforehand that space is short, and leaves it to the storage', async () => {
    const nas = bench.world.storage('nas');
    if (nas) nas.used = nas.total - 1024 ** 3;
    const preview = await bench.preview('pve_disk_move', { guest: 201, disk: 'scsi0', storage: 'nas' });
    expect(preview.message).toMatchInlineSnapshot(`
      "Move scsi0 (local-zfs:vm-201-disk-0, 64G) of VM 201 (win11) on pve1 to nas. The old volume stays as an unused one.
      nas has 1 GiB free, less than the disk's 64 GiB: it fits only if most of it is empty."
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('deletes no source that is the volume of another guest', async () => {
    Object.assign(config(201), { scsi7: 'local-lvm:vm-101-disk-0,size=8G' });
    const input = { guest: 201, disk: 'scsi7', storage: 'local-zfs', delete_source: true };
    expect(await fails(input)).toMatchObject({ kind: 'conflict', hint: 'Leave out delete_source.' });
    await expect(bench.preview('pve_disk_move', input)).rejects.toThrow("another guest's volume");
    expect(bench.writes()).toEqual([]);
    delete config(201).scsi7;
  });

  it('refuses the storage that it is on', async () => {
    expect(await fails({ guest: 200, disk: 'scsi0', storage: 'local-lvm' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "scsi0 (local-lvm:vm-200-disk-0, 32G) of VM 200 (homeassistant) on pve1 is on local-lvm already.",
        "hint": "Nothing has to be done.",
        "kind": "conflict",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [{ guest: 410, disk: 'rootfs', storage: 'nas' }, 'conflict', 'Shut it down'],
    [{ guest: 200, disk: 'scsi0', storage: 'local' }, 'not-found', 'Those that can'],
    [{ guest: 200, disk: 'scsi9', storage: 'nas' }, 'not-found', 'It has: scsi0'],
    [{ guest: 400, disk: 'rootfs', storage: 'local-lvm', format: 'raw' }, 'invalid-input', 'Leave it out'],
    [{ guest: 9000, disk: 'scsi0', storage: 'nas' }, 'conflict', 'Clone it'],
  ])('refuses %j before anything is written', async (input, kind, hint) => {
    expect(await fails(input)).toMatchObject({ kind, hint: expect.stringContaining(hint) });
    expect(bench.writes()).toEqual([]);
  });

  it('tells what Proxmox VE refuses: a source that snapshots need', async () => {
    const { value = '' } = { value: String(config(200).scsi0) };
    const snapshot = bench.world.guest(200)?.snapshots[0];
    expect(snapshot?.config.scsi0).toBe(value);
    const input = { guest: 200, disk: 'scsi0', storage: 'local-zfs', delete_source: true };
    expect((await fails(input)).headline).toContain("you can't move a disk with snapshots and delete the source");
    expect(config(200).scsi0).toBe(value);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    const input = { guest: 200, disk: 'scsi0', storage: 'local-zfs' };
    expect(await bench.fails('pve_disk_move', input, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.Disk'),
    });
  });
});
