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

const old = 'pbs:backup/ct/101/2026-11-20T00:10:00Z';
const kept = 'local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst';

describe('pve_backup_delete', () => {
  it('shows a human what goes, and what is left', async () => {
    expect(await bench.preview('pve_backup_delete', { backup: old })).toMatchInlineSnapshot(`
      {
        "message": "Delete the backup pbs:backup/ct/101/2026-11-20T00:10:00Z from pbs (2 GiB). There is no undo.
      It is of guest 101 (pihole), taken 2026-11-20T00:10:00Z. No other backup of it was found: this is the last one.",
        "state": {
          "backup": "pbs:backup/ct/101/2026-11-20T00:10:00Z",
          "size": 2147483648,
          "taken": 1795133400,
          "vmid": 101,
        },
      }
    `);
    const { message } = await bench.preview('pve_backup_delete', { backup: 'pbs:backup/ct/410/2026-11-19T00:10:00Z' });
    expect(message).toContain('Other backups of it: 1, the newest of 2026-11-20T00:10:00Z.');
    expect(bench.writes()).toEqual([]);
  });

  it('says on which node it is, where the storage is not shared', async () => {
    const volid = 'local:backup/vzdump-lxc-101-2026_11_01-00_00_00.tar.zst';
    const data = [{ volid, content: 'backup', vmid: 101, ctime: 1, size: 1024 }];
    const there = bent(/\/nodes\/pve2\/storage\/local\/content/, () => JSON.stringify({ data }));
    const pve = bench.as('root@pam!mcp', there);
    const { message, state } = await bench.preview('pve_backup_delete', { backup: volid }, { pve });
    expect(message).toContain('from local of pve2 (1 KiB)');
    expect(state).toMatchObject({ node: 'pve2' });
  });

  it('refuses a protected one before anybody is asked, with the cure', async () => {
    expect(await bench.fails('pve_backup_delete', { backup: kept })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst is a protected backup: Proxmox VE deletes none of those.",
        "hint": "Whoever protected it has to lift that first: in the web interface Storage > Backups > Change Protection, or \`pvesh set /nodes/pve1/storage/local/content/local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst --protected 0\` on a node.",
        "kind": "conflict",
      }
    `);
    await expect(bench.preview('pve_backup_delete', { backup: kept })).rejects.toThrow('is a protected backup');
    expect(bench.writes()).toEqual([]);
  });

  it('deletes it: one write', async () => {
    expect(await bench.call('pve_backup_delete', { backup: old })).toMatchInlineSnapshot(`
      {
        "facts": {
          "backup": "pbs:backup/ct/101/2026-11-20T00:10:00Z",
          "freed": "2 GiB",
          "storage": "pbs",
          "task_state": "ok",
          "upid": "UPID:pve1:…:imgdel:101@pbs:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "pbs:backup/ct/101/2026-11-20T00:10:00Z was deleted",
      }
    `);
    expect(bench.writes()).toEqual([`DELETE /nodes/pve1/storage/pbs/content/${old}`]);
    expect(bench.world.storage('pbs')?.volumes.map(({ volid }) => volid)).not.toContain(old);
  });

  it('deletes nothing else, and nothing twice', async () => {
    expect(await bench.fails('pve_backup_delete', { backup: old })).toMatchObject({ kind: 'not-found' });
    expect(await bench.fails('pve_backup_delete', { backup: 'local-lvm:vm-400-disk-0' })).toMatchObject({
      kind: 'invalid-input',
      hint: 'pve_volume_delete deletes other volumes.',
    });
    expect(bench.writes()).toEqual([]);
  });

  it('names the privileges without which a backup is not even seen', async () => {
    const pve = bench.as('mcp@pve!operator');
    const backup = 'nas:backup/vzdump-qemu-300-2026_11_17-21_10_00.vma.zst';
    expect(await bench.fails('pve_backup_delete', { backup }, { pve })).toMatchObject({
      kind: 'not-found',
      hint: expect.stringContaining('Datastore.AllocateSpace on its storage and VM.Backup on its guest'),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('is refused for the backups of a protected guest', async () => {
    const tool = tools.find(({ name }) => name === 'pve_backup_delete');
    if (!tool) throw new Error('no such tool');
    const context = bench.context({ setup: { ...setup, protectedGuests: [410] } });
    const backup = 'pbs:backup/ct/410/2026-11-20T00:10:00Z';
    await expect(refuseProtected(tool, { backup }, context)).rejects.toThrow('Guest 410 is protected');
    await refuseProtected(tool, { backup: kept }, context);
  });
});
