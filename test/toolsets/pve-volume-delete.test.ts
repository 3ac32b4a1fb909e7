import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const iso = 'local:iso/debian-13.1.0-amd64-netinst.iso';
const orphan = 'local-lvm:vm-101-disk-7';

describe('pve_volume_delete', () => {
  it('refuses the disk of a guest and names the guest, before anybody is asked', async () => {
    expect(await bench.fails('pve_volume_delete', { volume: 'local-lvm:vm-410-disk-0' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "used_by": [
            "CT 410 (postgres) on pve1 (rootfs)",
          ],
        },
        "headline": "local-lvm:vm-410-disk-0 is in use by CT 410 (postgres) on pve1 (rootfs).",
        "hint": "Detach it from the guest first (pve_disk_remove), or delete the snapshot that holds it.",
        "kind": "conflict",
      }
    `);
    await expect(bench.preview('pve_volume_delete', { volume: 'local-lvm:vm-410-disk-0' })).rejects.toThrow(
      'in use by',
    );
    expect(bench.writes()).toEqual([]);
  });

  it('refuses a disk that only a snapshot or only the running guest still holds', async () => {
    const guest = bench.world.guest(200);
    if (!guest) throw new Error('no VM 200');
    const scsi0 = guest.config.scsi0 ?? '';
    delete guest.config.scsi0;
    expect(await bench.fails('pve_volume_delete', { volume: 'local-lvm:vm-200-disk-0' })).toMatchObject({
      headline: expect.stringContaining('(scsi0 of snapshot clean)'),
    });
    guest.config.scsi0 = scsi0;
    guest.pending.scsi0 = null;
    expect(await bench.fails('pve_volume_delete', { volume: 'local-lvm:vm-200-disk-0' })).toMatchObject({
      headline: 'local-lvm:vm-200-disk-0 is in use by VM 200 (homeassistant) on pve1 (scsi0).',
    });
    delete guest.pending.scsi0;
  });

  it('refuses an ISO image that is in a drive', async () => {
    const guest = bench.world.guest(201);
    if (guest) guest.config.ide2 = `${iso},media=cdrom`;
    expect(await bench.fails('pve_volume_delete', { volume: iso, node: 'pve1' })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining('VM 201 (win11) on pve1 (ide2)'),
      hint: 'Take it out of the drive first.',
    });
    if (guest) delete guest.config.ide2;
  });

  it('asks which one is meant, and shows a human what goes', async () => {
    expect(await bench.fails('pve_volume_delete', { volume: iso })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "pve1",
            "pve2",
          ],
        },
        "headline": "local:iso/debian-13.1.0-amd64-netinst.iso is there on each of pve1, pve2.",
        "hint": "Say which one with node.",
        "kind": "ambiguous",
      }
    `);
    expect(await bench.preview('pve_volume_delete', { volume: iso, node: 'pve2' })).toMatchInlineSnapshot(`
      {
        "message": "Delete local:iso/debian-13.1.0-amd64-netinst.iso (iso, 783 MiB, of 2026-08-22T03:10:00Z) from local of pve2. There is no undo.
      No VM has it in a drive.",
        "state": {
          "made": 1787368200,
          "node": "pve2",
          "size": 821035008,
          "volume": "local:iso/debian-13.1.0-amd64-netinst.iso",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('deletes the one that is meant: one write', async () => {
    expect(await bench.call('pve_volume_delete', { volume: iso, node: 'pve2' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "freed": "783 MiB",
          "node": "pve2",
          "storage": "local",
          "task_state": "ok",
          "upid": "UPID:pve2:…:imgdel:local:root@pam!mcp:",
          "volume": "local:iso/debian-13.1.0-amd64-netinst.iso",
          "waited": "… s",
        },
        "headline": "local:iso/debian-13.1.0-amd64-netinst.iso was deleted",
      }
    `);
    expect(bench.writes()).toEqual([`DELETE /nodes/pve2/storage/local/content/${iso}`]);
    const left = bench.world.storage('local')?.volumes.filter(({ volid }) => volid === iso);
    expect(left?.map(({ node }) => node)).toEqual(['pve1']);
  });

  it('refuses what another guest than its own uses', async () => {
    const common = { node: 'pve1', format: 'raw', size: 2 ** 30, ctime: 1 } as const;
    const disk = { ...common, volid: 'local-lvm:vm-999-disk-0', content: 'images', vmid: 999 } as const;
    const snippet = { ...common, volid: 'local:snippets/user.yaml', content: 'snippets' } as const;
    bench.world.storage('local-lvm')?.volumes.push(disk);
    const local = bent(/\/nodes\/pve1\/storage\/local\/content/, () => JSON.stringify({ data: [snippet] }));
    const pve = bench.as('root@pam!mcp', local);
    const config = bench.world.guest(201)?.config ?? {};
    Object.assign(config, {
      scsi7: `${disk.volid},size=1G`,
      cicustom: `network=local:snippets/n,user=${snippet.volid}`,
    });
    expect(await bench.fails('pve_volume_delete', { volume: disk.volid })).toMatchObject({
      kind: 'conflict',
      headline: `${disk.volid} is in use by VM 201 (win11) on pve1 (scsi7).`,
    });
    expect(await bench.fails('pve_volume_delete', { volume: snippet.volid, node: 'pve1' }, { pve })).toMatchObject({
      kind: 'conflict',
      hint: 'Take it out of cicustom first.',
    });
    delete config.scsi7;
    delete config.cicustom;
    expect(bench.writes()).toEqual([]);
  });

  it('tells a copy on another node from the disk of the guest', async () => {
    const copy = { volid: 'local-lvm:vm-410-disk-0', content: 'rootdir', vmid: 410, size: 1 };
    const bend = bent(/\/nodes\/pve2\/storage\/local-lvm\/content/, () => JSON.stringify({ data: [copy] }));
    const input = { volume: copy.volid, node: 'pve2' };
    const failed = await bench.fails('pve_volume_delete', input, { pve: bench.as('root@pam!mcp', bend) });
    expect(failed.hint).toContain('The guest is on pve1: this one may serve its replication');
    expect(failed.hint).toContain('`pvesm free local-lvm:vm-410-disk-0` on pve2');
  });

  it('deletes a disk that was left over', async () => {
    const volume = { volid: orphan, node: 'pve1', content: 'rootdir', format: 'raw', size: 2 ** 30, ctime: 1 } as const;
    bench.world.storage('local-lvm')?.volumes.push({ ...volume, vmid: 101 });
    const { message } = await bench.preview('pve_volume_delete', { volume: orphan });
    expect(message).toContain('names it, and no snapshot of its guest. It belonged to guest 101.');
    expect((await bench.call('pve_volume_delete', { volume: orphan })).facts).toMatchObject({ freed: '1 GiB' });
  });

  it('does not say that it is gone while it is listed', async () => {
    const volume = { volid: orphan, node: 'pve1', content: 'rootdir', format: 'raw', size: 2 ** 30, ctime: 1 } as const;
    bench.world.storage('local-lvm')?.volumes.push({ ...volume, vmid: 101 });
    const data = [{ volid: orphan, content: 'rootdir', vmid: 101 }];
    const kept = bent(/\/storage\/local-lvm\/content/, () => JSON.stringify({ data }));
    const input = { volume: orphan, node: 'pve1' };
    const told = await bench.call('pve_volume_delete', input, { pve: bench.as('root@pam!mcp', kept) });
    expect(told).toMatchObject({ headline: `${orphan} is still listed after its deletion` });
    expect(told.facts).not.toHaveProperty('freed');
  });

  it('leaves backups to the tool that is for them', async () => {
    const volume = 'local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst';
    expect(await bench.fails('pve_volume_delete', { volume })).toMatchObject({ kind: 'invalid-input' });
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_volume_delete', { volume: iso }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('Datastore.Allocate'),
    });
    expect(bench.writes()).toHaveLength(1);
  });
});
