import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { quote } from '../../src/ssh/quote.ts';
import type { Session } from '../../src/ssh/session.ts';
import type { Where } from '../../src/ssh/session-ssh.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';
import { login } from '../rig/login.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS } from '../rig/users.ts';
import { type Lab, labFor, openOn, run } from './sessions.ts';

type Shells = 'bash' | 'dash' | 'ash';

/** Sessions take bash where there is one. */
let wheres: Record<Shells, Where>;
let server: Sshd;
let proxy: FaultProxy;
let lab: Lab;
beforeAll(async () => {
  server = await startSshd();
  mkdirSync(join(server.folder, 'dash'), { mode: 0o755 });
  symlinkSync('/usr/bin/dash', join(server.folder, 'dash', 'sh'));
  wheres = {
    bash: {},
    dash: { env: { PATH: `${join(server.folder, 'dash')}:${BUSYBOX_PROGRAMS}` } },
    ash: { env: { PATH: BUSYBOX_PROGRAMS } },
  };
  proxy = await startProxy(server);
  lab = labFor(server);
});
afterAll(async () => {
  await lab?.close();
  await proxy?.stop();
  await server?.stop();
});

/** What a session's shell holds. */
interface Shell {
  readonly home: string;
  state: 'none' | 'idle' | 'running' | 'gone';
  cwd: string;
  A: string;
  B: string;
  said: string;
  hasFunction: boolean;
}

interface Real {
  readonly host: HostSpec;
  readonly where: Where;
  session?: Session;
  scripts: number;
}

type Step = fc.AsyncCommand<Shell, Real>;
const step = (
  name: string,
  may: (shell: Shell) => boolean,
  act: (shell: Shell, real: Real) => Promise<void>,
): Step => ({
  check: may,
  async run(shell, real) {
    await act(shell, real);
    if (shell.state === 'none' || !real.session) return;
    const { state, cwd } = real.session;
    expect(shell.state === 'gone' ? ['ended', 'lost'] : [shell.state]).toContain(state);
    if (shell.state === 'idle') expect(cwd).toBe(shell.cwd);
  },
  toString: () => name,
});

const sessionOf = ({ session }: Real): Session => session ?? expect.fail('no session');
const idle = ({ state }: Shell) => state === 'idle';
const running = ({ state }: Shell) => state === 'running';
const gone = ({ state }: Shell) => state === 'gone';

/** A script that ends by itself: what it says and leaves is known. */
const script = (
  text: string,
  after: (shell: Shell) => void = () => {},
  ends: (shell: Shell) => { stdout?: string; stderr?: string; exitCode?: number } = () => ({}),
) =>
  step(`run(${JSON.stringify(text)})`, idle, async (shell, real) => {
    after(shell);
    real.scripts += 1;
    const { exitCode, stdout, stderr } = await run(sessionOf(real), text);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '', ...ends(shell) });
  });

const open = step(
  'open',
  ({ state }) => state === 'none' || state === 'gone',
  async (shell, real) => {
    real.session = await openOn(lab, real.host, real.where);
    Object.assign(shell, { state: 'idle', cwd: shell.home, A: '', B: '', said: '', hasFunction: false });
  },
);

const cd = (folder: string) => script(`cd ${folder}`, (shell) => Object.assign(shell, { cwd: folder }));
const set = (name: 'A' | 'B', value: string) =>
  script(`${name}=${quote(value)}`, (shell) => Object.assign(shell, { [name]: value }));
const show = script(
  'printf "%s|%s|%s" "$A" "$B" "$PWD"',
  () => {},
  ({ A, B, cwd }) => ({ stdout: `${A}|${B}|${cwd}` }),
);
const leaves = (exitCode: number) =>
  script(`echo out; echo err >&2; (exit ${exitCode})`, undefined, () => ({
    stdout: 'out\n',
    stderr: 'err\n',
    exitCode,
  }));
const define = script('f() { echo "f $1 $A"; }', (shell) => Object.assign(shell, { hasFunction: true }));
const callIt = (shell: Step): Step => ({ ...shell, check: (model) => idle(model) && model.hasFunction });
const calls = callIt(
  script(
    'f 1',
    () => {},
    ({ A }) => ({ stdout: `f 1 ${A}\n` }),
  ),
);

const wrong = step('run(a syntax error)', idle, async (_, real) => {
  real.scripts += 1;
  const { exitCode, stdout } = await run(sessionOf(real), 'echo never; if then');
  expect(exitCode).toBeGreaterThan(0);
  expect(stdout).toBe('');
});

const many = (count: number) =>
  step(`${count} at once`, idle, async (shell, real) => {
    const numbers = Array.from({ length: count }, (_, i) => i);
    real.scripts += count;
    const all = numbers.map((i) => run(sessionOf(real), `said="$said ${i}"; echo "$said"; (exit ${i})`));
    for (const [i, { stdout, exitCode }] of (await Promise.all(all)).entries()) {
      shell.said += ` ${i}`;
      expect([stdout, exitCode]).toEqual([`${shell.said}\n`, i]);
    }
  });
const forget = script('said=', (shell) => Object.assign(shell, { said: '' }));

