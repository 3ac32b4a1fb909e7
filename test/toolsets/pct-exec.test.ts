import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import { login, sshTo } from '../rig/login.ts';
import { type SshdOptions, startSshd } from '../rig/sshd.ts';
import { type Bench, bent, shellOn, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pct_exec', () => {
  it('runs a script in a container on the node that runs it', async () => {
    await bench.call('pve_guest_power', { guest: 400, action: 'start' });
    expect(await bench.call('pct_exec', { vmid: 400, script: 'hostname\ndocker ps' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 0,
          "ran_on": "CT 400 (keycloak)",
          "ssh_host": "pve1",
          "stdout": {
            "remote": "keycloak
      CONTAINER ID   IMAGE                            COMMAND                   CREATED       STATUS                  PORTS                    NAMES
      3f1c9a7be204   quay.io/keycloak/keycloak:26.4   "/opt/keycloak/bin/kc…"   5 weeks ago   Up Less than a second   0.0.0.0:8080->8080/tcp   keycloak
      ",
          },
        },
        "headline": "exit 0 on CT 400 (keycloak) in … s",
      }
    `);
  });

  it('takes a container as running that its node says is, whatever the lagging list says', async () => {
    const lagging = bent(/^\/cluster\/resources/, (body) => body.replaceAll('"running"', '"stopped"'));
    const pve = bench.as('root@pam!mcp', lagging);
    expect((await bench.call('pve_guest_list', {}, { pve })).headline).not.toContain('running');
    const told = await bench.call('pct_exec', { vmid: 400, script: 'hostname' }, { pve });
    expect(told.facts).toMatchObject({ stdout: { remote: 'keycloak\n' } });
  });

  it('tells an exit code of the command as an answer', async () => {
    expect(await bench.call('pct_exec', { vmid: 101, script: 'exit 7' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 7,
          "ran_on": "CT 101 (pihole)",
          "ssh_host": "pve1",
        },
        "headline": "exit 7 on CT 101 (pihole) in … s",
      }
    `);
  });

  it('says that a container is stopped, and how to start it', async () => {
    await bench.call('pve_guest_power', { guest: 400, action: 'shutdown' });
    expect(await bench.fails('pct_exec', { vmid: 400, script: 'true' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "CT 400 (keycloak) on pve1 is stopped: no command can run in it.",
        "hint": "Start it first: pve_guest_power with guest 400 and action start.",
        "kind": "conflict",
      }
    `);
  });

  it('says that a VM is none', async () => {
    expect(await bench.fails('pct_exec', { vmid: 200, script: 'true' })).toMatchObject({
      kind: 'invalid-input',
      headline: 'VM 200 (homeassistant) on pve1 is a VM.',
      hint: 'Use ssh_exec with target vm/200, or vm_exec with guest 200.',
    });
  });

  it('says that the node of the container is no host it knows', async () => {
    const guest = bench.world.guest(101);
    if (guest) guest.node = 'pve2';
    const failure = await bench.fails('pct_exec', { vmid: 101, script: 'true' });
    if (guest) guest.node = 'pve1';
    expect(failure).toMatchObject({ kind: 'not-found', headline: 'No host "pve2" is known.' });
  });
});

describe('pct_exec over OpenSSH', () => {
  /** Runs the tool with a real sshd in the place of pve1. */
  async function onSshd<T>(
    options: SshdOptions,
    user: string,
    use: (over: Partial<ToolContext>) => Promise<T>,
  ): Promise<T> {
    const sshd = await startSshd(options);
    const client = sshTo(sshd);
    const spec = { ...login(sshd, user), name: 'pve1' };
    try {
      return await use({ ssh: shellOn(client, [{ spec, source: 'node' }]) });
    } finally {
      await client.close();
      await sshd.stop();
    }
  }

  it('becomes root by sudo where the login is not root', async () => {
    const told = await onSshd({ containers: { 101: 'running' } }, 'psm-bash', (over) =>
      bench.call('pct_exec', { vmid: 101, script: 'echo "$(id -un) in $container"' }, over),
    );
    expect(told.facts).toMatchObject({ exit_code: 0, stdout: { remote: 'root in lxc\n' } });
  });

  it('says that a host has no pct', async () => {
    const failure = await onSshd({}, 'root', (over) => bench.fails('pct_exec', { vmid: 101, script: 'true' }, over));
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "exit_code": 127,
          "stderr": {
            "remote": "bash: line 1: exec: pct: not found
      ",
          },
          "stdout": {
            "remote": "",
          },
        },
        "headline": "pve1 has no pct: it is not a Proxmox VE node.",
        "hint": "Name the node that runs the container, as pve_guest_list shows it.",
        "kind": "misconfigured",
      }
    `);
  });

  it('keeps what a command said before its time was over, and tells what became of it', async () => {
    const script = 'echo begun; sleep 60';
    const failure = await onSshd({ containers: { 101: 'running' } }, 'root', (over) =>
      bench.fails('pct_exec', { vmid: 101, script, timeout_s: 1 }, over),
    );
    expect(failure).toMatchObject({
      kind: 'timeout',
      facts: { stdout: { remote: 'begun\n' }, remote_process: 'terminated' },
    });
  });
});
