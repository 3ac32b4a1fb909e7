import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_guest_get', () => {
  it('tells all about a running VM: addresses by its agent, snapshots, pending changes', async () => {
    expect(await bench.call('pve_guest_get', { guest: 'homeassistant' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "config": {
            "agent": "1",
            "boot": "order=scsi0;net0",
            "cores": 2,
            "cpu": "host",
            "memory": "6144",
            "net0": "virtio=BC:24:11:4D:00:C8,bridge=vmbr0,firewall=1",
            "onboot": 1,
            "ostype": "l26",
            "scsi0": "local-lvm:vm-200-disk-0,size=32G",
            "scsihw": "virtio-scsi-single",
            "sockets": 1,
            "tags": "automation",
          },
          "cpu": "7 % of 2",
          "description": {
            "remote": "Home Assistant OS.",
          },
          "disk": "32 GiB",
          "ip_addresses": [
            {
              "addresses": [
                "192.168.2.80/24",
              ],
              "interface": "ens18",
            },
          ],
          "kind": "qemu",
          "memory": "2.4 GiB of 4 GiB (59 %)",
          "name": "homeassistant",
          "node": "pve1",
          "pending": [
            {
              "after_restart": "6144",
              "now": "4096",
              "setting": "memory",
            },
          ],
          "snapshot_count": 2,
          "snapshots": [
            {
              "name": "clean",
              "taken": "2026-10-11T03:10:00Z",
            },
            {
              "current": true,
              "name": "before-16",
              "taken": "2026-11-07T03:10:00Z",
            },
          ],
          "status": "running",
          "uptime": "12 d",
          "vmid": 200,
        },
        "headline": "VM 200 (homeassistant) on pve1: running, up 12 d, 1 change pending",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('tells a stopped container by its VMID, without addresses', async () => {
    expect(await bench.call('pve_guest_get', { guest: 400 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "config": {
            "arch": "amd64",
            "cores": 2,
            "features": "keyctl=1,nesting=1",
            "memory": 4096,
            "net0": "name=eth0,bridge=vmbr0,gw=192.168.2.1,hwaddr=BC:24:11:4D:01:90,ip=192.168.2.70/24,type=veth",
            "onboot": 1,
            "ostype": "debian",
            "rootfs": "local-lvm:vm-400-disk-0,size=16G",
            "swap": 512,
            "tags": "docker;sso",
            "unprivileged": 1,
          },
          "description": {
            "remote": "Identity provider (Docker).",
          },
          "disk": "16 GiB",
          "kind": "lxc",
          "memory": "4 GiB",
          "name": "keycloak",
          "node": "pve1",
          "snapshot_count": 1,
          "snapshots": [
            {
              "current": true,
              "name": "before-upgrade",
              "taken": "2026-11-11T03:10:00Z",
            },
          ],
          "status": "stopped",
          "vmid": 400,
        },
        "headline": "CT 400 (keycloak) on pve1: stopped",
      }
    `);
  });

  it('gives what somebody wrote into the description as remote text, whatever it says', async () => {
    const { facts } = await bench.call('pve_guest_get', { guest: 101 });
    expect(facts).toMatchObject({ description: { remote: expect.stringContaining('ignore previous instructions') } });
    expect(facts).toMatchObject({ ip_addresses: [{ interface: 'eth0', addresses: ['192.168.2.53/24'] }] });
  });

  it('tells a part that cannot be read as a note', async () => {
    const { facts } = await bench.call('pve_guest_get', { guest: 201 });
    expect(facts).toMatchObject({
      status: 'running',
      notes: [expect.stringMatching(/^IP addresses could not be read: .*agent/)],
    });
  });

  it('offers the nearest names for one that is not there', async () => {
    expect(await bench.fails('pve_guest_get', { guest: 'keycloack' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "CT 400 (keycloak) on pve1",
            "VM 300 (gitlab) on pve2",
            "CT 101 (pihole) on pve1",
          ],
        },
        "headline": "There is no guest "keycloack" that this token may see.",
        "hint": "Nearest: CT 400 (keycloak) on pve1, VM 300 (gitlab) on pve2, CT 101 (pihole) on pve1.",
        "kind": "not-found",
      }
    `);
  });

  it('does not choose between two guests of one name', async () => {
    const guest = bench.world.guest(410);
    if (guest) guest.config.hostname = 'keycloak';
    const failure = await bench.fails('pve_guest_get', { guest: 'keycloak' });
    if (guest) guest.config.hostname = 'postgres';
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "CT 400 (keycloak) on pve1",
            "CT 410 (keycloak) on pve1",
          ],
        },
        "headline": "2 guests are named "keycloak": CT 400 (keycloak) on pve1, CT 410 (keycloak) on pve1.",
        "hint": "Give the VMID instead of the name.",
        "kind": "ambiguous",
      }
    `);
  });
});
