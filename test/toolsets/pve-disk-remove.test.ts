import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const remove = (input: Record<string, unknown>) => bench.call('pve_disk_remove', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_disk_remove', input);
const preview = (input: Record<string, unknown>) => bench.preview('pve_disk_remove', input);
const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};
const volumes = () => bench.world.storages.flatMap((storage) => storage.volumes.map(({ volid }) => volid));

describe('pve_disk_remove', () => {
  it('names the volume and its size before it is destroyed', async () => {
    expect(await preview({ guest: 201, disk: 'scsi0', destroy: true })).toMatchInlineSnapshot(`
      {
        "message": "DESTROY the volume local-lvm:vm-201-disk-0 (64G), scsi0 of VM 201 (win11) on pve1, with all its data. There is no undo.
      It is in the boot order: the VM may not start without it.
      Last backup of the guest: none found.",
        "state": {
          "disk": "scsi0",
          "name": "win11",
          "node": "pve1",
          "value": "local-lvm:vm-201-disk-0,size=64G",
          "vmid": 201,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('says that a detached one stays', async () => {
    expect((await preview({ guest: 201, disk: 'scsi0' })).message).toMatchInlineSnapshot(`
      "Detach scsi0 (local-lvm:vm-201-disk-0, 64G) from VM 201 (win11) on pve1.
      The volume stays as an unused one, with all its data.
      It is in the boot order: the VM may not start without it."
    `);
  });

  it('detaches a disk of a VM: one write', async () => {
    expect(await remove({ guest: 201, disk: 'scsi0' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "disk": "scsi0",
          "guest": "VM 201 (win11) on pve1",
          "task_state": "ok",
          "unused": "unused0",
          "upid": "UPID:pve1:…:qmconfig:201:root@pam!mcp:",
          "waited": "… s",
          "was": "local-lvm:vm-201-disk-0,size=64G",
        },
        "headline": "VM 201 (win11) on pve1: scsi0 is detached; its volume is unused0 now",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/config']);
    expect(config(201)).toMatchObject({ unused0: 'local-lvm:vm-201-disk-0' });
    expect(volumes()).toContain('local-lvm:vm-201-disk-0');
  });

  it('destroys a detached volume: one write', async () => {
    expect((await preview({ guest: 201, disk: 'unused0', destroy: true })).message).toContain(
      'DESTROY the volume local-lvm:vm-201-disk-0 (64 GiB), unused0 of VM 201 (win11) on pve1',
    );
    expect(await remove({ guest: 201, disk: 'unused0', destroy: true })).toMatchObject({
      headline: 'VM 201 (win11) on pve1: unused0 and its volume are gone',
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/config']);
    expect(volumes()).not.toContain('local-lvm:vm-201-disk-0');
  });

  it('destroys an attached disk of a VM in one write', async () => {
    await remove({ guest: 200, disk: 'scsi0', destroy: true });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/200/config']);
    expect(volumes()).not.toContain('local-lvm:vm-200-disk-0');
  });

  it('detaches a mount point of a running container with its next restart', async () => {
    await bench.call('pve_disk_add', { guest: 102, size_gib: 1, mount: '/srv' });
    bench.forget();
    expect((await remove({ guest: 102, disk: 'mp0' })).headline).toContain('goes with the next restart');
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/102/config']);
  });

  it('destroys a mount point of a container in two calls, each one write', async () => {
    await bench.call('pve_disk_add', { guest: 400, size_gib: 1, mount: '/srv' });
    const volume = String(config(400).mp0).split(',')[0];
    bench.forget();
    expect(await fails({ guest: 400, disk: 'mp0', destroy: true })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "mp0 (local-lvm:vm-400-disk-1, 1G) of CT 400 (keycloak) on pve1 is attached, and Proxmox VE destroys only detached volumes of a container.",
        "hint": "Call without destroy first; the answer names the unused volume, which a second call with destroy deletes.",
        "kind": "invalid-input",
      }
    `);
    expect(bench.writes()).toEqual([]);
    expect((await remove({ guest: 400, disk: 'mp0' })).facts).toMatchObject({ unused: 'unused0' });
    expect(volumes()).toContain(volume);
    await remove({ guest: 400, disk: 'unused0', destroy: true });
    expect(volumes()).not.toContain(volume);
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/400/config', 'PUT /nodes/pve1/lxc/400/config']);
  });

  it('leaves the folder behind a bind mount', async () => {
    Object.assign(config(400), { mp1: '/tank/media,mp=/media' });
    expect((await preview({ guest: 400, disk: 'mp1' })).message).toContain('Nothing is deleted.');
    expect(await fails({ guest: 400, disk: 'mp1', destroy: true })).toMatchObject({ kind: 'invalid-input' });
    expect((await remove({ guest: 400, disk: 'mp1' })).facts).toMatchObject({ was: '/tank/media,mp=/media' });
    expect(config(400).unused0).toBeUndefined();
  });

  it('destroys no volume of another guest, and leaves it where it is', async () => {
    Object.assign(config(201), { scsi7: 'local-lvm:vm-101-disk-0,size=8G' });
    expect(await fails({ guest: 201, disk: 'scsi7', destroy: true })).toMatchObject({
      kind: 'invalid-input',
      headline: expect.stringContaining('is a volume of guest 101'),
    });
    expect((await preview({ guest: 201, disk: 'scsi7' })).message).toContain('The volume stays on its storage.');
    expect(bench.writes()).toEqual([]);
    delete config(201).scsi7;
  });

  it('does not touch a disk that the next restart replaces', async () => {
    const guest = bench.world.guest(300);
    if (!guest) throw new Error('no VM 300');
    guest.pending.scsi0 = 'local-lvm:vm-300-disk-9,size=1G';
    for (const [tool, input] of [
      ['pve_disk_remove', { destroy: true }],
      ['pve_disk_resize', { size: '+1G' }],
      ['pve_disk_move', { storage: 'nas' }],
    ] as const) {
      expect(await bench.fails(tool, { guest: 300, disk: 'scsi0', ...input })).toMatchObject({
        kind: 'conflict',
        headline: expect.stringContaining('vm-300-disk-9 after the next restart'),
      });
    }
    expect(bench.writes()).toEqual([]);
    delete guest.pending.scsi0;
  });

  it('says so when the volume is still there', async () => {
    await bench.call('pve_disk_add', { guest: 201, size_gib: 1, storage: 'local-lvm' });
    const key = Object.keys(config(201)).find((one) => /^(scsi|virtio)\d+$/.test(one)) ?? '';
    const volid = String(config(201)[key]).split(',')[0] ?? '';
    const listing = bent(/\/storage\/local-lvm\/content/, () =>
      JSON.stringify({ data: [{ volid, content: 'images', vmid: 201 }] }),
    );
    const pve = bench.as('root@pam!mcp', listing);
    const told = await bench.call('pve_disk_remove', { guest: 201, disk: key, destroy: true }, { pve });
    expect(told.headline).toBe(`VM 201 (win11) on pve1: ${key} is gone; its volume is still on the storage`);
  });

  it.each([
    [{ guest: 400, disk: 'rootfs' }, 'invalid-input'],
    [{ guest: 300, disk: 'ide2', destroy: true }, 'not-found'],
    [{ guest: 9000, disk: 'scsi0', destroy: true }, 'conflict'],
  ])('refuses %j before anybody is asked', async (input, kind) => {
    expect(await fails(input)).toMatchObject({ kind });
    await expect(preview(input)).rejects.toMatchObject({ kind });
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_disk_remove', { guest: 300, disk: 'scsi0' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.Disk'),
    });
    expect(config(300).scsi0).toBeDefined();
  });
});
