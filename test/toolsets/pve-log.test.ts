import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => {
  expect(bench.writes()).toEqual([]);
  bench.forget();
});
afterAll(() => bench.stop());

const asked = (): unknown => bench.world.requests.at(-1)?.params;

describe('pve_log', () => {
  it('gives the newest lines of the journal', async () => {
    expect(await bench.call('pve_log', { node: 'pve1', lines: 3 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "Nov 17 03:10:00 pve1 webzfs[2314]: Listening on http://0.0.0.0:26619
      Nov 17 03:10:00 pve1 webzfs[2314]: pool rpool: ONLINE, pool tank: ONLINE
      Nov 20 01:10:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
        },
        "headline": "Journal of pve1: 3 lines",
      }
    `);
    expect(asked()).toMatchObject({ lastentries: '3' });
  });

  it('finds a text or another, in any case, in far more lines than it shows', async () => {
    const told = await bench.call('pve_log', { node: 'pve1', grep: 'SCRUB|worker', lines: 2 });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "Oct 10 03:10:09 pve1 pveproxy[782]: starting 3 worker(s)
      Nov 20 01:10:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
        },
        "headline": "Journal of pve1: 3 of 9 lines match, the newest 2 shown",
      }
    `);
    expect(asked()).toMatchObject({ lastentries: '5000' });
  });

  it('keeps to a span of time, by age or by the clock', async () => {
    expect(await bench.call('pve_log', { node: 'pve1', since: '3h' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "Nov 20 01:10:00 pve1 webzfs[2314]: scrub of tank finished: 0 errors",
          },
          "since": "2026-11-20T00:10:00Z",
        },
        "headline": "Journal of pve1: 1 line",
      }
    `);
    const day = { since: '2026-11-17T03:00:00Z', until: '2026-11-17T04:30:00+01:00' };
    expect((await bench.call('pve_log', { node: 'pve1', ...day })).headline).toBe('Journal of pve1: 2 lines');
    expect(asked()).toMatchObject({ since: '1794884400', until: '1794886200' });
    expect((await bench.call('pve_log', { node: 'pve1', until: '1h' })).facts).toEqual({
      since: '2026-11-20T01:10:00Z',
      until: '2026-11-20T02:10:00Z',
      log: expect.anything(),
    });
  });

  it('gives the firewall log of a node, and of a guest by its name', async () => {
    expect((await bench.call('pve_log', { node: 'pve1', log: 'firewall', grep: 'src=198.51.100.21' })).headline).toBe(
      'Firewall log of pve1: 2 of 6 lines match',
    );
    expect(await bench.call('pve_log', { guest: 'homeassistant', since: '1h' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "log": {
            "remote": "200 4 tap200i0-IN 20/Nov/2026:02:29:01 +0000 policy DROP: IN=vmbr0 SRC=198.51.100.21 DST=192.168.2.80 PROTO=TCP SPT=41102 DPT=23
      200 4 tap200i0-IN 20/Nov/2026:03:03:01 +0000 policy DROP: IN=vmbr0 SRC=198.51.100.22 DST=192.168.2.80 PROTO=TCP SPT=42102 DPT=23",
          },
          "since": "2026-11-20T02:10:00Z",
        },
        "headline": "Firewall log of VM 200 (homeassistant) on pve1: 2 lines",
      }
    `);
    expect((await bench.call('pve_log', { guest: 400 })).headline).toBe(
      'Firewall log of CT 400 (keycloak) on pve1: 0 lines',
    );
  });

  it('says so when a node has no journal', async () => {
    const kept = bench.world.nodes[1]?.journal.splice(0) ?? [];
    const told = await bench.call('pve_log', { node: 'pve2' });
    bench.world.nodes[1]?.journal.push(...kept);
    expect(told).toEqual({ headline: 'Journal of pve2: 0 lines', facts: {} });
  });

  it.each([
    {},
    { node: 'pve1', guest: 400 },
    { node: 'pve1', since: '1h', until: '2h' },
    { node: 'pve1', since: 'yesterday' },
    { node: 'pve1', since: '2026-13-45T99:00:00Z' },
  ])('refuses %o', async (input) => {
    expect(await bench.fails('pve_log', input)).toMatchObject({ kind: 'invalid-input' });
    expect(bench.requests()).toBe(0);
  });

  it('names the nodes there are', async () => {
    expect(await bench.fails('pve_log', { node: 'pve9' })).toMatchObject({
      kind: 'not-found',
      hint: 'The nodes are: pve1, pve2.',
    });
  });

  it('tells a denial with its privilege', async () => {
    const failure = await bench.fails('pve_log', { node: 'pve1' }, { pve: bench.as('mcp@pve!auditor') });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "path": "/nodes/pve1",
          "privilege": "Sys.Syslog",
          "status": 403,
          "token": "mcp@pve!auditor",
        },
        "headline": "127.0.0.1:… denied GET /nodes/pve1/journal to mcp@pve!auditor: Permission check failed (/nodes/pve1, Sys.Syslog). The token lacks Sys.Syslog on /nodes/pve1. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does.",
        "hint": "On the host: pveum acl modify /nodes/pve1 --tokens 'mcp@pve!auditor' --roles PVESysAdmin — and, unless mcp@pve has it already: pveum acl modify /nodes/pve1 --users 'mcp@pve' --roles PVESysAdmin",
        "kind": "permission",
      }
    `);
  });
});
