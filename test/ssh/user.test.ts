import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { RemoteText } from '../../src/present/answer.ts';
import { Secret } from '../../src/secret.ts';
import type { Command, HostSpec, Ssh } from '../../src/ssh/client.ts';
import { counted, runs } from '../counts.ts';
import { tally } from '../figures.ts';
import { apartness, CONTAINER_USER } from '../rig/container.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS, DASH_PASSWORD, runAsRoot } from '../rig/users.ts';

const sudoPassword = new Secret(DASH_PASSWORD);
let server: Sshd;
let ssh: Ssh;
/** The same machine, with busybox's programs before all others. */
let busybox: Sshd;
let bare: Ssh;
beforeAll(async () => {
  server = await startSshd({ containers: { 400: 'running', 401: 'without bash' } });
  busybox = await startSshd({ path: [BUSYBOX_PROGRAMS] });
  runAsRoot(['mkdir', '-m', '1777', join(server.folder, 'shared')]);
  ssh = sshTo(server);
  bare = sshTo(busybox);
});
afterAll(async () => {
  await Promise.all([ssh.close(), bare.close()]);
  await Promise.all([server.stop(), busybox.stop()]);
});

interface Way {
  readonly host: HostSpec;
  readonly client: Ssh;
  readonly user: string;
  readonly container?: number;
}

const onHost = (from: string, user: string, more: Partial<HostSpec> = {}): Way => ({
  host: login(server, from, more),
  client: ssh,
  user,
});
/** A container that is a second name of the node has the node's users. */
const inside = apartness() === 'plain' ? 'psm-zsh' : CONTAINER_USER;

const ways: Record<string, () => Way> = {
  'by su of root': () => onHost('root', 'psm-dash'),
  'by su of busybox': () => ({ host: login(busybox, 'root'), client: bare, user: 'psm-dash' }),
  'by sudo': () => onHost('psm-bash', 'psm-zsh'),
  'by sudo with a password': () => onHost('psm-dash', 'psm-bash', { sudoPassword }),
  'who is the login': () => onHost('psm-zsh', 'psm-zsh'),
  'in a container': () => ({ ...onHost('root', inside), container: 400 }),
  'in a container without bash, by sudo': () => ({ ...onHost('psm-bash', inside), container: 401 }),
};

const firstTag = 100_000_000 + Math.floor(Math.random() * 800_000_000);
let tags = 0;
/** A number of seconds that no other process sleeps. */
const freshTag = () => String(firstTag + tags++);
async function aliveWith(tag: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,stat=,args='], { maxBuffer: 2 ** 26 });
  return stdout.split('\n').filter((row) => row.includes(tag) && !/^\s*\d+\s+Z/.test(row));
}

const run = ({ client, host, user, container }: Way, script: string, more: Partial<Command> = {}) =>
  client.run(host, { script, user, container, timeoutMs: 20_000, ...more });
const failed = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    (result) => expect.fail(`it ran: ${JSON.stringify(result)}`),
    (error) => error,
  );
const said = (error: Failure) => (error.facts.stderr as RemoteText).text;

describe.each(Object.entries(ways))('a command as another user, %s,', (_, way) => {
  it('is his: id, home, names and directory', async () => {
    const { user } = way();
    const { stdout, stderr, exitCode } = await run(way(), 'id -un; echo "$HOME $USER $LOGNAME"; pwd; exit 3');
    expect({ stdout: stdout.text, stderr: stderr.text, exitCode }).toEqual({
      stdout: `${user}\n/home/${user} ${user} ${user}\n/home/${user}\n`,
      stderr: '',
      exitCode: 3,
    });
  });

  it('takes input, variables, a directory and many lines', async () => {
    const env = { PSM_A: 'it\'s "a" $(id) \\ \n\u{1f600}', HOME: '/tmp', PAGER: 'mine' };
    const script = 'cat\nprintf "%s|" "$PSM_A" "$HOME" "$PAGER" "$SYSTEMD_PAGER"\npwd\n';
    const stdin = 'in\nof it\n';
    const { stdout } = await run(way(), script, { stdin, env, cwd: '/etc' });
    expect(stdout.text).toBe(`${stdin}${env.PSM_A}|/tmp|mine|cat|/etc\n`);
    expect((await run(way(), 'cat', { stdin })).stdout.text).toBe(stdin);
    const long = `${'echo 0123456789\n'.repeat(20_000)}echo end`;
    expect((await run(way(), long)).stdout.text.slice(-15)).toBe('0123456789\nend\n');
  });

  it('is not run in a directory that is not there, nor for a user that is not there', async () => {
    expect(await failed(run(way(), 'echo ran', { cwd: '/no/such' }))).toMatchObject({ kind: 'not-found' });
    const unknown = await failed(run({ ...way(), user: 'psm-nobody-here' }, 'echo ran'));
    expect(unknown).toMatchObject({ kind: 'not-found', hint: 'Correct the user name.' });
    expect(unknown.message).toMatch(/has no user psm-nobody-here, so the command was not run\.$/);
  });
});

