import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const resize = (input: Record<string, unknown>) => bench.call('pve_disk_resize', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_disk_resize', input);
const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};

describe('pve_disk_resize', () => {
  it('grows a disk of a VM by so much: one write', async () => {
    expect(await resize({ guest: 200, disk: 'scsi0', size: '+8G' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "before": "32G",
          "disk": "scsi0",
          "guest": "VM 200 (homeassistant) on pve1",
          "notes": [
            "Inside the VM the partition and its file system are still as they were: grow them there.",
          ],
          "now": "40G",
          "task_state": "ok",
          "upid": "UPID:pve1:…:resize:200:root@pam!mcp:",
          "volume": "local-lvm:vm-200-disk-0",
          "waited": "… s",
        },
        "headline": "VM 200 (homeassistant) on pve1: scsi0 grown to 40G",
      }
    `);
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/qemu/200/resize']);
    expect(config(200).scsi0).toContain('size=40G');
  });

  it('grows the root disk of a container to a size: one write', async () => {
    expect((await resize({ guest: 'keycloak', disk: 'rootfs', size: '0.5T' })).facts).toMatchObject({
      before: '16G',
      now: '512G',
      task_state: 'ok',
    });
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/400/resize']);
  });

  it('leaves alone what has that size', async () => {
    expect((await resize({ guest: 200, disk: 'scsi0', size: '40G' })).facts).toMatchObject({ changed: false });
    expect(bench.writes()).toEqual([]);
  });

  it('refuses to shrink before anything is written', async () => {
    expect(await fails({ guest: 200, disk: 'scsi0', size: '8G' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "scsi0 (local-lvm:vm-200-disk-0, 40G) of VM 200 (homeassistant) on pve1 has 40 GiB: 8 GiB would shrink it, and a disk can only grow.",
        "hint": "For a smaller disk add a new one (pve_disk_add), copy the data inside the guest, and remove the old one.",
        "kind": "invalid-input",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the disks there are', async () => {
    expect(await fails({ guest: 200, disk: 'virtio0', size: '+1G' })).toMatchObject({
      kind: 'not-found',
      hint: 'It has: scsi0.',
    });
  });

  it.each(['8', '+', '-1G', '1GB', 'lots'])('takes no %s for a size', async (size) => {
    expect(await fails({ guest: 200, disk: 'scsi0', size })).toMatchObject({ kind: 'invalid-input' });
  });

  it.each([
    ['a CD-ROM', 'ide2', 'local:iso/debian-13.1.0-amd64-netinst.iso,media=cdrom,size=783M'],
    ['a detached volume', 'unused0', 'local-lvm:vm-201-disk-9'],
  ])('does not resize %s', async (_, key, value) => {
    Object.assign(config(201), { [key]: value });
    expect(await fails({ guest: 201, disk: key, size: '+1G' })).toMatchObject({ kind: 'invalid-input' });
    expect(bench.writes()).toEqual([]);
  });

  it('wants to be told by how much when the present size is not known', async () => {
    Object.assign(config(201), { scsi3: 'local-lvm:vm-201-disk-3' });
    expect(await fails({ guest: 201, disk: 'scsi3', size: '64G' })).toMatchObject({
      hint: expect.stringContaining('+8G'),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_disk_resize', { guest: 200, disk: 'scsi0', size: '+1G' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.Disk'),
    });
    expect(config(200).scsi0).toContain('size=40G');
  });

  it('can be asked about', async () => {
    expect(
      (await bench.preview('pve_disk_resize', { guest: 410, disk: 'rootfs', size: '+1G' })).message,
    ).toMatchInlineSnapshot(
      `"Grow rootfs (local-lvm:vm-410-disk-0, 64G) of CT 410 (postgres) on pve1 to 65 GiB. It cannot be made smaller again."`,
    );
  });
});