const asks = step('run(what waits for input)', idle, async (shell, real) => {
  real.scripts += 1;
  const asking = { interactive: true, waitMs: 30 };
  const { command } = await run(sessionOf(real), 'echo begun; read -r A; echo "got $A"', asking);
  expect(command.endedAt).toBeUndefined();
  shell.state = 'running';
});
const send = (text: string) =>
  step(`send(${text})`, running, async (shell, real) => {
    const command = sessionOf(real).command ?? expect.fail('nothing runs');
    command.inlet?.write(Buffer.from(`${text}\n`));
    await command.over;
    expect(command.output.output().stdout.text).toBe(`begun\ngot ${text}\n`);
    expect(command.exitCode).toBe(0);
    Object.assign(shell, { state: 'idle', A: text });
  });
const refused = step('run(while another runs)', running, async (_, real) => {
  await expect(run(sessionOf(real), 'echo never')).rejects.toMatchObject({ kind: 'busy' });
});
const interrupt = step('interrupt', running, async (shell, real) => {
  const command = sessionOf(real).command ?? expect.fail('nothing runs');
  await vi.waitFor(() => expect(command.output.bytes('stdout')).toBe(6), 5_000);
  await sessionOf(real).interrupt(command);
  await command.over;
  expect(command.output.output().stdout.text).toBe('begun\n');
  shell.state = 'idle';
});
const late = step('run(what takes too long)', idle, async (_, real) => {
  real.scripts += 1;
  const { stop, exitCode } = await run(sessionOf(real), 'echo begun; sleep 60; echo never', { timeoutMs: 120 });
  expect(stop).toBe('timeout');
  expect(exitCode).not.toBe(0);
});
const cancelled = step('run(what is cancelled)', idle, async (_, real) => {
  real.scripts += 1;
  const abort = new AbortController();
  const ended = run(sessionOf(real), 'sleep 60; echo never', { signal: abort.signal });
  setTimeout(() => abort.abort(), 60);
  expect((await ended).stop).toBe('cancelled');
});

const close = step(
  'close',
  (shell) => idle(shell) || running(shell),
  async (shell, real) => {
    const { id } = sessionOf(real);
    await lab.sessions.close(sessionOf(real));
    expect(() => lab.sessions.find(id)).toThrow(`no session ${id}`);
    shell.state = 'gone';
  },
);
const lose = (name: string, cut: () => void) =>
  step(
    name,
    (shell) => idle(shell) || running(shell),
    async (shell, real) => {
      const { command } = sessionOf(real);
      cut();
      await vi.waitFor(() => expect(sessionOf(real).state).toBe('lost'), 2_000);
      await command?.over;
      if (command) expect(command.failure ?? command.shell?.failure).toMatchObject({ kind: 'outcome-unknown' });
      await lab.sessions.close(sessionOf(real));
      shell.state = 'gone';
    },
  );
const over = step('run(in what is gone)', gone, async (_, real) => {
  await expect(run(sessionOf(real), 'echo never')).rejects.toMatchObject({ kind: 'conflict' });
});

const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom("'", '"', '\\', '$A', '`id`', '\n', '*', ' ', '!!', '%s', '~'),
);
const word = fc.stringMatching(/^[a-z0-9äß€]{1,12}$/);
const steps = [
  fc.constant(open),
  fc.constant(open),
  fc.constantFrom('/', '/tmp', '/usr/lib').map(cd),
  fc.tuple(fc.constantFrom('A' as const, 'B' as const), value).map((given) => set(...given)),
  fc.constant(show),
  fc.constantFrom(0, 1, 77, 255).map(leaves),
  fc.constant(define),
  fc.constant(calls),
  fc.constant(wrong),
  fc.constantFrom(2, 6, 16).map(many),
  fc.constant(forget),
  fc.constant(asks),
  word.map(send),
  fc.constant(refused),
  fc.constant(interrupt),
  fc.constant(late),
  fc.constant(cancelled),
  fc.constant(close),
  fc.constant(over),
  fc.constant(lose('cut', () => proxy.cut())),
  fc.constantFrom<'up' | 'down'>('up', 'down').map((way) => lose(`half-close(${way})`, () => proxy.halfClose(way))),
  fc.constant(lose('kill', () => server.killSessions())),
];

describe('guarantee 4: whatever is done with a session', () => {
  const COURSES = counted(300, 8);

  it(`it remembers what it should, says what it said and ends as it is told, in ${COURSES} courses`, {
    timeout: 3_600_000,
  }, async () => {
    let scripts = 0;
    const property = fc.asyncProperty(
      fc.constantFrom<Shells>('bash', 'dash', 'ash'),
      fc.commands(steps, { maxCommands: 60, size: 'max' }),
      async (shell, course) => {
        const limits = { connectsPerMinute: 10_000 };
        const host = login(server, 'psm-bash', { port: proxy.port, limits });
        const real: Real = { host, where: wheres[shell], scripts: 0 };
        const home = '/home/psm-bash';
        const model: Shell = { home, state: 'none', cwd: '', A: '', B: '', said: '', hasFunction: false };
        await open.run(model, real);
        await fc.asyncModelRun(() => ({ model, real }), course);
        if (real.session) await lab.sessions.close(real.session);
        expect(lab.sessions.list()).toEqual([]);
        scripts += real.scripts;
      },
    );
    await fc.assert(property, { numRuns: COURSES, endOnFailure: true });
    figure(
      4,
      `${COURSES} courses of sessions with ${grouped(scripts)} scripts: answers, order, directory and variables exact`,
    );
  });
});
