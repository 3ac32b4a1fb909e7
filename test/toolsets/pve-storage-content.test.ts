import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const list = (input: Record<string, unknown> = {}) => bench.call('pve_storage_content', input);

describe('pve_storage_content', () => {
  it('lists what is on one storage, largest first, with its owners', async () => {
    expect(await list({ storage: 'local-lvm' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "volumes": [
            {
              "content": "rootdir",
              "format": "raw",
              "guest": "postgres",
              "made": "2026-09-21T03:10:00Z",
              "node": "pve1",
              "size": "64 GiB",
              "vmid": 410,
              "volume": "local-lvm:vm-410-disk-0",
            },
            {
              "content": "images",
              "format": "raw",
              "guest": "win11",
              "made": "2026-09-21T03:10:00Z",
              "node": "pve1",
              "size": "64 GiB",
              "vmid": 201,
              "volume": "local-lvm:vm-201-disk-0",
            },
            {
              "content": "images",
              "format": "raw",
              "guest": "homeassistant",
              "made": "2026-09-21T03:10:00Z",
              "node": "pve1",
              "size": "32 GiB",
              "vmid": 200,
              "volume": "local-lvm:vm-200-disk-0",
            },
            {
              "content": "rootdir",
              "format": "raw",
              "guest": "keycloak",
              "made": "2026-09-21T03:10:00Z",
              "node": "pve1",
              "size": "16 GiB",
              "vmid": 400,
              "volume": "local-lvm:vm-400-disk-0",
            },
            {
              "content": "images",
              "format": "raw",
              "guest": "debian-13-template",
              "made": "2026-09-21T03:10:00Z",
              "node": "pve1",
              "size": "3 GiB",
              "vmid": 9000,
              "volume": "local-lvm:base-9000-disk-0",
            },
          ],
        },
        "headline": "5 volumes, 179 GiB: 3 images, 2 rootdir",
      }
    `);
  });

  it('lists a kind of content, each node with its own', async () => {
    expect(await list({ content: 'iso' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "volumes": [
            {
              "content": "iso",
              "format": "iso",
              "made": "2026-08-22T03:10:00Z",
              "node": "pve1",
              "size": "783 MiB",
              "volume": "local:iso/debian-13.1.0-amd64-netinst.iso",
            },
            {
              "content": "iso",
              "format": "iso",
              "made": "2026-08-22T03:10:00Z",
              "node": "pve2",
              "size": "783 MiB",
              "volume": "local:iso/debian-13.1.0-amd64-netinst.iso",
            },
          ],
        },
        "headline": "2 volumes, 1.5 GiB: 2 iso",
      }
    `);
    expect((await list({ content: 'vztmpl', node: 'pve2' })).headline).toBe('1 volume, 129 MiB: 1 vztmpl');
  });

  it('lists what belongs to a guest, and not more than is asked for', async () => {
    const { headline, facts } = await list({ guest: 'postgres', sort: 'name', limit: 1 });
    expect(headline).toBe('3 volumes, 140 GiB: 2 backup, 1 rootdir, the first 1 shown');
    expect(facts).toMatchObject({ volumes: [{ volume: 'local-lvm:vm-410-disk-0', guest: 'postgres' }], not_shown: 2 });
    expect((await list({ sort: 'newest', guest: 200 })).facts).toMatchObject({
      volumes: [{ content: 'backup' }, { content: 'images' }],
    });
  });

  it('names the storages and nodes there are', async () => {
    expect(await bench.fails('pve_storage_content', { storage: 'tank' })).toMatchInlineSnapshot(`
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
        "headline": "There is no storage "tank" that this token may see.",
        "hint": "There are: local, local-lvm, local-zfs, nas, pbs.",
        "kind": "not-found",
      }
    `);
    expect(await bench.fails('pve_storage_content', { node: 'pve3' })).toMatchObject({
      kind: 'not-found',
      hint: 'There are: pve1, pve2.',
    });
  });

  it('says what a token may not see, and fails where the one storage that is asked for is denied', async () => {
    const pve = bench.as('mcp@pve!nothing');
    expect((await bench.call('pve_storage_content', {}, { pve })).facts).toMatchObject({
      notes: [expect.stringContaining('Datastore.Audit'), expect.stringContaining('left out in silence')],
    });
    expect(await bench.fails('pve_storage_content', { storage: 'local' }, { pve })).toMatchObject({
      kind: 'not-found',
    });
  });
});
