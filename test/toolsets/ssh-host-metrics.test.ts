import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

describe('ssh_host_metrics', () => {
  it('tells all about a node', async () => {
    expect(await bench.call('ssh_host_metrics', { target: 'pve1' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "attention": [
            {
              "remote": "/mnt/pve/nas is 93 % full, 500 GiB free.",
            },
          ],
          "cpu": {
            "iowait": "0 %",
            "steal": "0 %",
            "used": "13 % of 16",
          },
          "disks": {
            "remote": "/mnt/pve/nas on 192.168.2.5:/tank/pve: 6.5 TiB of 7 TiB (93 %)
      / on /dev/mapper/pve-root: 21 GiB of 94 GiB (22 %)",
          },
          "load_1_5_15_min": "2.1, 1.97, 1.83",
          "memory": {
            "cache": "18.5 GiB",
            "swap": "0 B of 8 GiB (0 %)",
            "used": "17.7 GiB of 64 GiB (28 %)",
          },
          "network": {
            "remote": "vmbr0: 80 KiB/s in, 36 KiB/s out",
          },
          "temperatures": {
            "remote": "k10temp Tctl: 61 °C (critical: 95)",
          },
          "top_by_cpu": {
            "remote": "kvm (4201, user, vm/201): 72 % CPU, 6.2 GiB (9.7 %)
      kvm (4200, user, vm/200): 20 % CPU, 2.4 GiB (3.7 %)
      pvedaemon (756, user): 4 % CPU, 140 MiB (0.2 %)
      pveproxy (782, user): 4 % CPU, 140 MiB (0.2 %)
      pvestatd (808, user): 4 % CPU, 140 MiB (0.2 %)",
          },
          "top_by_memory": {
            "remote": "kvm (4201, user, vm/201): 72 % CPU, 6.2 GiB (9.7 %)
      kvm (4200, user, vm/200): 20 % CPU, 2.4 GiB (3.7 %)
      pvedaemon (756, user): 4 % CPU, 140 MiB (0.2 %)
      pveproxy (782, user): 4 % CPU, 140 MiB (0.2 %)
      pvestatd (808, user): 4 % CPU, 140 MiB (0.2 %)",
          },
          "uptime": "41 d",
          "waiting": {
            "cpu": "1.2 % in 10 s, 0.9 % in 60 s",
            "io": "0 % in 10 s, 0.1 % in 60 s",
            "memory": "0 % in 10 s, 0 % in 60 s",
          },
          "zfs_pools": {
            "remote": "rpool: ONLINE, 301 GiB of 900 GiB (33 %), 4 % fragmented",
          },
        },
        "headline": "pve1: CPU 13 %, memory 28 %; 1 thing to look at",
      }
    `);
  });
  it('tells the same of a container', async () => {
    expect(await bench.call('ssh_host_metrics', { target: 'ct/101', summary: true })).toMatchInlineSnapshot(`
      {
        "facts": {
          "attention": [],
          "cpu": {
            "iowait": "0 %",
            "steal": "0 %",
            "used": "4 % of 1",
          },
          "disks": {
            "remote": "/ on /dev/mapper/pve-vm--101--disk--0: 1.9 GiB of 8 GiB (24 %)",
          },
          "load_1_5_15_min": "0.02, 0.02, 0.02",
          "memory": {
            "cache": "149 MiB",
            "swap": "0 B of 512 MiB (0 %)",
            "used": "139 MiB of 512 MiB (27 %)",
          },
          "uptime": "40 d 23 h",
          "waiting": {
            "cpu": "1.2 % in 10 s, 0.9 % in 60 s",
            "io": "0 % in 10 s, 0.1 % in 60 s",
            "memory": "0 % in 10 s, 0 % in 60 s",
          },
        },
        "headline": "CT 101 (pihole): CPU 4 %, memory 27 %; nothing needs attention",
      }
    `);
  });
  it('tells the same of a VM, by its agent', async () => {
    expect(await bench.call('ssh_host_metrics', { target: 'vm/200', top: 1 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "attention": [],
          "cpu": {
            "iowait": "0 %",
            "steal": "0 %",
            "used": "10 % of 2",
          },
          "disks": {
            "remote": "/ on /dev/sda1: 8 GiB of 32 GiB (25 %)",
          },
          "load_1_5_15_min": "0.09, 0.08, 0.08",
          "memory": {
            "cache": "672 MiB",
            "used": "2.4 GiB of 4 GiB (59 %)",
          },
          "network": {
            "remote": "eth0: 13 KiB/s in, 4 KiB/s out",
          },
          "uptime": "12 d",
          "waiting": {
            "cpu": "1.2 % in 10 s, 0.9 % in 60 s",
            "io": "0 % in 10 s, 0.1 % in 60 s",
            "memory": "0 % in 10 s, 0 % in 60 s",
          },
        },
        "headline": "VM 200 (homeassistant): CPU 10 %, memory 59 %; nothing needs attention",
      }
    `);
  });
});
