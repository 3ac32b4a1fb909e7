import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const list = async (input: Record<string, unknown> = {}) =>
  (await bench.call('pve_task_list', input)).facts as {
    tasks: { id: string; state: string; node: string }[];
    notes?: string[];
  };

describe('pve_task_list', () => {
  it('lists the tasks of every node, newest first, with the reason of a failure', async () => {
    expect(await bench.call('pve_task_list')).toMatchInlineSnapshot(`
      {
        "facts": {
          "tasks": [
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
            {
              "id": "300",
              "node": "pve2",
              "started": "2026-11-20T02:28:00Z",
              "state": "ok",
              "took": "4 s",
              "type": "qmstart",
              "upid": "UPID:pve2:…:qmstart:300:root@pam:",
              "user": "root@pam",
            },
            {
              "id": "102",
              "node": "pve1",
              "started": "2026-11-20T02:15:00Z",
              "state": "ok",
              "took": "3 s",
              "type": "vzstart",
              "upid": "UPID:pve1:…:vzstart:102:root@pam:",
              "user": "root@pam",
            },
            {
              "node": "pve1",
              "started": "2026-11-20T00:00:00Z",
              "state": "ok",
              "took": "6 min 52 s",
              "type": "vzdump",
              "upid": "UPID:pve1:…:vzdump::root@pam:",
              "user": "root@pam",
            },
          ],
        },
        "headline": "4 tasks: 3 ok, 1 failed",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('puts running tasks first', async () => {
    bench.world.switches.nextTask = 'hang';
    await bench.call('pve_guest_power', { guest: 400, action: 'start', wait_s: 0 });
    await bench.call('pve_guest_power', { guest: 101, action: 'reboot' });
    const { tasks } = await list();
    bench.endTasks();
    expect(tasks[0]).toMatchObject({ id: '400', state: 'running' });
    expect(tasks[1]).toMatchObject({ id: '101', state: 'ok' });
  });

  it('knows a running task by either of the ways that it is told', async () => {
    bench.world.switches.nextTask = 'hang';
    await bench.call('pve_guest_power', { guest: 400, action: 'start', wait_s: 0 });
    const spelt = bent(/^\/nodes\/\w+\/tasks/, (body) => {
      const { data } = JSON.parse(body) as { data: object[] };
      return JSON.stringify({ data: data.map((row) => ({ status: 'RUNNING', ...row })) });
    });
    const pve = bench.as('root@pam!mcp', spelt);
    const { facts } = await bench.call('pve_task_list', {}, { pve });
    const failed = await bench.call('pve_task_list', { errors: true }, { pve });
    bench.endTasks();
    expect((facts as { tasks: unknown[] }).tasks[0]).toMatchObject({ id: '400', state: 'running' });
    expect(JSON.stringify(failed.facts)).not.toContain('running');
  });

  it('keeps to failed ones, one guest, one node', async () => {
    expect((await list({ errors: true })).tasks.every(({ state }) => state === 'failed')).toBe(true);
    expect((await list({ errors: true })).tasks.length).toBeGreaterThan(0);
    expect(new Set((await list({ guest: 'webzfs-proxy' })).tasks.map((task) => task.id))).toEqual(new Set(['102']));
    expect(new Set((await list({ node: 'pve2' })).tasks.map((task) => task.node))).toEqual(new Set(['pve2']));
    expect((await list({ limit: 1 })).tasks).toHaveLength(1);
  });

  it('takes the VMID of a guest that was deleted', async () => {
    expect((await list({ guest: 999 })).tasks).toEqual([]);
  });

  it('says what is wrong with a name that nobody has', async () => {
    expect(await bench.fails('pve_task_list', { guest: 'nobody' })).toMatchObject({ kind: 'not-found' });
  });
});
