import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
afterEach(() => bench.forget());
afterAll(async () => {
  await bench.stop();
  await sshd.stop();
});

describe('a call that names no target', () => {
  it('means the only host there is', async () => {
    expect(await bench.call('ssh_exec', { script: 'hostname' })).toMatchObject({ facts: { ran_on: 'pve1' } });
    expect((await bench.preview('ssh_sudo_exec', { script: 'ls' })).message).toBe('Run on pve1 as root:\nls');
    expect(bench.requests()).toBe(0);
  });

  it('means the default, from the very call after it was made so', async () => {
    const { address, port, keyPath } = login(sshd, 'psm-bash');
    const entry = { address, port, keyPath };
    const site = siteOf({ one: { ...entry, user: 'psm-bash' }, two: { ...entry, user: 'psm-dash' } });
    site.know(sshd.hostKeyLine);
    const over = { ssh: site.ssh };
    expect(await bench.fails('ssh_exec', { script: 'id -un' }, over)).toEqual({
      kind: 'invalid-input',
      headline: 'No host was named, 2 are known, and none of them is the default.',
      hint: 'Name one (one, two), or make one the default: ssh_host_set with its name and default true.',
      facts: {},
    });
    for (const [host, user] of [
      ['two', 'psm-dash'],
      ['one', 'psm-bash'],
    ]) {
      await bench.call('ssh_host_set', { host, default: true }, over);
      const told = await bench.call('ssh_exec', { script: 'id -un' }, over);
      expect(told.facts).toMatchObject({ ran_on: host, stdout: { remote: `${user}\n` } });
    }
  });
});
