import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('ssh_exec', () => {
  it('makes no connection for a container that is stopped', async () => {
    expect(await bench.fails('ssh_exec', { target: 'ct/400', script: 'true' })).toMatchObject({ kind: 'conflict' });
    const { ssh } = bench.context();
    expect((await ssh.hosts.list()).map(({ spec }) => ssh.connection(spec).state)).toEqual(['idle']);
  });

  it('refuses what would wait for a keyboard before anything is opened or asked, unless it is forced', async () => {
    const input = { target: 'pve1', script: 'apt install nginx' };
    expect(await bench.fails('ssh_exec', input)).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": ""apt install nginx" would wait for what somebody types, and nobody sits at a keyboard here, so nothing was run.",
        "hint": "Use \`apt-get install -y PACKAGE\`, or look before by \`apt-get install -s PACKAGE\`. With force: true it is run all the same.",
        "kind": "invalid-input",
      }
    `);
    await expect(bench.preview('ssh_exec', input)).rejects.toMatchObject({ kind: 'invalid-input' });
    const { ssh } = bench.context();
    expect((await ssh.hosts.list()).map(({ spec }) => ssh.connection(spec).state)).toEqual(['idle']);
    expect((await bench.call('ssh_exec', { ...input, force: true })).facts).toMatchObject({ exit_code: 127 });
  });

  it('runs a command on a node', async () => {
    expect(await bench.call('ssh_exec', { target: 'pve1', script: 'hostname' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 0,
          "ran_on": "pve1",
          "stdout": {
            "remote": "pve1
      ",
          },
        },
        "headline": "exit 0 on pve1 in … s",
      }
    `);
    expect(bench.requests()).toBe(0);
  });

  it('gives exit code, stdout and stderr apart, with input, environment and directory', async () => {
    const script = 'cat; echo "$NAME in $(pwd)"; echo oops >&2; exit 3';
    const input = { target: 'pve1', script, stdin: 'in\n', env: { NAME: 'me' }, cwd: '/etc' };
    expect(await bench.call('ssh_exec', input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 3,
          "ran_on": "pve1",
          "stderr": {
            "remote": "oops
      ",
          },
          "stdout": {
            "remote": "in
      me in /etc
      ",
          },
        },
        "headline": "exit 3 on pve1 in … s",
      }
    `);
  });

  it('runs it in a container by its target', async () => {
    const told = await bench.call('ssh_exec', { target: 'ct/101', script: 'hostname' });
    expect(told).toMatchObject({
      headline: 'exit 0 on CT 101 (pihole) in … s',
      facts: { ran_on: 'CT 101 (pihole)', stdout: { remote: 'pihole\n' } },
    });
  });

  it('runs it in a VM by its target, as vm_exec does', async () => {
    const input = { target: 'vm/200', script: 'hostname; whoami; exit 2' };
    const told = await bench.call('ssh_exec', input);
    expect(told).toMatchObject({
      headline: 'exit 2 on VM 200 (homeassistant) in … s',
      facts: { ran_on: 'VM 200 (homeassistant)', exit_code: 2, stdout: { remote: 'homeassistant\nroot\n' } },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/200/agent/exec']);
    expect(await bench.call('vm_exec', { guest: 200, script: input.script })).toEqual(told);
    expect(await bench.call('ssh_sudo_exec', input)).toEqual(told);
  });

  it.each([
    [{ target: 'keycloak' }],
    [{ target: 'homeassistant' }],
    [{ target: 'nosuch' }],
    [{ target: 'vm/201' }],
    [{ target: 'vm/101' }],
    [{ target: 'ct/200' }],
    [{ target: 'ct/999' }],
    [{ target: 'ct/400' }],
    [{ target: 'no such' }],
  ])('says what is wrong with %o, and what to write instead', async (input) => {
    expect(await bench.fails('ssh_exec', { ...input, script: 'true' })).toMatchSnapshot();
  });

  it.each(['pve1', 'ct/101', 'vm/200'])(
    'runs it as another user of %s, in its home where there is one',
    async (target) => {
      const script = 'id -un; echo "$HOME"';
      const { facts } = await bench.call('ssh_exec', { target, script, user: 'www-data' });
      expect(facts).toMatchObject({ exit_code: 0, stdout: { remote: 'www-data\n/var/www\n' } });
      const { kind, headline, hint } = await bench.fails('ssh_exec', { target, script, user: 'nosuch' });
      expect({ kind, hint }).toEqual({ kind: 'not-found', hint: 'Correct the user name.' });
      expect(headline).toMatch(/ has no user nosuch, so the command was not run\.$/);
      expect(await bench.fails('ssh_exec', { target, script, user: '-c' })).toMatchObject({ kind: 'invalid-input' });
    },
  );

  it('takes no limits with detach, since nobody would be there to keep them, and shows it to a human', async () => {
    const input = { target: 'pve1', script: 'true', detach: true };
    for (const limits of [{ timeout_s: 5 }, { wait_s: 5 }])
      expect(await bench.fails('ssh_exec', { ...input, ...limits })).toMatchObject({ kind: 'invalid-input' });
    expect((await bench.preview('ssh_exec', input)).message).toBe(
      'Start as a job that outlives this server on pve1:\ntrue',
    );
  });

  it('shows a human the place and all that decides what it does', async () => {
    const input = { target: 'ct/101', script: 'ls', env: { A: 'b' }, cwd: '/', stdin: 'x', user: 'app' };
    expect(await bench.preview('ssh_exec', input)).toMatchInlineSnapshot(`
      {
        "message": "Run on CT 101 (pihole), by pve1 as app, in /:
      with A=b
      with 1 character of input: x
      ls",
        "state": {
          "host": "pve1",
          "place": "CT 101 (pihole)",
        },
      }
    `);
  });
});
