import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../src/secret.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import type { Session } from '../../src/ssh/session.ts';
import type { Where } from '../../src/ssh/session-ssh.ts';
import { apartness, CONTAINER_USER } from '../rig/container.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS, DASH_PASSWORD, runAsRoot } from '../rig/users.ts';
import { type Lab, labFor, openOn, run } from './sessions.ts';

let server: Sshd;
let lab: Lab;
beforeAll(async () => {
  server = await startSshd({ containers: { 400: 'running', 401: 'without bash' } });
  mkdirSync(join(server.folder, 'dash'), { mode: 0o755 });
  symlinkSync('/usr/bin/dash', join(server.folder, 'dash', 'sh'));
  lab = labFor(server);
});
afterAll(async () => {
  await lab.close();
  for (const pid of tags.flatMap(pidsOf)) runAsRoot(['kill', '-KILL', pid]);
  await server.stop();
});

/** Numbers of seconds that nothing else sleeps. */
const tags: string[] = [];
const firstTag = 100_000_000 + Math.floor(Math.random() * 800_000_000);
function freshTag(): string {
  tags.push(String(firstTag + tags.length));
  return tags.at(-1) ?? '';
}
const pidsOf = (tag: string): string[] =>
  execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((row) => row.includes(tag) && !/^\s*\d+\s+Z/.test(row))
    .map((row) => row.trim().split(/\s+/)[0] ?? '');

/** Sessions have connections of their own, and these tests open more of them in a minute than people do. */
const hostOf = (user: string, more: Partial<HostSpec> = {}): HostSpec =>
  login(server, user, { limits: { connectsPerMinute: 600 }, ...more });

const dashPath = () => ({ env: { PATH: `${join(server.folder, 'dash')}:${BUSYBOX_PROGRAMS}` } });
const password = new Secret(DASH_PASSWORD);
const places: readonly (readonly [string, () => HostSpec, () => Where])[] = [
  ['bash', () => hostOf('psm-bash'), () => ({})],
  ['dash', () => hostOf('psm-zsh'), dashPath],
  ['busybox ash', () => hostOf('psm-dash'), () => ({ env: { PATH: BUSYBOX_PROGRAMS } })],
  ['bash of root', () => hostOf('root'), () => ({})],
  [
    'bash of root by sudo with a password',
    () => hostOf('psm-dash', { sudoPassword: password }),
    () => ({ sudo: true }),
  ],
  ['bash of another user', () => hostOf('psm-bash'), () => ({ user: 'psm-zsh' })],
  ['bash in a container', () => hostOf('root'), () => ({ container: 400 })],
  ['ash in a container, by sudo', () => hostOf('psm-bash'), () => ({ container: 401 })],
  ['a shell of a user of a container', () => hostOf('root'), () => ({ container: 400, user: CONTAINER_USER })],
];

/** A container that is a mere chroot has no /proc: what runs in it cannot be seen there, and nothing is claimed of it. */
const seen = places.filter(([name]) => apartness() !== 'chroot' || !name.includes('container'));

/** Each would go on for years, and then say so. */
const endless: readonly (readonly [string, (tag: string) => string])[] = [
  ['a program', (tag) => `sleep ${tag}`],
  ['a loop of programs', (tag) => `while :; do sleep ${tag}; done`],
  ['a function', (tag) => `f() { until false; do sleep 0.05; sleep ${tag}; done; }; f`],
  ['a substitution', (tag) => `x=$(sleep ${tag})`],
  ['a pipeline', (tag) => `sleep ${tag} | cat | cat`],
  ['a wait', (tag) => `sleep ${tag} & wait`],
  ['a loop of nothing', () => 'while :; do :; done'],
  ['what ignores signals', (tag) => `sh -c 'trap "" INT TERM HUP; while :; do sleep ${tag}; done'`],
  ['a session of its own', (tag) => `setsid sleep ${tag} & sleep ${tag}`],
];

/** Sessions of one place, among which the scripts are dealt out. */
const SIDE_BY_SIDE = 3;

