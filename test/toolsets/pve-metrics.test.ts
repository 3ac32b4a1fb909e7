import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seriesFacts, sparkline } from '../../src/toolsets/pve/series.ts';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => {
  expect(bench.writes()).toEqual([]);
  bench.forget();
});
afterAll(() => bench.stop());

describe('pve_metrics', () => {
  it('tells how a node went', async () => {
    expect(await bench.call('pve_metrics', { node: 'pve1' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "cores": 16,
          "each_point": "the mean of 1 min",
          "series": {
            "cpu": {
              "course": "▂▅▅▆▄▂▅▆▅▄▁▄▇▆▅▂▃▇▅▄▃▃▇▆▃▃▃▆█▄▃▄▅▇▄▂▅▅▇▅",
              "last": "14 %",
              "max": "17 %",
              "mean": "13 %",
              "min": "9.2 %",
            },
            "io_wait": {
              "course": "▂▅▅▆▄▂▅▆▅▄▁▄▇▆▅▂▃▇▅▄▃▃▇▆▃▃▃▆█▄▃▄▅▇▄▂▅▅▇▅",
              "last": "0.2 %",
              "max": "0.2 %",
              "mean": "0.1 %",
              "min": "0.1 %",
            },
            "load": {
              "course": "▂▅▅▆▄▂▅▆▅▄▁▄▇▆▅▂▃▇▅▄▃▃▇▆▃▃▃▆█▄▃▄▅▇▄▂▅▅▇▅",
              "last": "2.20",
              "max": "2.71",
              "mean": "2.10",
              "min": "1.48",
            },
            "memory": {
              "course": "▄▄▂▅█▅▄▃▃▇▅▃▄▄▇▆▂▃▄▆▇▃▂▅▅▆▄▂▆▆▆▄▁▄▇▆▅▃▃▆",
              "last": "17.7 GiB",
              "max": "17.7 GiB",
              "mean": "17.7 GiB",
              "min": "17.6 GiB",
              "of": "64 GiB",
            },
            "network_in": {
              "last": "20 KiB/s",
              "max": "20 KiB/s",
              "mean": "20 KiB/s",
              "min": "20 KiB/s",
            },
            "network_out": {
              "last": "9 KiB/s",
              "max": "9 KiB/s",
              "mean": "9 KiB/s",
              "min": "9 KiB/s",
            },
            "pressure_cpu_some": {
              "last": "0.2 %",
              "max": "0.2 %",
              "mean": "0.2 %",
              "min": "0.2 %",
            },
            "pressure_io_some": {
              "last": "0.1 %",
              "max": "0.1 %",
              "mean": "0.1 %",
              "min": "0.1 %",
            },
            "root_disk": {
              "last": "21 GiB",
              "max": "21 GiB",
              "mean": "21 GiB",
              "min": "21 GiB",
              "of": "94 GiB",
            },
          },
          "timeframe": "hour",
        },
        "headline": "Node pve1, the last hour",
      }
    `);
  });

  it('tells how a guest went, by its name', async () => {
    const { headline, facts } = await bench.call('pve_metrics', { guest: 'gitlab', timeframe: 'day' });
    expect(headline).toBe('VM 300 (gitlab) on pve2, the last day, measured 43 of 1440 times');
    expect(Object.keys((facts as { series: object }).series)).toEqual([
      ...['cpu', 'memory', 'memory_on_host', 'disk_read', 'disk_write', 'network_in', 'network_out'],
    ]);
  });

  it('tells how a shared storage filled, and asks for the node of one that is not', async () => {
    expect(await bench.call('pve_metrics', { storage: 'nas', timeframe: 'month' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "each_point": "the mean of 30 min",
          "series": {
            "used": {
              "course": "▁▁▁▂▂▂▂▂▂▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇▇███",
              "last": "6.5 TiB",
              "max": "6.5 TiB",
              "mean": "6.5 TiB",
              "min": "6.5 TiB",
              "of": "7 TiB",
            },
          },
          "timeframe": "month",
        },
        "headline": "Storage nas, the last month",
      }
    `);
    expect(await bench.fails('pve_metrics', { storage: 'local' })).toMatchObject({ kind: 'ambiguous' });
    expect((await bench.call('pve_metrics', { storage: 'local', node: 'pve2' })).headline).toMatch(
      /^Storage local on pve2/,
    );
  });

  it('says when nothing was measured', async () => {
    expect(await bench.call('pve_metrics', { guest: 9000, timeframe: 'week' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "each_point": "the mean of 30 min",
          "notes": [
            "It did not run, or is younger than the first measurement.",
          ],
          "series": {},
          "timeframe": "week",
        },
        "headline": "VM 9000 (debian-13-template) on pve1: nothing was measured in the last week",
      }
    `);
  });

  it('takes numbers that are sent as text', async () => {
    const row = '{"time":"1795141140","cpu":"0.25","memused":"1048576","memtotal":2097152,"pressurecpusome":"12.5"}';
    const pve = bench.as(
      'root@pam!mcp',
      bent(/rrddata/, () => `{"data":[{"time":1795141080},${row}]}`),
    );
    const { facts } = await bench.call('pve_metrics', { node: 'pve1' }, { pve });
    expect(facts).toMatchObject({
      series: {
        cpu: { min: '25 %', max: '25 %' },
        memory: { last: '1 MiB', of: '2 MiB' },
        pressure_cpu_some: { max: '13 %' },
      },
    });
  });

  it.each([[{}], [{ node: 'pve1', guest: 400 }], [{ guest: 400, storage: 'nas' }]])(
    'asks for one thing, not %o',
    async (input) => {
      expect(await bench.fails('pve_metrics', input)).toMatchObject({ kind: 'invalid-input' });
    },
  );

  it('names the nodes there are', async () => {
    expect(await bench.fails('pve_metrics', { node: 'pve9' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "pve1",
            "pve2",
          ],
        },
        "headline": "There is no node "pve9".",
        "hint": "The nodes are: pve1, pve2.",
        "kind": "not-found",
      }
    `);
  });

  it('tells a denial with its privilege', async () => {
    const failure = await bench.fails('pve_metrics', { node: 'pve1' }, { pve: bench.as('mcp@pve!nothing') });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "path": "/nodes/pve1",
          "privilege": "Sys.Audit",
          "status": 403,
          "token": "mcp@pve!nothing",
        },
        "headline": "127.0.0.1:… denied GET /nodes/pve1/rrddata to mcp@pve!nothing: Permission check failed (/nodes/pve1, Sys.Audit). The token lacks Sys.Audit on /nodes/pve1. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does.",
        "hint": "On the host: pveum acl modify /nodes/pve1 --tokens 'mcp@pve!nothing' --roles PVEAuditor — and, unless mcp@pve has it already: pveum acl modify /nodes/pve1 --users 'mcp@pve' --roles PVEAuditor",
        "kind": "permission",
      }
    `);
  });
});

describe('a series', () => {
  it('stays small and between its ends, whatever was measured', () => {
    const points = fc.array(fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: undefined }), {
      maxLength: 1500,
    });
    fc.assert(
      fc.property(points, fc.constantFrom('percent', 'bytes', 'bytes/s', 'number'), (some, unit) => {
        expect(sparkline(some)).toMatch(/^[▁▂▃▄▅▆▇█·]{0,40}$/u);
        expect(JSON.stringify(seriesFacts(some, unit) ?? {}).length).toBeLessThan(300);
      }),
    );
  });

  it('shows a rise as a rise, and a flat line low', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([5, undefined, 5])).toBe('▁·▁');
    expect(seriesFacts([undefined], 'number')).toBeUndefined();
  });
});
