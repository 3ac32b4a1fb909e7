import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import kill from '../../src/toolsets/ssh/job-kill.ts';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

describe('ssh_job_kill', () => {
  it('ends a job of this server, and says of one that is over how it ended', async () => {
    await bench.call('ssh_exec', { target: 'pve1', script: 'echo up; sleep 60', wait_s: 1 });
    const [job] = bench.jobs.list();
    const input = { job: job?.id.text };
    expect(await bench.call('ssh_job_kill', input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "job": "jabcdef@pve1",
          "remote_process": "terminated",
          "state": "killed",
        },
        "headline": "jabcdef@pve1 on pve1 ended: none of its processes is left",
      }
    `);
    expect(await bench.call('ssh_job_kill', input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "job": "jabcdef@pve1",
          "remote_process": "terminated",
          "state": "killed",
        },
        "headline": "jabcdef@pve1 was over before: killed after … s",
      }
    `);
    expect(await bench.call('ssh_job_read', input)).toMatchObject({
      facts: { state: 'killed', stdout: { remote: 'up\n' } },
    });
  });

  it('ends a detached one, and removes it when it is over', async () => {
    await bench.call('ssh_exec', { target: 'pve1', script: 'echo up; sleep 60', detach: true });
    const { stdout } = await bench.context().ssh.run((await bench.context().ssh.hosts.find('pve1')).spec, {
      script: 'ls ~/.local/state/proxmox-ssh-mcp/jobs',
      timeoutMs: 5000,
    });
    const input = { job: `${stdout.text.trim()}@pve1` };
    expect(await bench.call('ssh_job_kill', input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "job": "jabcdef@pve1",
          "next": "Its output can still be read; ending it once more removes that.",
          "remote_process": "terminated",
          "state": "killed",
        },
        "headline": "jabcdef@pve1 on pve1 ended: none of its processes is left",
      }
    `);
    expect(await bench.call('ssh_job_kill', input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "job": "jabcdef@pve1",
        },
        "headline": "jabcdef@pve1 on pve1 was over; what it left there is removed",
      }
    `);
    expect(await bench.fails('ssh_job_kill', input)).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "There is no job jabcdef@pve1: not of this server, and pve1 knows none of that name.",
        "hint": "A job that was not detached ends with the server that started it, and is forgotten an hour after its end. ssh_job_list shows what there is.",
        "kind": "not-found",
      }
    `);
  });

  it('is refused for a job in a protected guest', async () => {
    const context = bench.context({ setup: { ...setup, protectedGuests: [101, 200] } });
    for (const job of ['jabc234@ct/101', 'jabc234@lxc/101', 'jabc234+root@vm/200'])
      await expect(refuseProtected(kill, { job }, context)).rejects.toMatchObject({ kind: 'refused' });
    await refuseProtected(kill, { job: 'jabc234@pve1' }, context);
    await expect(refuseProtected(kill, { job: 'ct/101' }, context)).rejects.toMatchObject({ kind: 'invalid-input' });
  });
});