describe.each(seen)('guarantee 4: what runs past its time in %s', (name, host, where) => {
  it('is dead within 5 s, nothing after it has run, and the session goes on', { timeout: 60_000 }, async () => {
    const scripts = name.split(' ').length < 3 ? endless : endless.slice(-2);
    await Promise.all(
      Array.from({ length: SIDE_BY_SIDE }, async (_, nth) => {
        const session = await openOn(lab, host(), where());
        const spared = freshTag();
        await run(session, `cd /tmp; kept=kept; ( sleep ${spared}; : ) >/dev/null 2>&1 & :`);
        for (const [what, script] of scripts.filter((_, i) => i % SIDE_BY_SIDE === nth)) {
          const tag = freshTag();
          const began = performance.now();
          const { stdout, stop, killed } = await run(session, `${script(tag)}\necho after`, { timeoutMs: 300 });
          expect([what, stdout, stop, killed?.state, pidsOf(tag)]).toEqual([what, '', 'timeout', 'terminated', []]);
          expect(performance.now() - began).toBeLessThan(5_300);
          expect((await run(session, 'pwd; echo $kept')).stdout).toBe('/tmp\nkept\n');
        }
        await vi.waitFor(() => expect(pidsOf(spared).length).toBeGreaterThan(0));
        await lab.sessions.close(session);
      }),
    );
  });

  it('is dead too when it is cancelled', async () => {
    const session = await openOn(lab, host(), where());
    const tag = freshTag();
    const stop = new AbortController();
    const running = run(session, `sleep ${tag}; echo after`, { signal: stop.signal });
    await vi.waitFor(() => expect(pidsOf(tag)).toHaveLength(1));
    stop.abort();
    const { stdout, killed } = await running;
    expect([stdout, killed?.state, pidsOf(tag)]).toEqual(['', 'terminated', []]);
    expect((await run(session, 'echo alive')).stdout).toBe('alive\n');
    await lab.sessions.close(session);
  });
});

describe.each(seen)('guarantee 4: what reads when it is stopped, in %s,', (name, host, where) => {
  const reads = ['read -r line', 'while read -r line; do :; done', 'cat', 'x=$(cat)', 'cat | cat'];

  it('does not go on with the end of its input', async () => {
    const session = await openOn(lab, { ...host(), limits: { connectsPerMinute: 1_000 } }, where());
    for (const script of name.split(' ').length < 3 ? reads : reads.slice(0, 1)) {
      const stop = new AbortController();
      const more = { interactive: true, signal: stop.signal, onOutput: () => stop.abort() };
      const ended = await run(session, `echo begun\n${script}\necho after`, more);
      expect([script, ended.stdout, ended.stop]).toEqual([script, 'begun\n', 'cancelled']);
    }
    const { command } = await run(session, 'read -r line; echo after', { interactive: true, waitMs: 200 });
    await session.interrupt(command);
    await command.over;
    expect([command.output.output().stdout.text, session.state]).toEqual(['', 'idle']);
    await lab.sessions.close(session);
  });
});

describe('guarantee 4: a script that its shell does not give up', () => {
  it.each([
    ['bash', () => ({})],
    ['dash', dashPath],
  ])('ends with the shell, in %s', async (_, where) => {
    const session = await openOn(lab, hostOf('psm-zsh'), where());
    const tag = freshTag();
    const began = performance.now();
    const script = `trap '' PROF INT TERM; (trap '' INT TERM; sleep ${tag}) & while :; do :; done`;
    const { killed } = await run(session, script, { timeoutMs: 300 });
    expect(performance.now() - began).toBeLessThan(5_500);
    expect([session.state, session.ended, killed?.state, pidsOf(tag)]).toEqual([
      'ended',
      'was ended with the script that it did not give up',
      'terminated',
      [],
    ]);
    await expect(run(session, 'echo more')).rejects.toMatchObject({ kind: 'conflict' });
    await lab.sessions.close(session);
  });
});

describe('a session that is closed', () => {
  it('ends what it runs, and leaves alone what earlier scripts left behind', async () => {
    const session = await openOn(lab, hostOf('psm-bash'));
    const [left, runs] = [freshTag(), freshTag()];
    await run(session, `sleep ${left} >/dev/null 2>&1 &`);
    const running = run(session, `sleep ${runs}; echo after`);
    await vi.waitFor(() => expect(pidsOf(runs)).toHaveLength(1));
    await lab.sessions.close(session);
    expect(await running).toMatchObject({ stdout: '', stop: 'interrupted' });
    expect([pidsOf(runs), pidsOf(left).length, session.ended]).toEqual([[], 1, 'was closed']);
  });

  it('is gone within 400 ms when all ends and it does nothing, within 2 s when it does', async () => {
    const own = labFor(server);
    const idle = await Promise.all([1, 2, 3].map(() => openOn(own, hostOf('psm-bash'))));
    await run(idle[0] as Session, 'echo $$');
    let began = performance.now();
    await own.sessions.end();
    expect(performance.now() - began).toBeLessThan(400);
    expect(idle.map(({ state }) => state)).toEqual(['ended', 'ended', 'ended']);

    const tag = freshTag();
    const busy = await openOn(own, hostOf('psm-bash'));
    const running = run(busy, `trap '' INT TERM HUP; sleep ${tag}; echo after`).catch((error: unknown) => error);
    await vi.waitFor(() => expect(pidsOf(tag)).toHaveLength(1));
    began = performance.now();
    await own.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    await running;
    expect(pidsOf(tag)).toEqual([]);
  });
});
