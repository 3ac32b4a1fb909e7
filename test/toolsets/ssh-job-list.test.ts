import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBook } from '../../src/ssh/job-book.ts';
import { Jobs } from '../../src/ssh/jobs.ts';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
let folder: string;
beforeAll(async () => {
  bench = await startBench();
  folder = mkdtempSync(join(tmpdir(), 'psm-jobs-'));
});
afterAll(async () => {
  await bench.stop();
  rmSync(folder, { recursive: true });
});

describe('ssh_job_list', () => {
  it('lists the jobs of this server, and the detached ones without asking their hosts', async () => {
    const jobs = new Jobs({ book: new JobBook(join(folder, 'jobs.json')) });
    const over = { ssh: { ...bench.context().ssh, jobs } };
    await bench.call('ssh_exec', { target: 'pve1', script: 'sleep 0.2; echo x', wait_s: 0 }, over);
    await bench.call('ssh_exec', { target: 'pve1', script: '\necho y', detach: true }, over);
    await Promise.all(jobs.list().map((job) => job.over));
    expect(await bench.call('ssh_job_list', {}, over)).toMatchInlineSnapshot(`
      {
        "facts": {
          "jobs": [
            {
              "command": {
                "remote": "sleep 0.2; echo x",
              },
              "job": "jabcdef@pve1",
              "output": "2 B",
              "started": "2026-11-20T03:10:00Z",
              "state": "exit 0 after … s",
            },
            {
              "detached": true,
              "job": "jabcdef@pve1",
              "started": "2026-11-20T03:10:00Z",
              "state": "not asked",
            },
          ],
          "next": "ssh_job_read, or this with a target, asks the host of a detached one.",
        },
        "headline": "2 jobs",
      }
    `);
    expect(await bench.call('ssh_job_list', { target: 'pve1' }, over)).toMatchInlineSnapshot(`
      {
        "facts": {
          "jobs": [
            {
              "command": {
                "remote": "sleep 0.2; echo x",
              },
              "job": "jabcdef@pve1",
              "output": "2 B",
              "started": "2026-11-20T03:10:00Z",
              "state": "exit 0 after … s",
            },
            {
              "command": {
                "remote": "echo y",
              },
              "detached": true,
              "job": "jabcdef@pve1",
              "output": "2 B",
              "started": "2026-11-20T03:10:00Z",
              "state": "exit 0 after 0 s",
            },
          ],
        },
        "headline": "2 jobs on pve1",
      }
    `);
  });

  it('forgets the detached ones that their host has no more', async () => {
    const file = join(folder, 'old.json');
    writeFileSync(
      file,
      JSON.stringify([
        { id: 'jgone22@pve1', startedAt: 0 },
        { id: 'jaway22@pve9', startedAt: 0 },
        { id: 'jguest2@ct/400', startedAt: 0 },
      ]),
    );
    const jobs = new Jobs({ book: new JobBook(file) });
    await bench.call('ssh_job_list', { target: 'pve1' }, { ssh: { ...bench.context().ssh, jobs } });
    expect((await jobs.book?.list())?.map(({ id }) => id)).toEqual(['jaway22@pve9', 'jguest2@ct/400']);
  });

  it.each([[{ target: 'pve9' }], [{ target: 'ct/400' }]])('says what is wrong with %o', async (input) => {
    expect(await bench.fails('ssh_job_list', input)).toMatchObject({ hint: expect.stringMatching(/\.$/) });
  });
});
