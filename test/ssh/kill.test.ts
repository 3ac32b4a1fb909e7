import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { RemoteText } from '../../src/present/answer.ts';
import { Secret } from '../../src/secret.ts';
import type { Command, HostSpec, Ssh } from '../../src/ssh/client.ts';
import { hunt, LOOK_SCRIPT, type Look } from '../../src/ssh/hunt.ts';
import { counted, runs } from '../counts.ts';
import { figure, slowest } from '../figures.ts';
import { CONTAINER_USER } from '../rig/container.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS, DASH_PASSWORD, runAsRoot } from '../rig/users.ts';

let server: Sshd;
let ssh: Ssh;
/** Where busybox's programs come first in PATH. */
let small: Sshd;
let sshToSmall: Ssh;
beforeAll(async () => {
  server = await startSshd({ containers: { 400: 'running', 401: 'without bash' } });
  small = await startSshd({ path: [BUSYBOX_PROGRAMS] });
  runAsRoot(['mkdir', '-m', '1777', join(server.folder, 'shared')]);
  [ssh, sshToSmall] = [sshTo(server), sshTo(small)];
});
afterAll(async () => {
  for (const client of [ssh, sshToSmall]) await client.close();
  // What a failed test left would run for years, and some of it forks.
  for (let left = leftovers(); left.length > 0; left = leftovers()) {
    runAsRoot(['sh', '-c', 'kill -STOP "$@" 2>/dev/null; kill -KILL "$@" 2>/dev/null; true', 'sh', ...left]);
  }
  for (const one of [server, small]) await one.stop();
});

/** Numbers of seconds that no other process sleeps, so that every process of one run can be told by its arguments. */
const tags: string[] = [];
const firstTag = 100_000_000 + Math.floor(Math.random() * 800_000_000);
function freshTag(): string {
  tags.push(String(firstTag + tags.length));
  return tags.at(-1) ?? '';
}
/** `pid words…` of every process that is no zombie. */
function processes(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return words === '' ? [] : [`${pid} ${words}`];
    } catch {
      return [];
    }
  });
}
const aliveWith = (tag: string) => processes().filter((row) => row.includes(tag));
const pidOf = (row: string) => row.split(' ')[0] ?? '';
const leftovers = () =>
  processes()
    .filter((row) => tags.some((tag) => row.includes(tag)))
    .map(pidOf);

/** Each leaves processes that are hard to end, in its own way, and says `up` when they are there. */
const scripts: Record<string, (tag: string) => string> = {
  'children that ignore signals': (tag) =>
    `trap '' INT TERM HUP; sh -c "trap '' INT TERM HUP; sleep ${tag}; sleep ${tag}" & echo up; sleep ${tag}; sleep ${tag}`,
  'setsid children': (tag) => `setsid sh -c "trap '' INT TERM HUP; sleep ${tag}; sleep ${tag}" & echo up; sleep ${tag}`,
  daemons: (tag) => `(setsid sh -c "sleep ${tag}; sleep ${tag}" </dev/null >/dev/null 2>&1 &); echo up; sleep ${tag}`,
  'children without environment': (tag) =>
    `env -i sh -c "trap '' TERM; sleep ${tag}; sleep ${tag}" & echo up; sleep ${tag}; sleep ${tag}`,
  'a loop that forks': (tag) => `trap '' TERM HUP INT; echo up; while :; do sh -c "sleep 0.1; : ${tag}"; done`,
};

interface Way {
  readonly user: string;
  readonly as?: Partial<Command>;
  /** On the server that has busybox's programs first in PATH. */
  readonly small?: true;
}
const ways: Record<string, Way[]> = {
  'as root, on the host and in containers': [
    { user: 'root' },
    { user: 'root', small: true },
    { user: 'psm-bash', as: { sudo: true } },
    { user: 'psm-dash', as: { sudo: true } },
    { user: 'psm-ash', as: { sudo: true } },
    { user: 'root', as: { container: 400 } },
    { user: 'root', as: { container: 401 } },
    { user: 'psm-dash', as: { container: 400 } },
    { user: 'psm-ash', as: { container: 401 } },
    { user: 'psm-dash', as: { user: 'root' } },
  ],
  'not as root, on the host and in containers': [
    { user: 'psm-bash' },
    { user: 'psm-dash' },
    { user: 'psm-zsh' },
    { user: 'psm-ash' },
    { user: 'psm-dash', small: true },
    { user: 'psm-zsh', small: true },
    { user: 'psm-bash', as: { user: 'psm-dash' } },
    { user: 'root', as: { user: 'psm-zsh' } },
    { user: 'psm-bash', as: { container: 400, user: CONTAINER_USER } },
    { user: 'psm-ash', as: { container: 401, user: CONTAINER_USER } },
  ],
};

interface Ended {
  readonly what: string;
  readonly error: Failure;
  readonly tookMs: number;
  readonly alive: readonly string[];
}

