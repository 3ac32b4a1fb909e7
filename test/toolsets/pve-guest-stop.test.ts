import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_guest_stop', () => {
  it('shows a human what is about to be lost, and no number that moves by itself in what has to stay', async () => {
    expect(await bench.preview('pve_guest_stop', { guest: 'gitlab' })).toMatchInlineSnapshot(`
      {
        "message": "Cut the power of VM 300 (gitlab) on pve2 (running, up 42 min).
      Programs inside are not asked to end: what they have not written to disk is lost, and files being written may be damaged.
      Snapshots: 0. Last backup: 2026-11-17T21:10:00Z.",
        "state": {
          "lock": undefined,
          "name": "gitlab",
          "node": "pve2",
          "pid": 4300,
          "status": "running",
          "vmid": 300,
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('stops a container at once: one write', async () => {
    expect(await bench.call('pve_guest_stop', { guest: 101 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "action": "stop",
          "changed": true,
          "guest": "CT 101 (pihole) on pve1",
          "status": "stopped",
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzstop:101:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "CT 101 (pihole) on pve1: stop done, stopped",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/101/status/stop']);
  });

  it('says so when it is stopped already, and asks nobody', async () => {
    expect(await bench.call('pve_guest_stop', { guest: 101 })).toMatchObject({
      headline: 'CT 101 (pihole) on pve1 is already stopped; nothing was done',
      facts: { changed: false },
    });
    await expect(bench.preview('pve_guest_stop', { guest: 101 })).rejects.toThrow(
      'CT 101 (pihole) on pve1 is already stopped.',
    );
    expect(bench.writes()).toEqual([]);
  });

  it('resets a VM: one write', async () => {
    expect(await bench.call('pve_guest_stop', { guest: 201, action: 'reset' })).toMatchObject({
      headline: expect.stringMatching(/^VM 201 \(win11\) on pve1: reset done, running/),
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/201/status/reset']);
  });

  it('knows that a container has no reset', async () => {
    const failure = await bench.fails('pve_guest_stop', { guest: 410, action: 'reset' });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "CT 410 (postgres) on pve1 is a container, and a container has no reset.",
        "hint": "Use pve_guest_power with action reboot, or stop it and start it.",
        "kind": "invalid-input",
      }
    `);
    await expect(bench.preview('pve_guest_stop', { guest: 410, action: 'reset' })).rejects.toThrow('has no reset');
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_stop', { guest: 410 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.PowerMgmt'),
    });
    expect(bench.world.guest(410)?.status).toBe('running');
  });
});
