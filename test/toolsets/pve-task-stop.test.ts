import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, bent, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => {
  bench.endTasks();
  bench.forget();
});
afterAll(() => bench.stop());

/** A backup of container 101 in stop mode that never ends by itself. */
function hungBackup(): string {
  bench.world.switches.nextTask = 'hang';
  const storage = bench.world.storage('local');
  if (!storage) throw new Error('no storage');
  const request = { node: 'pve1', vmids: [101], storage, command: 'vzdump 101', extension: '.zst', protected: false };
  return bench.world.backUp({ ...request, mode: 'stop' }, { user: 'root@pam', tokenid: 'mcp' }).upid;
}

describe('pve_task_stop', () => {
  it('shows a human what it is doing and what may stay behind', async () => {
    const { message, state } = await bench.preview('pve_task_stop', { upid: hungBackup() });
    expect(message).toMatchInlineSnapshot(`
      "Stop the task vzdump 101 on pve1, which root@pam!mcp began at 2026-11-20T03:10:00Z, for CT 101 (pihole) on pve1.
      It is at: INFO: starting new backup job: vzdump 101
      It is ended in the middle. No backup is made. The guest may stay locked (backup), and stopped or paused where the mode does that."
    `);
    expect(state).toEqual({ upid: expect.stringMatching(/^UPID:pve1:/), running: true });
    expect(bench.writes()).toEqual([]);
  });

  it('stops it and tells what is left: one write', async () => {
    const upid = hungBackup();
    const guest = bench.world.guest(101);
    if (guest) Object.assign(guest, { lock: 'backup' });
    expect(await bench.call('pve_task_stop', { upid })).toMatchInlineSnapshot(`
      {
        "facts": {
          "exit_status": {
            "remote": "unexpected status",
          },
          "guest": "CT 101 (pihole) on pve1",
          "lock": "backup",
          "log": {
            "remote": "INFO: starting new backup job: vzdump 101",
          },
          "may_be_left": "No backup is made. The guest may stay locked (backup), and stopped or paused where the mode does that.",
          "notes": [
            "CT 101 (pihole) on pve1 is locked (backup). If no other task works on it, pve_guest_configure with unlock: true frees it.",
          ],
          "status": "running",
          "upid": "UPID:pve1:…:vzdump:101:root@pam!mcp:",
        },
        "headline": "vzdump 101 on pve1 was stopped",
      }
    `);
    expect(bench.writes()).toEqual([`DELETE /nodes/pve1/tasks/${upid}`]);
    if (guest) guest.lock = undefined;
  });

  it('says so when it has ended already, and asks nobody', async () => {
    const upid = bench.world.tasks.find(({ type }) => type === 'vzstart')?.upid;
    expect(await bench.fails('pve_task_stop', { upid })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "Task vzstart 102 on pve1 is not running any more; it ended: OK. Nothing was done.",
        "hint": "Nothing has to be stopped.",
        "kind": "conflict",
      }
    `);
    await expect(bench.preview('pve_task_stop', { upid })).rejects.toThrow('is not running any more');
    expect(bench.writes()).toEqual([]);
  });

  it('knows what is no task id', async () => {
    expect(await bench.fails('pve_task_stop', { upid: 'UPID:pve1' })).toMatchObject({ kind: 'invalid-input' });
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    const upid = hungBackup();
    expect(await bench.fails('pve_task_stop', { upid }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('Sys.Modify'),
    });
  });

  it('knows which guest a backup of several is at, and spares a protected one', async () => {
    bench.world.switches.nextTask = 'hang';
    const by = { user: 'root@pam', tokenid: 'mcp' };
    const steps = [{ seconds: 9 }];
    const { upid } = bench.world.begin({ node: 'pve1', type: 'vzdump', id: '', by, steps });
    const lines = ['Starting Backup of VM 101 (lxc)', 'Finished Backup of VM 101', 'Starting Backup of VM 102 (lxc)'];
    const data = lines.map((line, i) => ({ n: i + 1, t: `INFO: ${line}` }));
    const pve = bench.as(
      'root@pam!mcp',
      bent(/\/log\?/, () => JSON.stringify({ data, total: 3 })),
    );
    const { message, state } = await bench.preview('pve_task_stop', { upid }, { pve });
    expect(message).toContain('for CT 102 (webzfs-proxy) on pve1.');
    expect(state).toMatchObject({ vmid: 102 });
    const kept = { pve, setup: { ...setup, protectedGuests: [102] } };
    expect(await bench.fails('pve_task_stop', { upid }, kept)).toMatchObject({
      kind: 'refused',
      headline: expect.stringContaining('The backup is at CT 102'),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('is refused for a task of a protected guest', async () => {
    const tool = tools.find(({ name }) => name === 'pve_task_stop');
    if (!tool) throw new Error('no such tool');
    const context = bench.context({ setup: { ...setup, protectedGuests: [101] } });
    await expect(refuseProtected(tool, { upid: hungBackup() }, context)).rejects.toThrow('Guest 101 is protected');
  });
});
