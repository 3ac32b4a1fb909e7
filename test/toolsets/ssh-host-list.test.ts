import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('ssh_host_list', () => {
  it('lists the hosts there are, and whether a connection is open', async () => {
    expect(await bench.call('ssh_host_list')).toMatchObject({
      facts: { hosts: [{ host: 'pve1', connection: 'idle' }] },
    });
    await bench.call('ssh_exec', { target: 'pve1', script: 'true' });
    expect(await bench.call('ssh_host_list')).toMatchInlineSnapshot(`
      {
        "facts": {
          "hosts": [
            {
              "connection": "connected",
              "host": "pve1",
              "known_from": "node",
              "login": "root@127.0.0.1:…",
            },
          ],
        },
        "headline": "1 host",
      }
    `);
    expect(bench.requests()).toBe(0);
  });

  it('keeps to a tag', async () => {
    expect(await bench.call('ssh_host_list', { tag: 'none' })).toMatchObject({
      headline: '0 hosts',
      facts: { hosts: [] },
    });
  });
});