/** Runs what stays by all means, ends it, and looks for what is left of it. */
async function endOne({ client, host, user, container }: Way, cancelled: boolean) {
  const tag = freshTag();
  const script = `trap '' TERM; setsid sleep ${tag} & (env -i sleep ${tag} &); sleep 0.3; echo up; sleep ${tag}; sleep ${tag}`;
  const cancel = new AbortController();
  const onOutput = () => cancel.abort();
  const how = cancelled ? { signal: cancel.signal, onOutput } : {};
  const timeoutMs = cancelled ? 60_000 : 2_000;
  const error = await failed(client.run(host, { script, user, container, timeoutMs }, how));
  const left = await aliveWith(tag);
  // What a failed test leaves would sleep for years.
  if (left.length > 0) runAsRoot(['kill', '-KILL', ...left.map((row) => row.trim().split(' ')[0] ?? '')]);
  return { kind: error.kind, seen: error.facts.remote_process, left };
}

const all = Object.values(ways);
const commandsAsAnotherUser = counted(105, 14);

it(`guarantee 4: ${commandsAsAnotherUser} of 105 commands as another user are ended, with what left their session and environment`, {
  timeout: counted(300_000, 60_000),
}, async () => {
  const cancelled = (i: number) => Math.floor(i / all.length) % 2 === 1;
  const ends = await runs(commandsAsAnotherUser, 5, (i) => endOne((all[i % all.length] as () => Way)(), cancelled(i)));
  const over = { seen: 'terminated', left: [] };
  expect(ends).toEqual(ends.map((_, i) => ({ kind: cancelled(i) ? 'cancelled' : 'timeout', ...over })));
  tally(4, 'commands ended as another user', commandsAsAnotherUser);
});

describe('a command as another user', () => {
  it('runs for one who may not log in, and has no home', async () => {
    for (const user of ['nobody', 'www-data']) {
      for (const from of ['root', 'psm-bash']) {
        const { stdout, exitCode } = await run(onHost(from, user), 'id -un; ls >/dev/null');
        expect({ stdout: stdout.text, exitCode }).toEqual({ stdout: `${user}\n`, exitCode: 0 });
      }
    }
    expect((await run({ ...ways['by su of busybox']?.(), user: 'nobody' } as Way, 'id -un; pwd')).stdout.text).toBe(
      'nobody\n/\n',
    );
  });

  it('becomes root by sudo, with its home', async () => {
    const { stdout } = await run(onHost('psm-dash', 'root', { sudoPassword }), 'id -un; echo "$HOME"; pwd');
    expect(stdout.text).toBe('root\n/root\n/root\n');
  });

  it('is refused where sudo does not permit it, and where it wants a password', async () => {
    expect(await failed(run(onHost('psm-zsh', 'psm-bash', { sudoPassword }), 'true'))).toMatchObject({
      kind: 'permission',
      message: 'sudo does not permit psm-zsh on psm-zsh-host to run this as psm-bash.',
    });
    expect(await failed(run(onHost('psm-dash', 'psm-bash'), 'true'))).toMatchObject({ kind: 'authentication' });
  });

  it('is told what su said when it let nobody in', async () => {
    const gone = await startSshd({ path: [join(server.folder, 'shared')] });
    const client = sshTo(gone);
    runAsRoot([
      'sh',
      '-c',
      `printf '#!/bin/sh\necho "su: Your account has expired" >&2; exit 1\n' >"$0"; chmod 755 "$0"`,
      join(server.folder, 'shared', 'su'),
    ]);
    const error = await failed(run({ host: login(gone, 'root'), client, user: 'psm-dash' }, 'echo ran'));
    await client.close();
    await gone.stop();
    expect(error).toMatchObject({ kind: 'permission', facts: { exit_code: 1 } });
    expect(error.message).toBe('su on root-host did not make root the user psm-dash, so the command was not run.');
    expect(said(error)).toBe('su: Your account has expired\n');
  });

  it('is refused before anything is opened when the name could be an option, or more than a word', async () => {
    const host = login(server, 'root', { port: 1 });
    for (const user of ['-c', '--', '', 'a b', 'a;id', '$(id)', 'a\nb', '#0', '1000'])
      expect(await failed(run({ host, client: ssh, user }, 'true'))).toMatchObject({ kind: 'invalid-input' });
  });

  it('keeps its variables and its script out of the process list when it carries variables', async () => {
    const { stdout } = await run(onHost('root', 'psm-dash'), 'ps -e -o args', { env: { TOKEN: 'tell-nobody' } });
    expect(stdout.text).toContain('ps -e -o args');
    expect(stdout.text).not.toContain('tell-nobody');
  });
});

describe('a command', () => {
  it('in a container has a home though its environment has none', async () => {
    const { stdout } = await ssh.run(login(server, 'root'), {
      script: 'env | grep ^HOME=',
      container: 401,
      timeoutMs: 9_000,
    });
    expect(stdout.text).toBe('HOME=/root\n');
  });
});
