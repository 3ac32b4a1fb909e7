import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseInput } from '../../src/gate/parse.ts';
import { refuseProtected } from '../../src/gate/protect.ts';
import type { Facts } from '../../src/present/answer.ts';
import { withinBudget } from '../../src/present/budget.ts';
import type { Ssh } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import execMany from '../../src/toolsets/ssh/exec-many.ts';
import type { KnownHost, ToolContext } from '../../src/toolsets/tool.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { runAsRoot } from '../rig/users.ts';
import { type Bench, setup, shellOn, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const run = (input: Record<string, unknown>, over?: Partial<ToolContext>) => bench.call('ssh_exec_many', input, over);
const fails = (input: Record<string, unknown>, over?: Partial<ToolContext>) =>
  bench.fails('ssh_exec_many', input, over);

describe('ssh_exec_many', () => {
  it('tells what is the same once, what differs before it, and what failed first', async () => {
    const targets = ['pve1', 'ct/101', 'vm/200', 'ct/400', 'nosuch'];
    const script = 'test "$(hostname)" = pihole && { echo mine; exit 3; }; echo fine';
    expect(await run({ targets, script })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "failed": [
            {
              "hint": "Start it first: pve_guest_power with guest 400 and action start.",
              "kind": "conflict",
              "message": "CT 400 (keycloak) on pve1 is stopped: no command can run in it.",
              "places": [
                "ct/400",
              ],
            },
            {
              "hint": "Known: pve1.",
              "kind": "not-found",
              "message": "No host "nosuch" is known.",
              "places": [
                "nosuch",
              ],
            },
          ],
          "results": [
            {
              "exit_code": 3,
              "ran_on": [
                "CT 101 (pihole)",
              ],
              "stdout": {
                "remote": "mine
      ",
              },
            },
            {
              "exit_code": 0,
              "ran_on": [
                "pve1",
                "VM 200 (homeassistant)",
              ],
              "stdout": {
                "remote": "fine
      ",
              },
            },
          ],
        },
        "headline": "5 places: 2 exit 0, 2 failed, 1 exit 3, in … s",
      }
    `);
  });

  it('refuses what cannot be a place, or what would wait for a keyboard, before anything is asked', async () => {
    expect(await fails({ targets: ['pve1', 'CT/400'], script: 'true' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": ""CT/400" is not a target.",
        "hint": "Write a host by its name (pve1), a container as ct/400, a VM as vm/101.",
        "kind": "invalid-input",
      }
    `);
    expect(await fails({ targets: ['pve1'], script: 'apt install nginx' })).toMatchObject({ kind: 'invalid-input' });
    expect(await fails({ script: 'true' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "No place was named.",
        "hint": "Give targets, a tag, or both.",
        "kind": "invalid-input",
      }
    `);
    expect(await fails({ tag: 'nosuch', script: 'true' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "No host has the tag "nosuch".",
        "hint": "ssh_host_list shows every host with its tags.",
        "kind": "not-found",
      }
    `);
    expect(bench.requests()).toBe(0);
  });

  it('shows a human all places at once', async () => {
    const input = {
      targets: ['pve1', 'ct/101', 'lxc/101', 'ct/400'],
      script: 'uptime',
      user: 'app',
      cwd: '/srv',
      env: { A: 'b' },
    };
    expect(await bench.preview('ssh_exec_many', input)).toMatchInlineSnapshot(`
      {
        "message": "Run on 3 places, as app, in /srv: pve1, CT 101 (pihole), ct/400 (CT 400 (keycloak) on pve1 is stopped: no command can run in it.)
      with A=b
      uptime",
        "state": {
          "places": [
            "pve1",
            "CT 101 (pihole)",
            "ct/400 (CT 400 (keycloak) on pve1 is stopped: no command can run in it.)",
          ],
        },
      }
    `);
    const crowd = Array.from({ length: 100 }, (_, i) => `a-host-with-a-long-name-${i}`);
    const { message, state } = await bench.preview('ssh_exec_many', { targets: crowd, script: 'uptime' });
    expect(message.length).toBeLessThan(1_400);
    expect(message).toMatch(/^Run on 100 places: a-host-with-a-long-name-0 .* and \d+ more\nuptime$/);
    expect(state.places).toHaveLength(100);
    expect(execMany.alarm?.({ ...input, script: 'reboot' })).toBe('It turns the host off or restarts it.');
    expect(execMany.alarm?.({ targets: ['ct/101', 'lxc/102'], script: 'reboot' })).toBeUndefined();
    expect(execMany.alarm?.({ targets: ['ct/101'], tag: 'web', script: 'reboot' })).toBeDefined();
  });

  it('is refused when one of the places is a protected guest, however it is spelled', async () => {
    const context = bench.context({ setup: { ...setup, protectedGuests: [400] } });
    for (const target of ['ct/400', 'lxc/400', 'vm/400', 'qemu/400']) {
      const input = { targets: ['pve1', target], script: 'true' };
      await expect(refuseProtected(execMany, input, context)).rejects.toMatchObject({ kind: 'refused' });
    }
    for (const target of ['CT/400', 'ct/0400', 'ct/400 ', ' ct/400', 'ct/%3400', 'ct/400/', 'ct/４００']) {
      const input = { targets: ['pve1', target], script: 'true' };
      await expect(refuseProtected(execMany, input, context)).rejects.toMatchObject({ kind: 'invalid-input' });
    }
  });
});

