import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_overview', () => {
  it('tells a cluster with its nodes, guests, storages and what needs attention', async () => {
    expect(await bench.call('pve_overview')).toMatchInlineSnapshot(`
      {
        "facts": {
          "attention": [
            "Storage nas is 93 % full, 500 GiB free.",
            "1 task failed in the last 24 hours.",
          ],
          "cluster": {
            "name": "homelab",
            "quorate": true,
          },
          "failed_tasks": [
            {
              "id": "300",
              "node": "pve2",
              "reason": {
                "remote": "job errors",
              },
              "started": "2026-11-20T02:40:00Z",
              "state": "failed",
              "took": "21 s",
              "type": "vzdump",
              "upid": "UPID:pve2:…:vzdump:300:root@pam:",
              "user": "root@pam",
            },
          ],
          "guests": {
            "lxc": {
              "running": 3,
              "stopped": 1,
            },
            "qemu": {
              "running": 3,
            },
            "templates": 1,
            "total": 7,
          },
          "kind": "cluster",
          "nodes": [
            {
              "cpu": "14 % of 16",
              "guests_running": 5,
              "memory": "17.7 GiB of 64 GiB (28 %)",
              "node": "pve1",
              "root_disk": "21 GiB of 94 GiB (22 %)",
              "status": "online",
              "uptime": "41 d",
              "version": "9.2.11",
            },
            {
              "cpu": "15 % of 8",
              "guests_running": 1,
              "memory": "12.3 GiB of 32 GiB (38 %)",
              "node": "pve2",
              "root_disk": "12 GiB of 68 GiB (18 %)",
              "status": "online",
              "uptime": "12 d",
              "version": "9.2.11",
            },
          ],
          "storages": [
            {
              "shared": true,
              "storage": "nas",
              "used": "6.5 TiB of 7 TiB (93 %)",
            },
            {
              "node": "pve1",
              "storage": "local-lvm",
              "used": "212 GiB of 340 GiB (62 %)",
            },
            {
              "node": "pve2",
              "storage": "local-lvm",
              "used": "212 GiB of 340 GiB (62 %)",
            },
            {
              "shared": true,
              "storage": "pbs",
              "used": "1.4 TiB of 3.5 TiB (39 %)",
            },
            {
              "node": "pve1",
              "storage": "local-zfs",
              "used": "301 GiB of 900 GiB (33 %)",
            },
            {
              "node": "pve2",
              "storage": "local-zfs",
              "used": "301 GiB of 900 GiB (33 %)",
            },
            {
              "node": "pve1",
              "storage": "local",
              "used": "21 GiB of 94 GiB (22 %)",
            },
            {
              "node": "pve2",
              "storage": "local",
              "used": "21 GiB of 94 GiB (22 %)",
            },
          ],
        },
        "headline": "Cluster homelab, quorate, 2 of 2 nodes online; 7 guests: 6 running, 1 stopped; 2 things to look at",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names a node that is offline, and goes on', async () => {
    bench.world.switches.offline.add('pve2');
    const { facts } = await bench.call('pve_overview');
    bench.world.switches.offline.delete('pve2');
    expect(facts).toMatchObject({ attention: expect.arrayContaining(['Node pve2 is offline.']) });
  });

  it('does not take a standalone node for a broken cluster', async () => {
    type Row = { type: string; node?: string; name?: string };
    const alone = bent(/^\/cluster\/(status|resources)/, (body) => {
      const { data } = JSON.parse(body) as { data: Row[] };
      return JSON.stringify({
        data: data.filter((row) => row.type !== 'cluster' && ![row.node, row.name].includes('pve2')),
      });
    });
    const { headline, facts } = await bench.call('pve_overview', {}, { pve: bench.as('root@pam!mcp', alone) });
    expect(headline).toMatch(/^Standalone node pve1; 6 guests: 5 running, 1 stopped;/);
    expect(facts).toMatchObject({ kind: 'standalone' });
    expect(facts).not.toHaveProperty('cluster');
    expect((facts as { attention: string[] }).attention.join()).not.toMatch(/quorum|offline/);
  });

  it('says first that the cluster has no quorum', async () => {
    bench.world.switches.quorate = false;
    const { headline, facts } = await bench.call('pve_overview');
    bench.world.switches.quorate = true;
    expect(headline).toContain('Cluster homelab, without quorum');
    expect(facts).toMatchObject({ cluster: { quorate: false } });
    expect((facts as { attention: string[] }).attention[0]).toMatch(/^The cluster has no quorum/);
  });

  it('names locked guests', async () => {
    const guest = bench.world.guest(101);
    if (guest) guest.lock = 'backup';
    const { facts } = await bench.call('pve_overview');
    if (guest) guest.lock = undefined;
    expect(facts).toMatchObject({ attention: expect.arrayContaining(['CT 101 (pihole) on pve1 is locked: backup.']) });
  });

  it('says that a token without privileges is why there is nothing to see', async () => {
    const told = await bench.call('pve_overview', {}, { pve: bench.as('mcp@pve!nothing') });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "attention": [
            "The token sees no guest, storage or load: it has no privileges. server_status tells the cure.",
          ],
          "guests": {
            "lxc": {},
            "qemu": {},
            "total": 0,
          },
          "nodes": [
            {
              "guests_running": 0,
              "node": "pve1",
              "status": "online",
            },
            {
              "guests_running": 0,
              "node": "pve2",
              "status": "online",
            },
          ],
          "notes": [
            "Whether this is a cluster could not be read: 127.0.0.1:… denied GET /cluster/status to mcp@pve!nothing: Permission check failed (/, Sys.Audit). The token lacks Sys.Audit on /. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does. On the host: pveum acl modify / --tokens 'mcp@pve!nothing' --roles PVEAuditor — and, unless mcp@pve has it already: pveum acl modify / --users 'mcp@pve' --roles PVEAuditor",
          ],
          "storages": [],
        },
        "headline": "Cluster, 2 of 2 nodes online; 0 guests; 1 thing to look at",
      }
    `);
  });
});