/** Runs a script, ends it by timeout or cancel once it is up, and looks for what is left in the moment of the answer. */
async function endIt({ user, as, small: busybox }: Way, name: string, how: 'timeout' | 'cancelled'): Promise<Ended> {
  const tag = freshTag();
  const script = scripts[name]?.(tag) ?? '';
  const what = `${how} of ${name} by ${user} ${JSON.stringify({ ...as, busybox })}`;
  const [on, client] = busybox ? [small, sshToSmall] : [server, ssh];
  const cancel = new AbortController();
  let stoppedAt = 0;
  const stop = () => {
    stoppedAt ||= performance.now();
    cancel.abort();
  };
  const timeoutMs = how === 'timeout' ? 2_500 : 60_000;
  const options = how === 'timeout' ? { onOutput: () => {} } : { signal: cancel.signal, onOutput: stop };
  const host = login(on, user, { sudoPassword: new Secret(DASH_PASSWORD) });
  const error = await client.run(host, { script, timeoutMs, ...as }, options).then(
    (result) => expect.fail(`${what} ran: ${JSON.stringify(result)}`),
    (failure: Failure) => failure,
  );
  const tookMs = stoppedAt && performance.now() - stoppedAt;
  return { what, error, tookMs, alive: aliveWith(tag) };
}

/** Of each kind of login. */
const commandsOfEach = counted(100, 50);

describe(`guarantee 4: timeout and cancel end every process of ${commandsOfEach} of 100 commands`, () => {
  it.each(Object.entries(ways))('%s', { timeout: 120_000 }, async (name, all) => {
    const names = Object.keys(scripts);
    // So many at a time: more would measure how well two cores run a hundred shells.
    const ended = await runs(commandsOfEach, 14, (i) => {
      // In this order half of them have every way, every script and every end too.
      const nth = (i * 7) % 100;
      const way = all[nth % all.length] as Way;
      const how = Math.floor(nth / all.length) % 2 === 0 ? 'timeout' : 'cancelled';
      return endIt(way, names[Math.floor(nth / all.length / 2)] ?? '', how);
    });
    // A host that is busy with other things may need longer than the 5 s; then the answer names what still runs.
    const named = ended.filter(({ error: { facts } }) => facts.remote_process === 'still running' && facts.pids);
    const wrong = ended.filter(
      (one) =>
        !one.what.startsWith(one.error.kind) ||
        (one.error.facts.stdout as RemoteText).text !== 'up\n' ||
        one.tookMs > 5_000 ||
        (!named.includes(one) && (one.error.facts.remote_process !== 'terminated' || one.alive.length > 0)),
    );
    expect(wrong).toEqual([]);
    expect(named.length).toBeLessThan(commandsOfEach / 10);
    expect(new Set(ended.map(({ what }) => what)).size).toBe(commandsOfEach);
    figure(
      4,
      `${name}: ${commandsOfEach - named.length} of ${commandsOfEach} ended, ${named.length} named as still running`,
    );
    for (const { tookMs } of ended.filter((one) => one.tookMs > 0)) slowest(4, 'from a cancel to its answer', tookMs);
  });
});