describe('ssh_exec_many over OpenSSH', () => {
  let servers: Sshd[];
  let client: Ssh;
  let known: KnownHost[];
  let shared: string;

  beforeAll(async () => {
    servers = [await startSshd(), await startSshd({ maxSessions: 2 })];
    const [first, second] = servers as [Sshd, Sshd];
    shared = join(first.folder, 'shared');
    runAsRoot(['mkdir', '-m', '1777', shared]);
    const knownHosts = join(first.folder, 'known_hosts');
    writeFileSync(knownHosts, `${first.hostKeyLine}\n${second.hostKeyLine}\n`);
    client = createSsh(createPool({ knownHosts: [knownHosts], ownKnownHosts: join(first.folder, 'own') }));
    const host = (name: string, server: Sshd, user: string, tags: string[] = []): KnownHost => ({
      spec: login(server, user, { name }),
      source: 'inventory',
      tags,
    });
    const fleet = Array.from({ length: 100 }, (_, i) => host(`web${i}`, i % 2 ? second : first, 'psm-bash', ['fleet']));
    const gone = { ...first, port: 1 };
    known = [
      host('one', first, 'psm-bash', ['db']),
      host('two', second, 'psm-dash', ['db']),
      host('three', second, 'psm-zsh'),
      host('gone1', gone, 'psm-bash'),
      host('gone2', gone, 'psm-dash'),
      ...fleet,
    ];
  });
  afterAll(async () => {
    await client.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  /** What a call is given of the world, with a signal that ends its commands as the server's own does. */
  const world = (cancel = new AbortController(), told: string[] = []): Partial<ToolContext> => {
    const shell = shellOn(client, known);
    const { signal } = cancel;
    const ssh: typeof shell = {
      ...shell,
      run: (host, command, streams) => client.run(host, command, { signal, streams }),
    };
    return { ssh, signal, progress: (message) => told.push(message) };
  };
  const many = async (input: Record<string, unknown>, over = world()) =>
    execMany.run(parseInput(execMany, input), bench.context(over));
  /** Fresh numbers of seconds, by which the processes of a test are told from all others. */
  const tag = String(100_000_000 + Math.floor(Math.random() * 800_000_000));
  const alive = () =>
    runAsRoot(['ps', '-eo', 'args='])
      .split('\n')
      .filter((row) => row.includes(tag));

  it('runs on hosts by name and by tag, once on each, as another user where that is wished', async () => {
    const input = { targets: ['three', 'one', 'one'], tag: 'db', script: 'id -un' };
    expect(await run(input, world())).toMatchObject({
      headline: '3 places: 3 exit 0, in … s',
      facts: {
        results: [
          { ran_on: ['three'], stdout: { remote: 'psm-zsh\n' } },
          { ran_on: ['one'], stdout: { remote: 'psm-bash\n' } },
          { ran_on: ['two'], stdout: { remote: 'psm-dash\n' } },
        ],
      },
    });
    const as = {
      targets: ['one', 'two'],
      script: 'id -un; pwd; cat; echo "$A"',
      user: 'psm-zsh',
      stdin: 'in ',
      env: { A: 'b' },
    };
    expect((await run(as, world())).facts).toMatchObject({
      failed: [{ places: ['two'], kind: 'authentication' }],
      results: [{ ran_on: ['one'], stdout: { remote: 'psm-zsh\n/home/psm-zsh\nin b\n' } }],
    });
    const sudo = { targets: ['one', 'three'], script: 'id -un', sudo: true };
    expect((await run(sudo, world())).facts).toMatchObject({
      failed: [{ places: ['three'] }],
      results: [{ ran_on: ['one'], stdout: { remote: 'root\n' } }],
    });
  });

  it('tells 100 places with the same outcome in one row, never more at once than it may, and how far it is', async () => {
    const told: string[] = [];
    const file = join(shared, 'running');
    const script = `echo x >>${file}.$$; ls ${shared} | grep -c '^running' >>${shared}/seen; sleep 0.05; rm ${file}.$$; echo same`;
    const answer = await many({ tag: 'fleet', script, parallel: 5 }, world(undefined, told));
    expect(answer.headline).toMatch(/^100 places: 100 exit 0, in /);
    expect(answer.facts.results).toHaveLength(1);
    const seen = readFileSync(join(shared, 'seen'), 'utf8').trim().split('\n').map(Number);
    expect(seen).toHaveLength(100);
    expect(Math.max(...seen)).toBeLessThanOrEqual(5);
    expect(Math.max(...seen)).toBeGreaterThan(1);
    expect(told).toHaveLength(100);
    expect(told.at(-1)).toBe('100 of 100 done');
  }, 60_000);

  it('names every one of 100 places within the budget when all differ, and keeps their output in a file', async () => {
    const script = 'echo "$$"; head -c 20000 /dev/zero | tr "\\0" x; echo "no $$" >&2; exit $(($$ % 2))';
    const answer = await many({ targets: ['gone1', 'gone2'], tag: 'fleet', script, parallel: 32 });
    const saved: string[] = [];
    const save = async (text: string) => `/kept/${saved.push(text)}`;
    const facts = await withinBudget(answer.facts, 30_000, save);
    expect(JSON.stringify(facts).length).toBeLessThan(33_000);
    expect(Object.keys(facts).filter((name) => name.endsWith('_not_shown'))).toEqual([]);
    const { results = [], others = [], failed } = facts as Record<string, Facts[]>;
    expect(failed).toMatchObject([{ places: ['gone1', 'gone2'], kind: 'unreachable' }]);
    const named = [...results.flatMap((row) => row.ran_on), ...others.flatMap((row) => row.places)];
    const fleet = known.filter(({ tags }) => tags?.includes('fleet')).map(({ spec }) => spec.name);
    expect(named.toSorted()).toEqual(fleet.toSorted());
    expect(results[0]?.exit_code).toBe(1);
    const rest = saved.find((text) => text.startsWith('=== web'))?.match(/^=== web.*: exit [01]$/gm);
    expect(rest).toHaveLength(others.flatMap((row) => row.places).length);
  }, 60_000);

  it('does not tell for the same what has an end or a middle that is not', async () => {
    const script = 'head -c 3000000 /dev/zero | tr "\\0" x';
    const { facts } = await many({ targets: ['one', 'three'], script });
    expect(facts.results).toHaveLength(2);
  });

  it('goes on after one that failed, unless it is told to stop', async () => {
    const input = { targets: ['gone1', 'one', 'two'], script: 'true', parallel: 1 };
    expect(await run(input, world())).toMatchObject({ headline: '3 places: 2 exit 0, 1 failed, in … s' });
    expect(await run({ ...input, targets: ['one', 'gone1', 'two'], stop_on_failure: true }, world())).toMatchObject({
      headline: '3 places: 1 exit 0, 1 failed, 1 not begun, in … s',
      facts: { not_begun: ['two'] },
    });
    expect(
      (await run({ ...input, targets: ['one', 'two'], script: 'exit 4', stop_on_failure: true }, world())).facts,
    ).toMatchObject({
      results: [{ ran_on: ['one'], exit_code: 4 }],
      not_begun: ['two'],
    });
  });

  it('ends each at its own time', async () => {
    const script = `echo begun; test "$(id -un)" = psm-dash && sleep ${tag}; true`;
    expect((await run({ tag: 'db', script, timeout_s: 1 }, world())).facts).toMatchObject({
      failed: [{ places: ['two'], kind: 'timeout', stdout: { remote: 'begun\n' }, remote_process: 'terminated' }],
      results: [{ ran_on: ['one'] }],
    });
    expect(alive()).toEqual([]);
  });

  it('is a failure when nothing ran anywhere', async () => {
    expect(await fails({ targets: ['gone1', 'gone2'], script: 'true' }, world())).toMatchObject({
      kind: 'unreachable',
      headline: expect.stringMatching(/^It ran to its end nowhere\. 2 places: 2 failed, in … s\. /),
      facts: { failed: [{ places: ['gone1', 'gone2'] }] },
    });
  });

  it('guarantee 4: ends every process everywhere when the call is cancelled, and begins no more', async () => {
    const cancel = new AbortController();
    const over = world(cancel);
    const end = fails(
      { tag: 'fleet', targets: ['one'], script: `setsid sleep ${tag} & sleep ${tag}`, parallel: 6 },
      over,
    );
    await expect.poll(() => alive().length, { interval: 50, timeout: 10_000 }).toBeGreaterThanOrEqual(8);
    cancel.abort();
    const { kind, headline, facts } = await end;
    expect(kind).toBe('cancelled');
    expect(headline).toMatch(
      /^The command was cancelled by the client\. 101 places: 95 not begun, 6 failed, in … s\.$/,
    );
    // Those of the server that allows two sessions may still have been waiting for one.
    const { failed } = facts as { failed: { places: string[]; remote_process?: string }[] };
    const states = new Set(failed.map(({ remote_process = 'terminated' }) => remote_process));
    expect(states).toEqual(new Set(['terminated']));
    expect(failed.flatMap(({ places }) => places)).toHaveLength(6);
    expect(alive()).toEqual([]);
  }, 30_000);
});
