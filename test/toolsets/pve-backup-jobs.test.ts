import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_backup_jobs', () => {
  it('tells what is backed up when, and what is not', async () => {
    expect(await bench.call('pve_backup_jobs')).toMatchInlineSnapshot(`
      {
        "facts": {
          "in_no_job": [
            "102 (webzfs-proxy)",
            "201 (win11)",
            "400 (keycloak)",
            "9000 (debian-13-template)",
          ],
          "jobs": [
            {
              "comment": {
                "remote": "Every night",
              },
              "enabled": true,
              "guests": "101 (pihole), 200 (homeassistant), 410 (postgres)",
              "job": "backup-nightly",
              "keep": "keep-daily=7,keep-weekly=4",
              "mode": "snapshot",
              "next_run": "2026-11-21T02:30:00Z",
              "schedule": "02:30",
              "storage": "pbs",
            },
            {
              "comment": {
                "remote": "gitlab",
              },
              "enabled": false,
              "guests": "300 (gitlab)",
              "job": "backup-gitlab",
              "mode": "stop",
              "schedule": "sat 04:00",
              "storage": "nas",
            },
          ],
          "only_in_disabled_jobs": [
            "300 (gitlab)",
          ],
        },
        "headline": "2 backup jobs, 1 enabled; 4 guests in none, 1 only in one that is off",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('reads jobs of all guests and of a pool, as the server writes them', async () => {
    bench.world.backupJobs.push({
      id: 'weekly',
      enabled: true,
      schedule: 'sun 01:00',
      storage: 'nas',
      mode: 'snapshot',
      all: true,
      exclude: '300,9000',
      keep: { 'keep-last': 2 },
    });
    const { headline, facts } = await bench.call('pve_backup_jobs');
    bench.world.backupJobs.pop();
    expect(headline).toBe('3 backup jobs, 2 enabled; 1 guest in none, 1 only in one that is off');
    expect(facts).toMatchObject({
      jobs: [
        { job: 'backup-nightly' },
        { job: 'backup-gitlab' },
        { job: 'weekly', guests: 'all but 300 (gitlab), 9000 (debian-13-template)', keep: 'keep-last=2' },
      ],
      in_no_job: ['9000 (debian-13-template)'],
    });
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!nothing');
    expect(await bench.fails('pve_backup_jobs', {}, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('Sys.Audit'),
      hint: expect.stringContaining("pveum acl modify / --tokens 'mcp@pve!nothing' --roles PVEAuditor"),
    });
  });
});
