import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const list = (input: Record<string, unknown> = {}) => bench.call('pve_backup_list', input);

describe('pve_backup_list', () => {
  it('lists the backups of all storages, newest first', async () => {
    expect(await list()).toMatchInlineSnapshot(`
      {
        "facts": {
          "backups": [
            {
              "backup": "pbs:backup/ct/101/2026-11-20T00:10:00Z",
              "guest": "pihole",
              "kind": "lxc",
              "size": "2 GiB",
              "storage": "pbs",
              "taken": "2026-11-20T00:10:00Z",
              "vmid": 101,
            },
            {
              "backup": "pbs:backup/ct/410/2026-11-20T00:10:00Z",
              "guest": "postgres",
              "kind": "lxc",
              "size": "38 GiB",
              "storage": "pbs",
              "taken": "2026-11-20T00:10:00Z",
              "verified": "ok",
              "vmid": 410,
            },
            {
              "backup": "pbs:backup/vm/200/2026-11-20T00:10:00Z",
              "guest": "homeassistant",
              "kind": "qemu",
              "size": "32 GiB",
              "storage": "pbs",
              "taken": "2026-11-20T00:10:00Z",
              "vmid": 200,
            },
            {
              "backup": "pbs:backup/ct/410/2026-11-19T00:10:00Z",
              "guest": "postgres",
              "kind": "lxc",
              "size": "38 GiB",
              "storage": "pbs",
              "taken": "2026-11-19T00:10:00Z",
              "verified": "failed",
              "vmid": 410,
            },
            {
              "backup": "nas:backup/vzdump-qemu-300-2026_11_17-21_10_00.vma.zst",
              "guest": "gitlab",
              "kind": "qemu",
              "notes": {
                "remote": "gitlab",
              },
              "size": "41 GiB",
              "storage": "nas",
              "taken": "2026-11-17T21:10:00Z",
              "vmid": 300,
            },
            {
              "backup": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
              "guest": "keycloak",
              "kind": "lxc",
              "node": "pve1",
              "notes": {
                "remote": "keycloak",
              },
              "protected": true,
              "size": "812 MiB",
              "storage": "local",
              "taken": "2026-11-09T17:10:00Z",
              "vmid": 400,
            },
          ],
        },
        "headline": "6 backups of 5 guests, 152 GiB; newest of 2026-11-20T00:10:00Z",
      }
    `);
  });

  it('finds those of one guest by its name, and of one storage', async () => {
    expect(await list({ guest: 'keycloak' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "backups": [
            {
              "backup": "local:backup/vzdump-lxc-400-2026_11_09-17_10_00.tar.zst",
              "guest": "keycloak",
              "kind": "lxc",
              "node": "pve1",
              "notes": {
                "remote": "keycloak",
              },
              "protected": true,
              "size": "812 MiB",
              "storage": "local",
              "taken": "2026-11-09T17:10:00Z",
              "vmid": 400,
            },
          ],
        },
        "headline": "1 backup of 1 guest, 812 MiB; newest of 2026-11-09T17:10:00Z",
      }
    `);
    const { facts } = await list({ guest: 410, storage: 'pbs', limit: 1 });
    expect(facts).toMatchObject({ backups: [{ vmid: 410, verified: 'ok' }], not_shown: 1 });
  });

  it('still lists those of a guest that is gone', async () => {
    const guests = bench.world.guests;
    const [gitlab] = guests.splice(
      guests.findIndex(({ vmid }) => vmid === 300),
      1,
    );
    const { facts } = await list({ guest: 300 });
    if (gitlab) guests.push(gitlab);
    expect(facts).toMatchObject({ backups: [{ vmid: 300, guest: 'no guest of that id now', storage: 'nas' }] });
  });

  it('tells the rest when a storage or a node does not answer', async () => {
    bench.world.switches.offline.add('pve2');
    const pbs = bench.world.storage('pbs');
    if (pbs) pbs.active = false;
    const { headline, facts } = await list();
    if (pbs) pbs.active = true;
    bench.world.switches.offline.clear();
    expect(headline).toBe('2 backups of 2 guests, 41.8 GiB; newest of 2026-11-17T21:10:00Z');
    expect(facts).toMatchObject({
      notes: ['Storage local is not available now on pve2.', 'Storage pbs is not available now on pve1, pve2.'],
    });
  });

  it('knows no such storage or guest', async () => {
    expect(await bench.fails('pve_backup_list', { storage: 'pbs2' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "local",
            "local-lvm",
            "local-zfs",
            "nas",
            "pbs",
          ],
        },
        "headline": "There is no storage "pbs2" that this token may see.",
        "hint": "There are: local, local-lvm, local-zfs, nas, pbs.",
        "kind": "not-found",
      }
    `);
    expect((await list({ storage: 'local-zfs' })).facts).toMatchObject({
      notes: ['Storage local-zfs is not made to hold backup.', expect.anything()],
    });
    expect(await bench.fails('pve_backup_list', { guest: 'keycloack' })).toMatchObject({ kind: 'not-found' });
  });

  it('says why a token may see none', async () => {
    const none = await bench.call('pve_backup_list', {}, { pve: bench.as('mcp@pve!auditor') });
    expect(none).toMatchObject({
      headline: 'No backup found',
      facts: { notes: [expect.stringContaining('VM.Backup')] },
    });
    const pve = bench.as('mcp@pve!nothing');
    expect((await bench.call('pve_backup_list', {}, { pve })).facts).toMatchObject({
      notes: [expect.stringContaining('sees no storage'), expect.stringContaining('VM.Backup')],
    });
  });
});
