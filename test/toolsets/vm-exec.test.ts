import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import type { Wire } from '../../src/pve/wire.ts';
import vmExec from '../../src/toolsets/vm/exec.ts';
import { counted, runs } from '../counts.ts';
import { tally } from '../figures.ts';
import { realAgent } from '../rig/agent.ts';
import { makeUsers } from '../rig/users.ts';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const exec = 'POST /nodes/pve1/qemu/200/agent/exec';

describe('vm_exec', () => {
  it('runs a script as root, by one write', async () => {
    const script = 'whoami\necho "on $(hostname)"; echo oops >&2; exit 3';
    expect(await bench.call('vm_exec', { guest: 'homeassistant', script })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 3,
          "ran_on": "VM 200 (homeassistant)",
          "stderr": {
            "remote": "oops
      ",
          },
          "stdout": {
            "remote": "root
      on homeassistant
      ",
          },
        },
        "headline": "exit 3 on VM 200 (homeassistant) in … s",
      }
    `);
    expect(bench.writes()).toEqual([exec]);
  });

  it('takes directory, environment and input', async () => {
    const script = 'cat; echo "$NAME in $(pwd)"';
    const input = { guest: 200, script, stdin: 'in\n', env: { NAME: "Zoë's 😀" }, cwd: '/etc' };
    expect((await bench.call('vm_exec', input)).facts).toMatchObject({ stdout: { remote: "in\nZoë's 😀 in /etc\n" } });
  });

  it('says that there is no such directory', async () => {
    expect(await bench.fails('vm_exec', { guest: 200, script: 'true', cwd: '/nowhere' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 200 (homeassistant) has no directory /nowhere that can be entered, so the command was not run.",
        "hint": "Correct the directory, or leave it out.",
        "kind": "not-found",
      }
    `);
  });

  it('ends what runs too long, and tells what was seen', async () => {
    const script = 'echo begun; sleep 60';
    expect(await bench.fails('vm_exec', { guest: 200, script, timeout_s: 1 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "remote_process": "terminated",
          "stderr": {
            "remote": "",
          },
          "stdout": {
            "remote": "begun
      ",
          },
        },
        "headline": "The command on VM 200 (homeassistant) ran longer than 1 s; all its processes have been ended.",
        "hint": "Give it more time, or start it as a service and look at it later.",
        "kind": "timeout",
      }
    `);
  });

  it('refuses what the agent cannot take at once, before it is asked', async () => {
    const script = `echo ${'x'.repeat(70_000)}`;
    expect(await bench.fails('vm_exec', { guest: 200, script })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "Script, input and environment are 70404 bytes for the guest agent, which takes 65536 at once.",
        "hint": "Write the bulk into a file of the VM by several calls (>> appends), or reach the VM by SSH as a host of its own.",
        "kind": "invalid-input",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('tells a denial with its privilege', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('vm_exec', { guest: 200, script: 'true' }, { pve })).toMatchInlineSnapshot(`
      {
        "facts": {
          "path": "/vms/200",
          "privilege": "VM.GuestAgent.Unrestricted",
          "status": 403,
          "token": "mcp@pve!auditor",
        },
        "headline": "127.0.0.1:… denied POST /nodes/pve1/qemu/200/agent/exec to mcp@pve!auditor: Permission check failed (/vms/200, VM.GuestAgent.Unrestricted). The token lacks VM.GuestAgent.Unrestricted on /vms/200. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does.",
        "hint": "On the host: pveum acl modify /vms/200 --tokens 'mcp@pve!auditor' --roles PVEVMAdmin — and, unless mcp@pve has it already: pveum acl modify /vms/200 --users 'mcp@pve' --roles PVEVMAdmin",
        "kind": "permission",
      }
    `);
  });

  it('says how to get an agent that answers', async () => {
    const guest = bench.world.guest(200);
    if (guest) guest.agent = false;
    const failure = await bench.fails('vm_exec', { guest: 200, script: 'true' });
    if (guest) guest.agent = true;
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "The guest agent of VM 200 (homeassistant) on pve1 does not answer.",
        "hint": "Inside the VM: apt install qemu-guest-agent (or dnf, zypper, apk add), then systemctl enable --now qemu-guest-agent; on Windows the installer is on the virtio-win ISO. A VM that is paused or still booting does not answer.",
        "kind": "conflict",
      }
    `);
  });

  it('says that the guest has no sh to start, or that its agent is not to run anything', async () => {
    const answering = (status: number, statusText: string) => (wire: Wire) => ({
      ...wire,
      send: async (request: Parameters<Wire['send']>[0]) =>
        request.method === 'POST' ? { status, statusText, body: '' } : wire.send(request),
    });
    const failing = (status: number, text: string) =>
      bench.fails(
        'vm_exec',
        { guest: 200, script: 'true' },
        { pve: bench.as('root@pam!mcp', answering(status, text)) },
      );
    expect(await failing(596, 'Broken pipe')).toMatchObject({
      kind: 'remote-error',
      headline: 'The guest agent of VM 200 (homeassistant) on pve1 could not start /bin/sh.',
    });
    expect(await failing(500, 'Agent error: Command guest-exec has been disabled')).toMatchObject({
      kind: 'permission',
    });
    expect(await failing(596, 'Connection timed out')).toMatchObject({ kind: 'outcome-unknown' });
  });

  it('is refused for a protected guest, whatever it is called', async () => {
    const context = bench.context({ setup: { ...setup, protectedGuests: [200] } });
    for (const guest of [200, '200', 'homeassistant'])
      await expect(refuseProtected(vmExec, { guest, script: 'true' }, context)).rejects.toMatchObject({
        kind: 'refused',
      });
    expect(bench.writes()).toEqual([]);
  });

  it('shows a human the VM and its agent', async () => {
    expect(await bench.preview('vm_exec', { guest: 200, script: 'reboot' })).toMatchInlineSnapshot(`
      {
        "message": "Run on VM 200 (homeassistant), by its guest agent:
      reboot",
        "state": {
          "host": "pve1",
          "place": "VM 200 (homeassistant)",
        },
      }
    `);
    expect(vmExec.alarm?.({ guest: 200, script: 'rm -rf /' })).toBe('It deletes a system folder with all below it.');
  });

  it.each([
    ['a container', { guest: 'keycloak' }],
    ['a VM that is stopped', { guest: 9000 }],
    ['a Windows guest', { guest: 'win11' }],
  ])('says what to do instead in %s', async (_, input) => {
    const { kind, headline, hint } = await bench.fails('vm_exec', { ...input, script: 'true' });
    expect({ kind, headline, hint }).toMatchSnapshot();
    expect(bench.writes()).toEqual([]);
  });
});