describe('a command that is ended', () => {
  const root = () => login(server, 'root');
  const user = () => login(server, 'psm-bash');
  const failed = (promise: Promise<unknown>): Promise<Failure> =>
    promise.then(
      (result) => expect.fail(`it ran: ${JSON.stringify(result)}`),
      (error) => error,
    );
  const run = (host: HostSpec, script: string, timeoutMs: number, signal?: AbortSignal) =>
    failed(ssh.run(host, { script, timeoutMs }, { signal }));

  it.concurrent('takes along what another login runs for it, without its environment and in a session of its own', async () => {
    const tag = freshTag();
    const error = await run(root(), `su - psm-bash -c 'echo up; sleep ${tag}'; sleep ${tag}`, 1_000);
    expect(error).toMatchObject({ kind: 'timeout', facts: { remote_process: 'terminated' } });
    expect(error.message).toContain('ran longer than 1 s; all its processes have been ended');
    expect(aliveWith(tag)).toEqual([]);
  });

  it.concurrent('takes along what it starts after its time is over, because its login took so long', async ({
    onTestFinished,
  }) => {
    const home = mkdtempSync(join(tmpdir(), 'psm-slow-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    chmodSync(home, 0o755);
    writeFileSync(join(home, '.bashrc'), 'sleep 1\n');
    const slow = await startSshd({ extraConfig: [`SetEnv HOME=${home}`] });
    onTestFinished(() => slow.stop());
    const other = sshTo(slow);
    const tag = freshTag();
    const script = `env -i sh -c "trap '' TERM; sleep ${tag}; sleep ${tag}" & echo up; sleep ${tag}; sleep ${tag}`;
    const error = await failed(other.run(login(slow, 'psm-bash'), { script, timeoutMs: 300 }));
    expect(error).toMatchObject({ kind: 'timeout', facts: { remote_process: 'terminated' } });
    expect(aliveWith(tag)).toEqual([]);
    await other.close();
  });

  it.concurrent('has time to tidy up after TERM', async () => {
    const error = await run(user(), `trap 'sleep 0.3; echo tidy; exit' TERM; echo up; sleep ${freshTag()} & wait`, 500);
    expect((error.facts.stdout as RemoteText).text).toBe('up\ntidy\n');
    expect(error.facts.remote_process).toBe('terminated');
  });

  it.concurrent('leaves the processes of every other command alone', async () => {
    const [mine, other] = [freshTag(), freshTag()];
    const cancel = new AbortController();
    const second = failed(
      ssh.run(
        user(),
        { script: `echo up; sleep ${other}`, timeoutMs: 60_000 },
        { signal: cancel.signal, onOutput: () => begun() },
      ),
    );
    let begun = () => {};
    await new Promise<void>((resolve) => {
      begun = resolve;
    });
    const before = aliveWith(other);
    expect(before.length).toBeGreaterThan(0);
    await run(user(), `sleep ${mine} & sleep ${mine}`, 300);
    expect(aliveWith(mine)).toEqual([]);
    expect(aliveWith(other)).toEqual(before);
    cancel.abort();
    expect((await second).kind).toBe('cancelled');
  });

  it.concurrent('is told by its pids when it cannot be ended with the rights of the login', {
    timeout: 20_000,
  }, async () => {
    const tag = freshTag();
    const error = await run(user(), `sudo -n sh -c "trap '' TERM; sleep ${tag}; sleep ${tag}"; echo ended`, 500);
    const alive = aliveWith(tag);
    const pids = alive.map((row) => Number(pidOf(row)));
    expect(alive).toHaveLength(2);
    runAsRoot(['kill', '-KILL', ...pids.map(String)]);
    expect(error).toMatchObject({ kind: 'timeout', facts: { remote_process: 'still running', pids } });
    expect(error.message).toContain(`it still runs (pids ${pids.join(', ')})`);
  });

  it('is not run at all when it was cancelled while it waited', async () => {
    const file = join(server.folder, 'shared', 'queued');
    const cancel = new AbortController();
    const before = Array.from({ length: 7 }, () => ssh.run(user(), { script: 'sleep 0.5', timeoutMs: 9_000 }));
    const waiting = run(user(), `touch ${file}`, 9_000, cancel.signal);
    cancel.abort();
    expect((await waiting).kind).toBe('cancelled');
    await Promise.all(before);
    await ssh.run(user(), { script: 'true', timeoutMs: 9_000 });
    expect(existsSync(file)).toBe(false);
  });

  it('leaves nothing when it was cancelled in the moment in which it began', { timeout: 60_000 }, async () => {
    const tag = freshTag();
    const errors = Array.from({ length: 40 }, async (_, i) => {
      const cancel = new AbortController();
      const error = run(user(), `sleep ${tag} & sleep ${tag}`, 60_000, cancel.signal);
      setTimeout(() => cancel.abort(), i * 3);
      return (await error).kind;
    });
    expect(new Set(await Promise.all(errors))).toEqual(new Set(['cancelled']));
    expect(aliveWith(tag)).toEqual([]);
  });

  it('is ended when everything is closed', async () => {
    const own = sshTo(server);
    const tag = freshTag();
    const ends: Promise<Failure>[] = [];
    const begun = [root(), user()].map(
      (host) =>
        new Promise<void>((resolve) => {
          const command = { script: `echo up; sleep ${tag}; sleep ${tag}`, timeoutMs: 60_000 };
          ends.push(failed(own.run(host, command, { onOutput: () => resolve() })));
        }),
    );
    await Promise.all(begun);
    const start = performance.now();
    await own.close();
    expect(performance.now() - start).toBeLessThan(2_500);
    expect((await Promise.all(ends)).map(({ kind }) => kind)).toEqual(['cancelled', 'cancelled']);
    expect(aliveWith(tag)).toEqual([]);
  });
});

describe('a host without /proc', () => {
  it('is searched by process group and descent, and that is told', async () => {
    const tag = freshTag();
    const script = LOOK_SCRIPT.replaceAll('/proc/self/', '/no/such/proc/');
    const victim = spawn('setsid', ['sh', '-c', `trap '' TERM; (sleep ${tag} &); sleep ${tag}; sleep ${tag}`], {
      stdio: 'ignore',
    });
    onTestFinished(() => void victim.kill('SIGKILL'));
    const looker = spawn('sh', ['-c', script]);
    onTestFinished(() => void looker.kill('SIGKILL'));
    const answers = createInterface({ input: looker.stdout })[Symbol.asyncIterator]();
    const looks: Look[] = [];
    const ask = async (line: string) => {
      looker.stdin.write(`${line}\ngo\n`);
      return (await answers.next()).value as string;
    };
    await hunt({ cookie: 'none', pid: victim.pid }, ask, (look) => looks.push(look));
    looker.stdin.end();
    await once(looker, 'exit');
    expect(looks[0]).toMatchObject({ by: 'group' });
    expect(looks[0]?.pids).toContain(victim.pid);
    expect(aliveWith(tag)).toEqual([]);
  });
});
