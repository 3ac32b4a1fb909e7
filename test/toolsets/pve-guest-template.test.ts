import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
  for (const vmid of [102, 201]) Object.assign(bench.world.guest(vmid) ?? {}, { status: 'stopped' });
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const make = (guest: number | string) => bench.call('pve_guest_template', { guest });
const fails = (guest: number | string) => bench.fails('pve_guest_template', { guest });

describe('pve_guest_template', () => {
  it('shows a human that there is no way back', async () => {
    expect(await bench.preview('pve_guest_template', { guest: 201 })).toMatchInlineSnapshot(`
      {
        "message": "Make a template of VM 201 (win11) on pve1. It never runs again, and cannot be made a guest again: only its clones run.",
        "state": {
          "lock": undefined,
          "name": "win11",
          "node": "pve1",
          "status": "stopped",
          "vmid": 201,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_template', { guest: 201 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('(/vms/201, VM.Allocate)'),
    });
  });

  it('makes one of a VM, waits, and tells that it is: one write', async () => {
    expect(await make('win11')).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "VM 201 (win11) on pve1",
          "task_state": "ok",
          "template": true,
          "upid": "UPID:pve1:…:qmtemplate:201:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 201 (win11) on pve1 is a template now",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/template']);
  });

  it('makes one of a container, which is done at once', async () => {
    expect(await make(102)).toMatchObject({
      headline: 'CT 102 (webzfs-proxy) on pve1 is a template now',
      facts: { template: true },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/102/template']);
  });

  it('refuses what is one already, what runs, and what has snapshots', async () => {
    expect(await fails(9000)).toMatchObject({ headline: expect.stringContaining('is a template already.') });
    expect(await fails(300)).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 300 (gitlab) on pve2 is running, up 42 min; only a stopped guest can become a template. Nothing was done.",
        "hint": "Shut it down with pve_guest_power first.",
        "kind": "conflict",
      }
    `);
    expect(await fails(400)).toMatchObject({ headline: expect.stringContaining('has snapshots (before-upgrade)') });
    await expect(bench.preview('pve_guest_template', { guest: 400 })).rejects.toThrow('has snapshots');
    expect(bench.writes()).toEqual([]);
  });

  it('is refused by the gate for what Proxmox VE protects', async () => {
    const tool = tools.find(({ name }) => name === 'pve_guest_template');
    if (!tool) throw new Error('there is no such tool');
    await expect(refuseProtected(tool, { guest: 410 }, bench.context())).rejects.toThrow('protection flag');
  });
});
