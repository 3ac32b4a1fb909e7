import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const power = (guest: number | string, action: string, more: Record<string, unknown> = {}) =>
  bench.call('pve_guest_power', { guest, action, ...more });

describe('pve_guest_power', () => {
  it('starts a container, waits, and tells the state it is in: one write', async () => {
    expect(await power('keycloak', 'start')).toMatchInlineSnapshot(`
      {
        "facts": {
          "action": "start",
          "changed": true,
          "guest": "CT 400 (keycloak) on pve1",
          "status": "running",
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzstart:400:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "CT 400 (keycloak) on pve1: start done, running, up 1 s",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/start']);
  });

  it('leaves a guest alone that is there already', async () => {
    expect(await power(400, 'start')).toMatchInlineSnapshot(`
      {
        "facts": {
          "changed": false,
          "guest": "CT 400 (keycloak) on pve1",
          "status": "running",
        },
        "headline": "CT 400 (keycloak) on pve1 is already running, up 1 s; nothing was done",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('reboots it', async () => {
    expect((await power(400, 'reboot')).headline).toMatch(/^CT 400 \(keycloak\) on pve1: reboot done, running, up/);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/reboot']);
  });

  it('shuts it down', async () => {
    expect(await power(400, 'shutdown', { timeout_s: 30 })).toMatchObject({
      headline: 'CT 400 (keycloak) on pve1: shutdown done, stopped',
      facts: { status: 'stopped', changed: true, task_state: 'ok' },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/shutdown']);
    expect(bench.world.requests.findLast(({ method }) => method === 'POST')?.params).toMatchObject({ timeout: '30' });
  });

  it('suspends a VM and resumes it', async () => {
    expect((await power(201, 'suspend')).facts).toMatchObject({ status: 'paused' });
    expect((await power(201, 'suspend')).facts).toMatchObject({ changed: false });
    expect((await power(201, 'resume')).facts).toMatchObject({ status: 'running' });
    expect(bench.writes()).toEqual([
      'POST /nodes/pve1/qemu/201/status/suspend',
      'POST /nodes/pve1/qemu/201/status/resume',
    ]);
  });

  it.each([
    [9000, 'start'],
    [400, 'reboot'],
    [400, 'nosuch'],
  ])('refuses %s %s before anything is written', async (guest, action) => {
    const failure = await bench.fails('pve_guest_power', { guest, action });
    expect(failure).toMatchSnapshot();
    expect(bench.writes()).toEqual([]);
  });

  it('hands back the task when it goes on past the wait', async () => {
    bench.world.switches.nextTask = 'hang';
    const told = await power(400, 'start', { wait_s: 1 });
    bench.endTasks();
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "action": "start",
          "guest": "CT 400 (keycloak) on pve1",
          "next": "The task goes on. Wait for it with pve_task_get: this upid, wait_s 60.",
          "task_state": "running",
          "upid": "UPID:pve1:…:vzstart:400:root@pam!mcp:",
        },
        "headline": "CT 400 (keycloak) on pve1: start is still running",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/start']);
  });

  it('tells a task that failed with the end of its log', async () => {
    bench.world.switches.nextTask = { fail: "can't activate LV 'pve/vm-400-disk-0'" };
    expect(await bench.fails('pve_guest_power', { guest: 400, action: 'start' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "exit_status": {
            "remote": "can't activate LV 'pve/vm-400-disk-0'",
          },
          "log": {
            "remote": "TASK ERROR: can't activate LV 'pve/vm-400-disk-0'",
          },
          "node": "pve1",
          "type": "vzstart",
          "upid": "UPID:pve1:…:vzstart:400:root@pam!mcp:",
        },
        "headline": "Task vzstart 400 on pve1 failed: can't activate LV 'pve/vm-400-disk-0'.",
        "hint": "The end of its log tells more.",
        "kind": "task-failed",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/start']);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_power', { guest: 400, action: 'start' }, { pve })).toMatchInlineSnapshot(`
      {
        "facts": {
          "path": "/vms/400",
          "privilege": "VM.PowerMgmt",
          "status": 403,
          "token": "mcp@pve!auditor",
        },
        "headline": "127.0.0.1:… denied POST /nodes/pve1/lxc/400/status/start to mcp@pve!auditor: Permission check failed (/vms/400, VM.PowerMgmt). The token lacks VM.PowerMgmt on /vms/400. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does.",
        "hint": "On the host: pveum acl modify /vms/400 --tokens 'mcp@pve!auditor' --roles PVEVMUser — and, unless mcp@pve has it already: pveum acl modify /vms/400 --users 'mcp@pve' --roles PVEVMUser",
        "kind": "permission",
      }
    `);
    expect(bench.world.guest(400)?.status).toBe('stopped');
  });

  it.each([
    ['HA', '"managed":1', 'HA carries this out a little later: look again with pve_guest_get.'],
    [
      'nobody',
      '"managed":0',
      'The task ended well, but the guest is not in the state it should lead to: look again with pve_guest_get.',
    ],
  ])('says that the guest is not there yet when %s sees to it', async (_, managed, note) => {
    const stays = (body: string) => body.replace('"running"', '"stopped"').replace('"managed":0', managed);
    const pve = bench.as('root@pam!mcp', bent(/status\/current$/, stays));
    const told = await bench.call('pve_guest_power', { guest: 400, action: 'start' }, { pve });
    await power(400, 'shutdown');
    expect(told.facts).toMatchObject({ status: 'stopped', notes: [note] });
  });

  it('does not take back what was done when the state cannot be read afterwards', async () => {
    let reads = 0;
    const broken = bent(/status\/current$/, (body) => (reads++ === 0 ? body : '<html>'));
    const pve = bench.as('root@pam!mcp', broken);
    const told = await bench.call('pve_guest_power', { guest: 400, action: 'start' }, { pve });
    expect(told).toMatchObject({
      headline: 'CT 400 (keycloak) on pve1: start done',
      facts: {
        changed: true,
        task_state: 'ok',
        notes: [expect.stringMatching(/^The state afterwards could not be read:/)],
      },
    });
    expect(bench.world.guest(400)?.status).toBe('running');
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/start']);
  });

  it('can be asked about, with the state it was seen in', async () => {
    expect(await bench.preview('pve_guest_power', { guest: 101, action: 'shutdown' })).toMatchInlineSnapshot(`
      {
        "message": "Shut down CT 101 (pihole) on pve1. It is running, up 40 d 23 h.",
        "state": {
          "guest": "CT 101 (pihole) on pve1",
          "lock": undefined,
          "status": "running",
        },
      }
    `);
  });
});