/** Processes of this machine whose command line holds the text. */
const running = (text: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
/** Random texts, and how many of them in one call. */
const texts = counted(10_000, 1_000);
const atOnce = 20;
const commandsAsAnotherUser = counted(100, 2);
const stubbornCommands = counted(100, 5);

describe('vm_exec with real processes', () => {
  const run = (input: Record<string, unknown>) =>
    bench.call('vm_exec', { guest: 200, ...input }, { pve: bench.as('root@pam!mcp', realAgent()) });
  const fails = (input: Record<string, unknown>, signal = new AbortController().signal) =>
    bench.fails('vm_exec', { guest: 200, ...input }, { pve: bench.as('root@pam!mcp', realAgent()), signal });

  it(`guarantee 6: text comes back byte for byte as argument, variable and input (${texts} of 10,000)`, {
    timeout: counted(1_800_000, 30_000),
  }, async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((one) => !/[\0\p{Surrogate}]/u.test(one));
    const some = fc.array(text, { minLength: atOnce - 2, maxLength: atOnce - 2 });
    const property = fc.asyncProperty(some, text, text, async (list, value, stdin) => {
      const words = list.map((one) => `'${one.replaceAll("'", `'\\''`)}'`).join(' ');
      const script = `printf '%s\\n' ${words}; printf '%s\\n' "$VALUE" >&2; cat >&2`;
      const { facts } = await run({ script, env: { VALUE: value }, stdin });
      const [stdout, stderr] = [list.map((one) => `${one}\n`).join(''), `${value}\n${stdin}`];
      expect(facts).toMatchObject({ exit_code: 0, stdout: { remote: stdout }, stderr: { remote: stderr } });
    });
    await fc.assert(property, { numRuns: texts / atOnce });
    tally(6, 'texts byte for byte by the guest agent', texts);
  });

  it('runs a script that starts with a dash, and keeps its own mark whatever the environment is to be', async () => {
    const { facts } = await run({ script: '-nosuch; echo "$PSM_RUN"', env: { PSM_RUN: 'mine' } });
    expect(facts).toMatchObject({ exit_code: 0, stdout: { remote: expect.stringMatching(/^[0-9a-f]{32}\n$/) } });
  });

  it('tells the signal that ended it', async () => {
    expect((await run({ script: 'echo out; kill -9 $$' })).facts).toMatchObject({
      signal: 'KILL',
      stdout: { remote: 'out\n' },
    });
  });

  it('runs as another user: id, home, names, directory, input and variables', async () => {
    makeUsers();
    const whose = { script: 'id -un; echo "$HOME $USER"; pwd', user: 'psm-zsh' };
    expect((await run(whose)).facts).toMatchObject({
      stdout: { remote: 'psm-zsh\n/home/psm-zsh psm-zsh\n/home/psm-zsh\n' },
    });
    const script = 'cat\nprintf \'%s|\' "$A" "$HOME" "$PAGER"; pwd; id -un; ps -eo args; exit 3';
    const more = { stdin: "it's in\n", env: { A: "tell-nobody 'x'\n😀", HOME: '/tmp' }, cwd: '/etc', user: 'psm-dash' };
    const { exit_code, stdout } = (await run({ script, ...more })).facts as {
      exit_code: number;
      stdout: { remote: string };
    };
    expect(exit_code).toBe(3);
    expect(stdout.remote).toMatch(/^it's in\ntell-nobody 'x'\n😀\|\/tmp\|cat\|\/etc\npsm-dash\n/);
    expect(stdout.remote.split('tell-nobody')).toHaveLength(2);
    expect((await run({ script: 'id -un; pwd', user: 'nobody' })).facts).toMatchObject({
      stdout: { remote: 'nobody\n/\n' },
    });
  });

  it('is not run for a user that is not there, or that is no user', async () => {
    const { kind, headline } = await fails({ script: 'true', user: 'psm-nobody-here' });
    expect({ kind, headline }).toEqual({
      kind: 'not-found',
      headline: 'VM 200 (homeassistant) has no user psm-nobody-here, so the command was not run.',
    });
    for (const user of ['-c', 'a b', '$(id)'])
      expect(await fails({ script: 'true', user })).toMatchObject({ kind: 'invalid-input' });
    expect(await fails({ script: 'true', cwd: '/root', user: 'psm-zsh' })).toMatchObject({ kind: 'not-found' });
  });

  it(`guarantee 4: nothing of another user runs on after the timeout (${commandsAsAnotherUser} of 100)`, {
    timeout: counted(300_000, 30_000),
  }, async () => {
    const times = numbers(commandsAsAnotherUser).map((i) => `97${process.pid}.${i}5`);
    const script = (time: string) =>
      `echo begun; trap "" TERM; setsid sleep ${time} & (env -i sleep ${time} &); sleep ${time}; sleep ${time}`;
    const end = (i: number) => fails({ script: script(times[i] ?? ''), timeout_s: 1, user: 'psm-zsh' });
    const ends = await runs(commandsAsAnotherUser, 5, end);
    for (const end of ends)
      expect(end).toMatchObject({
        kind: 'timeout',
        facts: { remote_process: 'terminated', stdout: { remote: 'begun\n' } },
      });
    expect(times.flatMap(running)).toEqual([]);
    tally(4, 'commands ended as another user', commandsAsAnotherUser);
  });

  it(`guarantee 4: nothing runs on after the timeout, whatever it did to stay (${stubbornCommands} of 100)`, {
    timeout: counted(300_000, 30_000),
  }, async () => {
    const script = (time: string) =>
      `echo begun; trap "" TERM INT HUP; setsid sleep ${time} & (env -i sleep ${time} &); sleep ${time}; sleep ${time}`;
    const times = numbers(stubbornCommands).map((i) => `98${process.pid}.${i}5`);
    const ends = await runs(stubbornCommands, 5, (i) => fails({ script: script(times[i] ?? ''), timeout_s: 1 }));
    for (const end of ends) {
      expect(end).toMatchObject({
        kind: 'timeout',
        facts: { remote_process: 'terminated', stdout: { remote: 'begun\n' } },
      });
    }
    expect(times.flatMap(running)).toEqual([]);
    tally(4, 'commands ended by the guest agent', stubbornCommands);
  });

  it('guarantee 4: nothing runs on after the timeout, though memory is cleared until then', async () => {
    setFlagsFromString('--expose-gc');
    const clear = runInNewContext('gc');
    // Not while it is ended: that has its own time, and clearing takes long.
    const clearing = [300, 600].map((ms) => setTimeout(clear, ms));
    onTestFinished(() => clearing.forEach(clearTimeout));
    const end = await fails({ script: `sleep 98${process.pid}.97`, timeout_s: 1 });
    expect(end).toMatchObject({ kind: 'timeout', facts: { remote_process: 'terminated' } });
    expect(running(`98${process.pid}.97`)).toEqual([]);
  });

  it('guarantee 4: nothing runs on after a cancel', async () => {
    const cancel = new AbortController();
    const time = `98${process.pid}.99`;
    const end = fails({ script: `sleep ${time}` }, cancel.signal);
    await expect.poll(() => running(time).length, { interval: 20 }).toBeGreaterThan(0);
    cancel.abort();
    expect(await end).toMatchObject({ kind: 'cancelled', facts: { remote_process: 'terminated' } });
    expect(running(time)).toEqual([]);
  });

  it('claims nothing of a command that the agent no longer tells of', async () => {
    const agent = realAgent();
    let first: string | undefined;
    const silent = (wire: Wire): Wire => {
      const behind = agent(wire);
      return {
        ...behind,
        send: async (request) => {
          const got = await behind.send(request);
          if (request.method === 'POST' && 'body' in got) first ??= `pid=${JSON.parse(got.body).data.pid}`;
          const asked = first !== undefined && request.path.endsWith(first);
          return asked ? { status: 595, statusText: 'Connection refused', body: '' } : got;
        },
      };
    };
    const pve = bench.as('root@pam!mcp', silent);
    expect(await bench.fails('vm_exec', { guest: 200, script: 'sleep 60', timeout_s: 1 }, { pve })).toMatchObject({
      kind: 'timeout',
      headline: expect.stringContaining('whether it still runs is unknown'),
      facts: { remote_process: 'unknown' },
    });
  });

  it('asks no second time how a command ended, and says so when the answer is lost', async () => {
    const agent = realAgent();
    const losing = (wire: Wire): Wire => {
      const behind = agent(wire);
      return {
        ...behind,
        send: async (request) => {
          const got = await behind.send(request);
          const end = 'body' in got && got.body.includes('"exited":1');
          return end ? { ...got, status: 595, statusText: 'Connection refused', body: '' } : got;
        },
      };
    };
    const pve = bench.as('root@pam!mcp', losing);
    expect(await bench.fails('vm_exec', { guest: 200, script: 'true' }, { pve })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "What became of the command in VM 200 (homeassistant) on pve1 cannot be read: 127.0.0.1:… refused GET /nodes/pve1/qemu/200/agent/exec-status: Agent error: PID ld does not exist",
        "hint": "It was started once. Its end is told once, and is lost when the VM or its agent was restarted meanwhile. Look inside the VM before you run it again.",
        "kind": "outcome-unknown",
      }
    `);
  });
});
