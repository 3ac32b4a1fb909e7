import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
const GiB = 1024 ** 3;
const image = 'nas:import/debian-13-genericcloud-amd64.qcow2';
beforeAll(async () => {
  bench = await startBench();
  const nas = bench.world.storage('nas');
  nas?.content.push('import');
  nas?.volumes.push({ volid: image, content: 'import', format: 'qcow2', size: 3 * GiB, ctime: 1_790_000_000 });
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const create = (input: Record<string, unknown>) => bench.call('pve_vm_create', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_vm_create', input);
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeNq5b0u4nZ3cB3FJkzN0Cn0v5y4GqvJXW8r0nF2y0K me@laptop';
const sent = (path: string) =>
  bench.world.requests.findLast((one) => one.method === 'POST' && one.path.endsWith(path))?.params;

describe('pve_vm_create', () => {
  it('makes one of a cloud image: its disk grown, cloud-init set up, started, its address told: three writes', async () => {
    const told = await create({
      name: 'app1',
      import_from: 'debian-13-genericcloud',
      disk_gib: 20,
      user: 'ops',
      ssh_keys: [key],
      ip: '192.168.2.160/24',
      gateway: '192.168.2.1',
    });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "address": "ip=192.168.2.160/24,gw=192.168.2.1",
          "guest": "VM 100 (app1) on pve1",
          "imported": "nas:import/debian-13-genericcloud-amd64.qcow2",
          "ip_addresses": [
            {
              "addresses": [
                "192.168.2.160/24",
              ],
              "interface": "ens18",
            },
          ],
          "node": "pve1",
          "status": "running",
          "steps": [
            {
              "step": "create",
              "task_state": "ok",
              "upid": "UPID:pve1:…:qmcreate:100:root@pam!mcp:",
              "waited": "… s",
            },
            {
              "step": "grow disk",
              "task_state": "ok",
              "upid": "UPID:pve1:…:resize:100:root@pam!mcp:",
              "waited": "… s",
            },
            {
              "step": "start",
              "task_state": "ok",
              "upid": "UPID:pve1:…:qmstart:100:root@pam!mcp:",
              "waited": "… s",
            },
          ],
          "storage": "local-zfs",
          "user": "ops",
          "vmid": 100,
        },
        "headline": "VM 100 (app1) on pve1: created, running, up 1 s",
      }
    `);
    expect(bench.writes()).toEqual([
      'POST /nodes/pve1/qemu',
      'PUT /nodes/pve1/qemu/100/resize',
      'POST /nodes/pve1/qemu/100/status/start',
    ]);
    expect(sent('/qemu')).toMatchInlineSnapshot(`
      {
        "agent": "1",
        "ciuser": "ops",
        "cores": "2",
        "cpu": "x86-64-v2-AES",
        "ide0": "local-zfs:cloudinit",
        "ipconfig0": "ip=192.168.2.160/24,gw=192.168.2.1",
        "machine": "q35",
        "memory": "2048",
        "name": "app1",
        "net0": "virtio,bridge=vmbr0",
        "ostype": "l26",
        "scsi0": "local-zfs:0,import-from=nas:import/debian-13-genericcloud-amd64.qcow2,discard=on,iothread=1",
        "scsihw": "virtio-scsi-single",
        "serial0": "socket",
        "sshkeys": "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIDeNq5b0u4nZ3cB3FJkzN0Cn0v5y4GqvJXW8r0nF2y0K%20me%40laptop",
        "vmid": "100",
      }
    `);
    expect(bench.world.guest(100)?.config.scsi0).toBe('local-zfs:vm-100-disk-0,discard=on,iothread=1,size=20G');
    expect(bench.passwords).toEqual([]);
  });

  it('makes one to be installed from an ISO, with UEFI and TPM as Windows 11 wants them', async () => {
    const told = await create({
      name: 'win',
      iso: 'debian-13',
      ostype: 'win11',
      storage: 'local-lvm',
      vlan: 20,
      start: false,
    });
    expect(told).toMatchObject({ headline: 'VM 103 (win) on pve1: created, stopped' });
    expect(sent('/qemu')).toMatchObject({
      ide2: 'local:iso/debian-13.1.0-amd64-netinst.iso,media=cdrom',
      scsi0: 'local-lvm:32,discard=on,iothread=1',
      efidisk0: 'local-lvm:1,efitype=4m,pre-enrolled-keys=1',
      tpmstate0: 'local-lvm:1,version=v2.0',
      bios: 'ovmf',
      machine: 'q35',
      scsihw: 'virtio-scsi-single',
      net0: 'virtio,bridge=vmbr0,tag=20',
      agent: '1',
    });
    expect(bench.world.guest(103)?.config.boot).toBe('order=scsi0;ide2;net0');
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu']);
  });

  it('makes a password for cloud-init where no key is given, and tells it to the API alone', async () => {
    const told = await create({ name: 'pw', import_from: image, user: 'ops', new_vmid: 600, node: 'pve2' });
    const password = bench.passwords.at(-1) ?? '';
    expect(sent('/qemu')).toMatchObject({ cipassword: password, ipconfig0: 'ip=dhcp', ide0: 'local-zfs:cloudinit' });
    expect(told.facts).toMatchObject({ node: 'pve2', password_file: expect.stringContaining('/secrets/pw-600') });
    expect(JSON.stringify([told, bench.world.guests, bench.world.tasks])).not.toContain(password);
  });

  it('imports a disk by its volume id, without cloud-init when nothing is asked of it', async () => {
    await create({ name: 'copy', import_from: 'local-lvm:vm-200-disk-0', start: false });
    expect(sent('/qemu')?.scsi0).toBe('local-zfs:0,import-from=local-lvm:vm-200-disk-0,discard=on,iothread=1');
    expect(Object.keys(sent('/qemu') ?? {}).filter((name) => /^ci|ide|sshkeys|ipconfig/.test(name))).toEqual([]);
  });

  it.each([
    [{ user: 'x' }, 'invalid-input', 'are for cloud-init, which only a cloud image has inside'],
    [{ import_from: image, disk_gib: 2 }, 'invalid-input', 'it cannot be made smaller'],
    [{ import_from: 'nas:import/nope.qcow2' }, 'not-found', 'There is no volume nas:import/nope.qcow2'],
    [{ import_from: 'fedora' }, 'not-found', 'There is no disk image "fedora"'],
    [
      { iso: 'debian-13', storage: 'pbs' },
      'not-found',
      'No online node has debian-13.1.0-amd64-netinst.iso and storage pbs',
    ],
    [{ new_vmid: 200 }, 'conflict', 'VM 200 already exists'],
  ])('refuses %o before anything is written', async (more, kind, headline) => {
    expect(await fails({ name: 'x', ...more })).toMatchObject({ kind, headline: expect.stringContaining(headline) });
    expect(bench.writes()).toEqual([]);
  });

  it('names the nearest ISO images where there is none of that name', async () => {
    expect(await fails({ name: 'x', iso: 'debian-12' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "debian-13.1.0-amd64-netinst.iso",
          ],
        },
        "headline": "There is no ISO image "debian-12" that this token may use.",
        "hint": "Nearest: debian-13.1.0-amd64-netinst.iso. pve_download brings one there by its URL.",
        "kind": "not-found",
      }
    `);
  });

  it('says what is there already when the disk cannot be grown', async () => {
    const pve = bench.as('root@pam!mcp', (wire) => ({
      ...wire,
      send: async (request) =>
        request.method === 'PUT' ? { status: 500, statusText: 'got timeout', body: '' } : wire.send(request),
    }));
    const input = { name: 'half', import_from: image, disk_gib: 9 };
    expect(await bench.fails('pve_vm_create', input, { pve })).toMatchObject({
      headline: expect.stringMatching(/^grow disk: .* still there: create\. Not begun: start\.$/),
      facts: { failed_step: 'grow disk' },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu']);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!operator');
    expect(await bench.fails('pve_vm_create', { name: 'x' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('Datastore.AllocateSpace'),
    });
    expect(bench.world.guests.some(({ config }) => config.name === 'x')).toBe(false);
  });
});
