import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => {
  expect(bench.writes()).toEqual([]);
  bench.forget();
});
afterAll(() => bench.stop());

const section = ['status', 'services', 'updates', 'versions', 'disks', 'network'];

describe('pve_node_get', () => {
  it('tells all about a node', async () => {
    expect(await bench.call('pve_node_get', { node: 'pve1', section })).toMatchInlineSnapshot(`
      {
        "facts": {
          "disks": {
            "disks": [
              {
                "disk": "/dev/nvme0n1",
                "health": "passed",
                "life_left": "94 %",
                "model": "Samsung SSD 980 PRO 500GB",
                "serial": "S5GXPVE1",
                "size": "466 GiB",
                "type": "nvme",
                "used_for": "BIOS boot",
              },
              {
                "disk": "/dev/sda",
                "health": "passed",
                "model": "WDC WD10EFRX-68FYTN0",
                "serial": "WD-PVE10",
                "size": "932 GiB",
                "type": "hdd",
                "used_for": "ZFS",
              },
              {
                "disk": "/dev/sdb",
                "health": "passed",
                "model": "WDC WD10EFRX-68FYTN0",
                "serial": "WD-PVE11",
                "size": "932 GiB",
                "type": "hdd",
                "used_for": "ZFS",
              },
            ],
          },
          "network": {
            "interfaces": [
              {
                "active": true,
                "interface": "eno1",
                "type": "eth",
              },
              {
                "active": true,
                "address": "192.168.2.11/24",
                "gateway": "192.168.2.1",
                "interface": "vmbr0",
                "ports": "eno1",
                "type": "bridge",
              },
              {
                "active": true,
                "interface": "vmbr1",
                "type": "bridge",
              },
            ],
          },
          "node": "pve1",
          "services": {
            "off": "systemd-timesyncd",
            "running": "chrony corosync cron ksmtuned lxcfs postfix proxmox-firewall pve-cluster pve-firewall pve-ha-crm pve-ha-lrm pve-lxc-syscalld pvedaemon pvefw-logger pveproxy pvescheduler pvestatd qmeventd spiceproxy sshd systemd-journald",
          },
          "status": {
            "boot": "efi",
            "cpu": "14 % of 16 cores",
            "cpu_model": "AMD Ryzen 7 5825U with Radeon Graphics",
            "io_wait": "0.2 %",
            "kernel": "6.17.2-1-pve",
            "load_1_5_15_min": "2.20, 2.05, 1.94",
            "memory": "17.7 GiB of 64 GiB (28 %)",
            "root_disk": "21 GiB of 94 GiB (22 %)",
            "swap": "0 B of 8 GiB (0 %)",
            "uptime": "41 d",
            "version": "9.2.11",
          },
          "updates": {
            "by_origin": "2 Proxmox",
            "count": 2,
            "packages": [
              "pve-manager 9.2.11 -> 9.2.12",
              "qemu-server 9.2.6 -> 9.2.7",
            ],
          },
          "versions": {
            "corosync": "3.1.9-2+deb13u1",
            "lxc-pve": "6.0.5-3",
            "proxmox-ve": "9.2.0",
            "pve-manager": "9.2.11, newer: 9.2.12",
            "pve-qemu-kvm": "10.1.2-3",
            "qemu-server": "9.2.6, newer: 9.2.7",
            "zfsutils-linux": "2.3.4-pve1",
          },
        },
        "headline": "Node pve1: status, services, updates, versions, disks, network",
      }
    `);
  });

  it('tells state and services unless asked for more', async () => {
    const { headline, facts } = await bench.call('pve_node_get', { node: 'pve2' });
    expect(headline).toBe('Node pve2: status, services');
    expect(Object.keys(facts as object)).toEqual(['node', 'status', 'services']);
  });

  it('puts first what is wrong', async () => {
    const services = bench.world.nodes[0]?.services ?? [];
    const of = (name: string) => services.find((one) => one.name === name) ?? services[0];
    Object.assign(of('pvestatd') ?? {}, { state: 'failed' });
    Object.assign(of('cron') ?? {}, { state: 'dead' });
    const { facts } = await bench.call('pve_node_get', { node: 'pve1', section: ['services'] });
    for (const name of ['pvestatd', 'cron']) Object.assign(of(name) ?? {}, { state: 'running' });
    expect(facts).toMatchObject({ services: { failed: ['pvestatd'], enabled_but_not_running: ['cron'] } });
    const failing = bent(/disks\/list/, (body) => body.replace('"PASSED"', '"FAILED!"').replace(':94', ':4'));
    const pve = bench.as('root@pam!mcp', failing);
    expect((await bench.call('pve_node_get', { node: 'pve1', section: ['disks'] }, { pve })).facts).toMatchObject({
      disks: { worth_a_look: ['/dev/nvme0n1 says failed!.', '/dev/nvme0n1 has 4 % of its life left.'] },
    });
  });

  it('names a section that the token may not read, and gives the others', async () => {
    const pve = bench.as('mcp@pve!auditor');
    const told = await bench.call('pve_node_get', { node: 'pve2', section: ['updates', 'network'] }, { pve });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "network": {
            "interfaces": [
              {
                "active": true,
                "interface": "eno1",
                "type": "eth",
              },
              {
                "active": true,
                "address": "192.168.2.12/24",
                "gateway": "192.168.2.1",
                "interface": "vmbr0",
                "ports": "eno1",
                "type": "bridge",
              },
              {
                "active": true,
                "interface": "vmbr1",
                "type": "bridge",
              },
            ],
          },
          "node": "pve2",
          "notes": [
            "Section updates could not be read: 127.0.0.1:… denied GET /nodes/pve2/apt/update to mcp@pve!auditor: Permission check failed (/nodes/pve2, Sys.Modify). The token lacks Sys.Modify on /nodes/pve2. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does. On the host: pveum acl modify /nodes/pve2 --tokens 'mcp@pve!auditor' --roles Administrator — and, unless mcp@pve has it already: pveum acl modify /nodes/pve2 --users 'mcp@pve' --roles Administrator — a bigger step: no smaller built-in role holds Sys.Modify. \`pveum role add NAME --privs Sys.Modify,Sys.Audit\` makes a small one to use instead.",
          ],
        },
        "headline": "Node pve2: updates, network",
      }
    `);
  });

  it('tells a denial with its privilege', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_node_get', { node: 'pve1', section: ['updates'] }, { pve })).toMatchInlineSnapshot(`
      {
        "facts": {
          "path": "/nodes/pve1",
          "privilege": "Sys.Modify",
          "status": 403,
          "token": "mcp@pve!auditor",
        },
        "headline": "127.0.0.1:… denied GET /nodes/pve1/apt/update to mcp@pve!auditor: Permission check failed (/nodes/pve1, Sys.Modify). The token lacks Sys.Modify on /nodes/pve1. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does.",
        "hint": "On the host: pveum acl modify /nodes/pve1 --tokens 'mcp@pve!auditor' --roles Administrator — and, unless mcp@pve has it already: pveum acl modify /nodes/pve1 --users 'mcp@pve' --roles Administrator — a bigger step: no smaller built-in role holds Sys.Modify. \`pveum role add NAME --privs Sys.Modify,Sys.Audit\` makes a small one to use instead.",
        "kind": "permission",
      }
    `);
  });

  it('says that a node is away, and which nodes there are', async () => {
    bench.world.switches.offline.add('pve2');
    const away = await bench.fails('pve_node_get', { node: 'pve2', section });
    bench.world.switches.offline.delete('pve2');
    expect(away).toMatchObject({ kind: 'unreachable', facts: { node: 'pve2', status: 595 } });
    expect(await bench.fails('pve_node_get', { node: 'pve9' })).toMatchObject({
      kind: 'not-found',
      hint: 'The nodes are: pve1, pve2.',
    });
  });
});
