import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const set = (input: Record<string, unknown>) => bench.call('pve_nic_set', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_nic_set', input);
const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};

describe('pve_nic_set', () => {
  it('changes what is given of a VM and keeps the rest, its MAC too: one write', async () => {
    expect(
      await set({ guest: 201, nic: 'net0', bridge: 'vmbr1', vlan: 20, model: 'e1000', firewall: false }),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "before": "virtio=BC:24:11:4D:00:C9,bridge=vmbr0,firewall=1",
          "guest": "VM 201 (win11) on pve1",
          "nic": "net0",
          "now": "e1000=BC:24:11:4D:00:C9,bridge=vmbr1,tag=20",
          "task_state": "ok",
          "upid": "UPID:pve1:…:qmconfig:201:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 201 (win11) on pve1: net0 changed",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/config']);
    expect(config(201).net0).toBe('e1000=BC:24:11:4D:00:C9,bridge=vmbr1,tag=20');
  });

  it('takes the tag, the limit and the pulled cable away again', async () => {
    await set({ guest: 201, nic: 'net0', rate: 12.5, link_down: true });
    expect(config(201).net0).toContain('link_down=1,rate=12.5');
    await set({ guest: 201, nic: 'net0', rate: 0, link_down: false, vlan: 0, mac: 'bc:24:11:aa:bb:cc' });
    expect(config(201).net0).toBe('e1000=BC:24:11:AA:BB:CC,bridge=vmbr1');
  });

  it('adds one where there is room, with a MAC that Proxmox VE makes: one write', async () => {
    expect(await set({ guest: 200, bridge: 'vmbr1' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "VM 200 (homeassistant) on pve1",
          "nic": "net1",
          "now": "virtio=BC:24:11:4E:00:C8,bridge=vmbr1",
          "task_state": "ok",
          "upid": "UPID:pve1:…:qmconfig:200:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 200 (homeassistant) on pve1: net1 added",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/200/config']);
    expect((await set({ guest: 200, bridge: 'vmbr1' })).facts).toMatchObject({ nic: 'net2' });
  });

  it('gives a container an address and keeps what is not given: one write', async () => {
    expect((await set({ guest: 101, nic: 'net0', ip: 'dhcp' })).facts).toMatchObject({
      before: 'name=eth0,bridge=vmbr0,gw=192.168.2.1,hwaddr=BC:24:11:4D:00:65,ip=192.168.2.53/24,type=veth',
      now: 'name=eth0,bridge=vmbr0,hwaddr=BC:24:11:4D:00:65,ip=dhcp,type=veth',
    });
    await set({ guest: 101, nic: 'net0', ip: 'fd00::5/64', gateway: 'fd00::1' });
    expect(config(101).net0).toContain('ip=dhcp,type=veth,ip6=fd00::5/64,gw6=fd00::1');
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/101/config', 'PUT /nodes/pve1/lxc/101/config']);
  });

  it('names a new card of a container by the next free name', async () => {
    const told = await set({ guest: 101, bridge: 'vmbr0', ip: '10.0.0.5/24', gateway: '10.0.0.1' });
    expect(told.facts).toMatchObject({
      nic: 'net1',
      now: expect.stringMatching(/^name=eth1,bridge=vmbr0,ip=10.0.0.5\/24,gw=10.0.0.1/),
    });
  });

  it('leaves alone what is so already', async () => {
    expect((await set({ guest: 201, nic: 'net0', bridge: 'vmbr1' })).facts).toMatchObject({ changed: false });
    expect(bench.writes()).toEqual([]);
  });

  it('knows the bridges of the node', async () => {
    expect(await fails({ guest: 201, nic: 'net0', bridge: 'vmbr7' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "vmbr0",
            "vmbr1",
          ],
        },
        "headline": "pve1 has no bridge "vmbr7" that this token may see.",
        "hint": "It has: vmbr0, vmbr1.",
        "kind": "not-found",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [{ guest: 201, nic: 'net5', vlan: 3 }, 'not-found', 'It has: net0.'],
    [{ guest: 201 }, 'invalid-input', 'Give bridge'],
    [{ guest: 101, nic: 'net0', model: 'virtio' }, 'invalid-input', 'Leave it out.'],
    [{ guest: 201, nic: 'net0', ip: 'dhcp' }, 'invalid-input', 'pve_guest_configure'],
    [{ guest: 101, nic: 'net0', gateway: '192.168.2.1' }, 'invalid-input', 'Give ip'],
    [{ guest: 101, nic: 'net0', ip: 'dhcp', gateway: '192.168.2.1' }, 'invalid-input', 'leave gateway out'],
    [{ guest: 201, nic: 'net0', mac: '01:00:00:00:00:01' }, 'invalid-input', 'takes'],
    [{ guest: 201, nic: 'net0', bridge: 'vmbr0,tag=5' }, 'invalid-input', 'takes'],
    [{ guest: 201, nic: 'scsi0', vlan: 5 }, 'invalid-input', 'takes'],
    [{ guest: 9000, nic: 'net0', vlan: 5 }, 'conflict', 'Clone it'],
  ])('refuses %j before anything is written', async (input, kind, hint) => {
    expect(await fails(input)).toMatchObject({ kind, hint: expect.stringContaining(hint) });
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_nic_set', { guest: 201, nic: 'net0', vlan: 9 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.Network'),
    });
  });

  it('can be asked about', async () => {
    expect(await bench.preview('pve_nic_set', { guest: 410, nic: 'net0', vlan: 30 })).toMatchInlineSnapshot(`
      {
        "message": "Change net0 of CT 410 (postgres) on pve1:
      name=eth0,bridge=vmbr0,gw=192.168.2.1,hwaddr=BC:24:11:4D:01:9A,ip=192.168.2.71/24,type=veth -> name=eth0,bridge=vmbr0,gw=192.168.2.1,hwaddr=BC:24:11:4D:01:9A,ip=192.168.2.71/24,type=veth,tag=30",
        "state": {
          "before": "name=eth0,bridge=vmbr0,gw=192.168.2.1,hwaddr=BC:24:11:4D:01:9A,ip=192.168.2.71/24,type=veth",
          "guest": "CT 410 (postgres) on pve1",
          "nic": "net0",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });
});
