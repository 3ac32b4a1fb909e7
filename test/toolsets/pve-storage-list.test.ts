import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_storage_list', () => {
  it('lists storages per node, a shared one once, with use and content', async () => {
    expect(await bench.call('pve_storage_list')).toMatchInlineSnapshot(`
      {
        "facts": {
          "storages": [
            {
              "content": [
                "backup",
                "iso",
                "vztmpl",
              ],
              "free": "73 GiB",
              "nodes": [
                "pve1",
              ],
              "shared": false,
              "state": "active",
              "storage": "local",
              "type": "dir",
              "used": "21 GiB of 94 GiB (22 %)",
            },
            {
              "content": [
                "backup",
                "iso",
                "vztmpl",
              ],
              "free": "73 GiB",
              "nodes": [
                "pve2",
              ],
              "shared": false,
              "state": "active",
              "storage": "local",
              "type": "dir",
              "used": "21 GiB of 94 GiB (22 %)",
            },
            {
              "content": [
                "images",
                "rootdir",
              ],
              "free": "128 GiB",
              "nodes": [
                "pve1",
              ],
              "shared": false,
              "state": "active",
              "storage": "local-lvm",
              "type": "lvmthin",
              "used": "212 GiB of 340 GiB (62 %)",
            },
            {
              "content": [
                "images",
                "rootdir",
              ],
              "free": "128 GiB",
              "nodes": [
                "pve2",
              ],
              "shared": false,
              "state": "active",
              "storage": "local-lvm",
              "type": "lvmthin",
              "used": "212 GiB of 340 GiB (62 %)",
            },
            {
              "content": [
                "images",
                "rootdir",
              ],
              "free": "599 GiB",
              "nodes": [
                "pve1",
              ],
              "shared": false,
              "state": "active",
              "storage": "local-zfs",
              "type": "zfspool",
              "used": "301 GiB of 900 GiB (33 %)",
            },
            {
              "content": [
                "images",
                "rootdir",
              ],
              "free": "599 GiB",
              "nodes": [
                "pve2",
              ],
              "shared": false,
              "state": "active",
              "storage": "local-zfs",
              "type": "zfspool",
              "used": "301 GiB of 900 GiB (33 %)",
            },
            {
              "content": [
                "images",
                "rootdir",
                "backup",
                "iso",
              ],
              "free": "500 GiB",
              "nodes": [
                "pve1",
                "pve2",
              ],
              "shared": true,
              "state": "active",
              "storage": "nas",
              "type": "nfs",
              "used": "6.5 TiB of 7 TiB (93 %)",
            },
            {
              "content": [
                "backup",
              ],
              "free": "2.1 TiB",
              "nodes": [
                "pve1",
                "pve2",
              ],
              "shared": true,
              "state": "active",
              "storage": "pbs",
              "type": "pbs",
              "used": "1.4 TiB of 3.5 TiB (39 %)",
            },
          ],
        },
        "headline": "8 storages; fullest is nas at 93 %",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('keeps to one node and one kind of content', async () => {
    const { facts } = await bench.call('pve_storage_list', { node: 'pve2', content: 'backup' });
    for (const row of (facts as { storages: { nodes: string[]; content: string[] }[] }).storages) {
      expect(row.nodes).toEqual(['pve2']);
      expect(row.content).toContain('backup');
    }
  });

  it('tells one that is inactive', async () => {
    const storage = bench.world.storage('nas');
    if (storage) storage.active = false;
    const { facts } = await bench.call('pve_storage_list', { node: 'pve1' });
    if (storage) storage.active = true;
    const row = (facts as { storages: { storage: string }[] }).storages.find((one) => one.storage === 'nas');
    expect(row).toMatchObject({ state: 'inactive' });
    expect(row).not.toHaveProperty('used');
  });

  it('goes on without a node that is offline, and says so', async () => {
    bench.world.switches.offline.add('pve2');
    const { facts } = await bench.call('pve_storage_list');
    bench.world.switches.offline.delete('pve2');
    expect(facts).toMatchObject({ notes: ['Node pve2 could not be read: it is offline.'] });
  });

  it('names the nodes there are for one that is not', async () => {
    expect(await bench.fails('pve_storage_list', { node: 'pve9' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "pve1",
            "pve2",
          ],
        },
        "headline": "There is no node "pve9".",
        "hint": "The nodes are: pve1, pve2.",
        "kind": "not-found",
      }
    `);
  });
});
