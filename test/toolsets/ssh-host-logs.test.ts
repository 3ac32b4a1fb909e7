import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

describe('ssh_host_logs', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.stop());
  const logs = (input: object) => bench.call('ssh_host_logs', { target: 'pve1', ...input });

  it('gives the newest lines of the journal, and from where to go on', async () => {
    expect(await logs({ lines: 2 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-11-17T03:10:00+00:00 pve1 webzfs[2314]: pool rpool: ONLINE, pool tank: ONLINE
      2026-11-20T01:10:00+00:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "older_until": "2026-11-17T03:10:00+00:00",
        },
        "headline": "Journal of pve1: the newest 2 lines",
      }
    `);
  });

  it('finds lines by a pattern, in far more than it shows', async () => {
    expect(await logs({ grep: 'scrub|worker', lines: 1 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-11-20T01:10:00+00:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "older_until": "2026-11-20T01:10:00+00:00",
        },
        "headline": "Journal of pve1: more than 1 of 9 lines match, the newest 1 shown",
      }
    `);
    expect((await logs({ grep: 'SCRUB' })).headline).toBe('Journal of pve1: 0 of 9 lines match');
    expect((await logs({ grep: '^2026.*SCRUB', ignore_case: true })).headline).toBe(
      'Journal of pve1: 1 of 9 lines match',
    );
  });

  it('keeps to a unit, a time, a boot, a priority or the kernel', async () => {
    expect(await logs({ unit: 'webzfs', since: '2h', until: '2026-11-20 03:00' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-11-20T01:10:00+00:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "since": "2026-11-20T01:10:00Z",
          "until": "2026-11-20 03:00:00",
        },
        "headline": "Journal of pve1: 1 line",
      }
    `);
    const day = { since: '2026-11-17T04:00:00+01:00', until: '2026-11-17T04:30:00.5+0100' };
    expect((await logs(day)).headline).toBe('Journal of pve1: 2 lines');
    expect((await logs({ kernel: true })).headline).toBe('Journal of pve1: 1 line');
    expect((await logs({ boot: -1 })).headline).toBe('Journal of pve1: 0 lines');
    expect((await logs({ priority: 'err' })).headline).toBe('Journal of pve1: 1 line');
  });

  it('reads the same in a container and in a VM', async () => {
    expect(await logs({ target: 'ct/101' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "2026-10-10T04:10:00+00:00 pihole systemd[1]: Startup finished in 4.209s.",
          },
        },
        "headline": "Journal of CT 101 (pihole): 1 line",
      }
    `);
    expect(await logs({ target: 'vm/200', file: '/etc/hostname' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "homeassistant",
          },
        },
        "headline": "/etc/hostname of VM 200 (homeassistant): 1 line",
      }
    `);
  });
});
