import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};

describe('pve_nic_remove', () => {
  it('removes a card and tells what it was: one write', async () => {
    expect(await bench.call('pve_nic_remove', { guest: 'win11', nic: 'net0' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "VM 201 (win11) on pve1",
          "nic": "net0",
          "task_state": "ok",
          "upid": "UPID:pve1:…:qmconfig:201:root@pam!mcp:",
          "waited": "… s",
          "was": "virtio=BC:24:11:4D:00:C9,bridge=vmbr0,firewall=1",
        },
        "headline": "VM 201 (win11) on pve1: net0 removed",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/config']);
    expect(config(201).net0).toBeUndefined();
  });

  it('removes one of a container: one write', async () => {
    expect((await bench.call('pve_nic_remove', { guest: 102, nic: 'net0' })).headline).toContain('net0 removed');
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/102/config']);
  });

  it('names those there are', async () => {
    expect(await bench.fails('pve_nic_remove', { guest: 200, nic: 'net3' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "net0",
          ],
        },
        "headline": "VM 200 (homeassistant) on pve1 has no network card "net3".",
        "hint": "It has: net0.",
        "kind": "not-found",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_nic_remove', { guest: 200, nic: 'net0' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.Network'),
    });
    expect(config(200).net0).toBeDefined();
  });

  it('can be asked about', async () => {
    expect(await bench.preview('pve_nic_remove', { guest: 200, nic: 'net0' })).toMatchInlineSnapshot(`
      {
        "message": "Remove net0 from VM 200 (homeassistant) on pve1: virtio=BC:24:11:4D:00:C8,bridge=vmbr0,firewall=1. The guest is no longer reached through it.",
        "state": {
          "guest": "VM 200 (homeassistant) on pve1",
          "nic": "net0",
          "value": "virtio=BC:24:11:4D:00:C8,bridge=vmbr0,firewall=1",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });
});
