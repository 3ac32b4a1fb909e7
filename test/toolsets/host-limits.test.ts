import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitsInShort, limitsTold } from '../../src/toolsets/ssh/host-limits.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { type Bench, startBench } from './harness.ts';
import { siteOf } from './hosts.ts';

let bench: Bench;
let sshd: Sshd;
beforeAll(async () => {
  bench = await startBench();
  sshd = await startSshd();
});
afterAll(async () => {
  await bench.stop();
  await sshd.stop();
});

describe('the limits of a host', () => {
  it('are enforced in every call, and told with every answer', async () => {
    const { address, port, keyPath } = login(sshd, 'psm-bash');
    const limits = { commandsPerMinute: 2, concurrent: 1 };
    const site = siteOf({ web1: { address, port, keyPath, user: 'psm-bash', limits } });
    site.know(sshd.hostKeyLine);
    const over = { ssh: site.ssh };
    const input = { target: 'web1', script: 'true' };
    const used = async () => (await bench.call('ssh_exec', input, over)).facts;
    expect(await used()).toMatchObject({
      limits_used: expect.stringMatching(/^1 of 2 commands a minute; [01] of 1 at once$/),
    });
    expect(await used()).toMatchObject({ limits_used: expect.stringMatching(/^2 of 2 commands a minute; /) });
    expect(await bench.fails('ssh_exec', input, over)).toMatchObject({
      kind: 'busy',
      headline: 'web1 may get 2 commands a minute, and had them: this one was not sent.',
      hint: expect.stringContaining('ssh_host_set changes them'),
    });
    expect((await bench.call('ssh_host_get', { connect: false }, over)).facts).toMatchObject({
      limits_used: { commands_a_minute: '2 of 2', at_once: '0 of 1', connections_a_minute: '1 of 60' },
    });
    await bench.call('ssh_host_set', { host: 'web1', commands_per_minute: 5 }, over);
    expect(await used()).toMatchObject({ limits_used: expect.stringMatching(/^3 of 5 commands a minute; /) });
  });

  it('are not spoken of where there are none', async () => {
    expect((await bench.call('ssh_exec', { target: 'pve1', script: 'true' })).facts).not.toHaveProperty('limits_used');
    const idle = { state: 'idle', openChannels: 0, queued: 0, commandsLastMinute: 0, connectsLastMinute: 2 } as const;
    expect([limitsInShort({}), limitsTold(undefined, idle), limitsTold({}, idle)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(limitsTold({ connectsPerMinute: 9 }, idle)).toBe('2 of 9 connections a minute');
  });
});
