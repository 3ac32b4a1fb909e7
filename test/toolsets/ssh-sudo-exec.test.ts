import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { login, sshTo } from '../rig/login.ts';
import { startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD } from '../rig/users.ts';
import { type Bench, shellOn, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('ssh_sudo_exec', () => {
  it('runs a command as root', async () => {
    expect(await bench.call('ssh_sudo_exec', { target: 'pve1', script: 'id -un' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 0,
          "ran_on": "pve1",
          "stdout": {
            "remote": "root
      ",
          },
        },
        "headline": "exit 0 on pve1 in … s",
      }
    `);
  });

  it('shows a human that it runs as root', async () => {
    expect((await bench.preview('ssh_sudo_exec', { target: 'pve1', script: 'ls' })).message).toBe(
      'Run on pve1 as root:\nls',
    );
  });

  it('says what is wrong with a host that nobody knows', async () => {
    expect(await bench.fails('ssh_sudo_exec', { target: 'pve9', script: 'true' })).toMatchObject({ kind: 'not-found' });
  });

  it('gives sudo its password on OpenSSH, and the command its own input', async () => {
    const sshd = await startSshd();
    const client = sshTo(sshd);
    const spec = login(sshd, 'psm-dash', { sudoPassword: new Secret(DASH_PASSWORD) });
    const ssh = shellOn(client, [{ spec, source: 'inventory' }]);
    const input = { target: spec.name, script: 'id -un; cat', stdin: 'mine' };
    const told = await bench.call('ssh_sudo_exec', input, { ssh });
    await client.close();
    await sshd.stop();
    expect(told.facts).toMatchObject({ exit_code: 0, stdout: { remote: 'root\nmine' } });
    expect(JSON.stringify(told)).not.toContain(DASH_PASSWORD);
  });
});
