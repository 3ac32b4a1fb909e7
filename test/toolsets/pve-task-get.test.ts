import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

/** Starts container 400 with a task that ends as told, without waiting for it. */
async function begun(end: 'hang' | { fail: string }): Promise<string> {
  bench.world.switches.nextTask = end;
  await bench.call('pve_guest_power', { guest: 400, action: 'start', wait_s: 0 }).catch(() => undefined);
  return bench.world.tasks.at(-1)?.upid ?? '';
}

describe('pve_task_get', () => {
  it('tells a task that is running, and how to go on', async () => {
    const upid = await begun('hang');
    const told = await bench.call('pve_task_get', { upid });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "id": "400",
          "next": "Call again with wait_s to wait for its end.",
          "node": "pve1",
          "started": "2026-11-20T03:10:00Z",
          "state": "running",
          "type": "vzstart",
          "upid": "UPID:pve1:…:vzstart:400:root@pam!mcp:",
          "user": "root@pam!mcp",
        },
        "headline": "vzstart of 400 on pve1 is running",
      }
    `);
    expect((await bench.call('pve_task_get', { upid, wait_s: 1 })).facts).toMatchObject({ state: 'running' });
    bench.world.cancel(upid);
    expect((await bench.call('pve_task_get', { upid, wait_s: 5 })).facts).toMatchObject({ state: 'failed' });
  });

  it('tells a task that failed as an answer, waited for or not', async () => {
    const upid = await begun({ fail: 'no space left on device' });
    const told = await bench.call('pve_task_get', { upid, wait_s: 5 });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "id": "400",
          "log": {
            "remote": "TASK ERROR: no space left on device",
          },
          "node": "pve1",
          "reason": {
            "remote": "no space left on device",
          },
          "started": "2026-11-20T03:10:00Z",
          "state": "failed",
          "type": "vzstart",
          "upid": "UPID:pve1:…:vzstart:400:root@pam!mcp:",
          "user": "root@pam!mcp",
        },
        "headline": "vzstart of 400 on pve1 failed",
      }
    `);
    expect(await bench.call('pve_task_get', { upid })).toEqual(told);
    expect(bench.writes()).toHaveLength(1);
  });

  it('tells the end of the log, and how long it is', async () => {
    const upid = await begun({ fail: 'x' });
    const { facts } = await bench.call('pve_task_get', { upid, log_lines: 1 });
    expect(facts).toMatchObject({ log: { remote: expect.stringMatching(/^TASK ERROR: x$/) } });
    expect((await bench.call('pve_task_get', { upid, log_lines: 0 })).facts).not.toHaveProperty('log');
  });

  it('says what a task id looks like', async () => {
    expect(await bench.fails('pve_task_get', { upid: 'vzstart' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": ""vzstart" is not a task id.",
        "hint": "A task id looks like UPID:pve1:…:vzstart:400:root@pam!mcp: and ends in a colon.",
        "kind": "invalid-input",
      }
    `);
    expect(bench.requests()).toBe(0);
  });

  it('says that a task is not known', async () => {
    const upid = 'UPID:pve1:00000ABC:00000DEF:6AFFBC11:vzstart:400:root@pam!mcp:';
    expect(await bench.fails('pve_task_get', { upid })).toMatchInlineSnapshot(`
      {
        "facts": {
          "parameters": {
            "upid": "no such task",
          },
          "status": 400,
        },
        "headline": "127.0.0.1:… did not accept the parameters of GET /nodes/pve1/tasks/UPID%3Apve1%3A00000ABC%3A00000DEF%3A6AFFBC11%3Avzstart%3A400%3Aroot%40pam!mcp%3A/status: upid: no such task",
        "hint": "Check the name; list what there is first.",
        "kind": "not-found",
      }
    `);
  });
});
