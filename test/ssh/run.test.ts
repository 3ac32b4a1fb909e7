import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { RemoteText } from '../../src/present/answer.ts';
import { Secret } from '../../src/secret.ts';
import type { Command, HostSpec, Ssh } from '../../src/ssh/client.ts';
import { figure, slowest } from '../figures.ts';
import { CONTAINER_USER } from '../rig/container.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS, DASH_PASSWORD, runAsRoot } from '../rig/users.ts';

let server: Sshd;
let ssh: Ssh;
/** Where busybox's programs come first in PATH. */
let small: Sshd;
let sshToSmall: Ssh;
let user: HostSpec;

beforeAll(async () => {
  const containers = { 400: 'running', 401: 'stopped', 402: 'without bash' } as const;
  server = await startSshd({ containers });
  small = await startSshd({ path: [BUSYBOX_PROGRAMS] });
  runAsRoot(['mkdir', '-m', '1777', join(server.folder, 'shared')]);
  [ssh, sshToSmall] = [sshTo(server), sshTo(small)];
  user = login(server, 'psm-bash');
});
afterAll(async () => {
  for (const client of [ssh, sshToSmall]) await client.close();
  for (const one of [server, small]) await one.stop();
});

/** Another server, for one test. */
async function another(options?: SshdOptions) {
  const own = await startSshd(options);
  const other = sshTo(own);
  onTestFinished(async () => {
    await other.close();
    await own.stop();
  });
  return { own, other };
}

const run = (host: HostSpec, script: string, more: Partial<Command> = {}) =>
  ssh.run(host, { script, timeoutMs: 20_000, ...more });
const failure = (host: HostSpec, script: string, more: Partial<Command> = {}): Promise<Failure> =>
  run(host, script, more).then(
    (result) => expect.fail(`it ran: ${JSON.stringify(result)}`),
    (error) => error,
  );
const text = (fact: unknown) => (fact as RemoteText).text;
/** A path that nothing has been written to yet. */
let count = 0;
const fresh = () => join(server.folder, 'shared', `file-${count++}`);

/** Every kind of place where a command can run: by which login, on which server, and as what there. */
const places: [string, string, 'small' | undefined, Partial<Command>][] = [
  ...['psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'root'].map((name): (typeof places)[number] => [
    name,
    name,
    undefined,
    {},
  ]),
  ...['psm-bash', 'psm-dash', 'psm-zsh'].map((name): (typeof places)[number] => [
    `${name} among busybox's programs`,
    name,
    'small',
    {},
  ]),
  ['psm-bash as psm-dash', 'psm-bash', undefined, { user: 'psm-dash' }],
  ['root as psm-zsh', 'root', undefined, { user: 'psm-zsh' }],
  ['root in a container', 'root', undefined, { container: 400 }],
  ['root in a container without bash', 'root', undefined, { container: 402 }],
  ['a user in a container', 'root', undefined, { container: 400, user: CONTAINER_USER }],
  ['a user in a container without bash', 'psm-ash', undefined, { container: 402, user: CONTAINER_USER }],
];

describe.each(places)('a command of %s', (_, name, where, as) => {
  const there = (script: string, more: Partial<Command> = {}) => {
    const [on, client] = where === 'small' ? [small, sshToSmall] : [server, ssh];
    const host = login(on, name, { sudoPassword: new Secret(DASH_PASSWORD) });
    return client.run(host, { script, timeoutMs: 20_000, ...as, ...more });
  };

  it('gives both streams and its exit code, and reads the end of an empty stdin', async () => {
    const result = await there('echo out; echo err >&2; cat; exit 7');
    expect(result).toMatchObject({ stdout: { text: 'out\n' }, stderr: { text: 'err\n' }, exitCode: 7 });
    expect(result).not.toHaveProperty('backgroundHoldsOutput');
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('gets stdin byte for byte, with a script on one line and on many', async () => {
    const stdin = Buffer.from([...Array(256).keys()]);
    for (const script of ['od -An -v -tu1', 'true\nod -An -v -tu1\n']) {
      const { stdout } = await there(script, { stdin });
      expect(stdout.text.trim().split(/\s+/).map(Number)).toEqual([...stdin]);
    }
  });

  it('runs in its directory and with its variables, whatever they hold', async () => {
    const folder = `${fresh()} it's "a\\ $HOME\n`;
    const root = as.container === undefined ? '' : server.rootOf(as.container).replace(/\/$/, '');
    runAsRoot(['mkdir', '-p', '-m', '777', root + folder]);
    const env = { PSM_A: 'it\'s "a" $(id) \\ \n\u{1f600}', PSM_EMPTY: '' };
    const result = await there('pwd; printf "%s|%s|" "$PSM_A" "$PSM_EMPTY"', { cwd: folder, env });
    expect(result.stdout.text).toBe(`${folder}\n${env.PSM_A}||`);
  });

  it('is not run when its directory is missing', async () => {
    const file = fresh();
    const error = await there(`touch ${file}`, { cwd: '/no/such' }).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: 'not-found', message: expect.stringContaining('no directory /no/such') });
    expect(text(error.facts.stderr)).toContain('/no/such');
    expect(existsSync(file)).toBe(false);
  });

  it('is told by the signal that ended it, in a container by the exit code that pct makes of it', async () => {
    const result = await there('kill -KILL $$');
    if (as.container === undefined && as.user === undefined) {
      expect(result).toMatchObject({ signal: 'KILL' });
      expect(result.exitCode).toBeUndefined();
    } else {
      expect(result.signal ?? result.exitCode).toBeOneOf(['KILL', 137]);
    }
  });

  it('may be text that no shell can parse, start with a dash, or end in the middle of a quote', async () => {
    for (const script of ['if then', '-nosuch', "echo 'a", 'echo a\nif then\n']) {
      const { exitCode, stderr } = await there(script);
      expect(exitCode, script).toBeGreaterThan(0);
      expect(stderr.text).not.toBe('');
    }
  });

  it('may be a here-document without an end', async () => {
    expect((await there('cat <<EOF\nabc\n')).stdout.text).toBe('abc\n');
  });
});

it("busybox's programs are found before all others on the server that has them first", async () => {
  const script = 'for name in head grep awk stat sh env; do readlink -f "$(command -v $name)"; done | sort -u';
  const { stdout } = await sshToSmall.run(login(small, 'psm-bash'), { script, timeoutMs: 9_000 });
  expect(stdout.text).toBe(runAsRoot(['readlink', '-f', `${BUSYBOX_PROGRAMS}/sh`]));
});

describe('a command', () => {
  it('runs in the login shell: bash knows arrays, zsh knows its own', async () => {
    expect((await run(user, `a=(x y); echo \${a[1]}`)).stdout.text).toBe('y\n');
    expect((await run(login(server, 'psm-zsh'), `a=(x y); echo \${a[1]}`)).stdout.text).toBe('x\n');
  });

  it('is over when it ends, though its children hold its output', async () => {
    const result = await run(user, 'echo hi; sleep 60 & echo $!');
    expect(result).toMatchObject({ exitCode: 0, backgroundHoldsOutput: true });
    const [hi, pid = ''] = result.stdout.text.split('\n');
    expect(hi).toBe('hi');
    expect(result.durationMs).toBeLessThan(2_500);
    runAsRoot(['kill', pid]);
  });

  it('keeps its variables and its script out of the process list when it carries variables', async () => {
    const { stdout } = await run(user, 'ps -e -o args', { env: { TOKEN: 'tell-nobody' } });
    expect(stdout.text).toContain('ps -e -o args');
    expect(stdout.text).not.toContain('tell-nobody');
  });

  it('never reads a line of its own script, nor leaves one unread', async () => {
    const lines = Array.from({ length: 2_000 }, (_, i) => `echo ${i}`).join('\n');
    const { stdout } = await run(user, `read -r line; echo "[$line]"\n${lines}\ncat`, { stdin: 'first\nrest' });
    expect(stdout.text).toBe(`[first]\n${[...Array(2_000).keys()].join('\n')}\nrest`);
  });

  it('is refused before anything is opened when it cannot be carried', async () => {
    const nowhere = login(server, 'psm-bash', { port: 1 });
    const cases: Partial<Command>[] = [
      { script: 'echo \0' },
      { script: 'echo \ud800' },
      { script: `#${'x'.repeat(16 * 1024 * 1024)}` },
      { cwd: '/a\0' },
      { cwd: 'relative' },
      { container: 1.5 },
      { env: { 'A B': 'x' } },
      { env: { A: '\udc00' } },
    ];
    for (const more of cases) expect(await failure(nowhere, 'true', more)).toMatchObject({ kind: 'invalid-input' });
  });

  it('tells of its output while it runs, at most twice a second', async () => {
    const told: { text: string; at: number }[] = [];
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo "$i ä"; sleep 0.1; done';
    const onOutput = (text: string) => told.push({ text, at: performance.now() });
    const { stdout } = await ssh.run(user, { script, timeoutMs: 20_000 }, { onOutput });
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(stdout.text.startsWith(told.map(({ text }) => text).join(''))).toBe(true);
    const gaps = told.slice(1).map(({ at }, i) => at - (told[i]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(490);
  });
});

describe('a command in a container', () => {
  it('runs there with a clean environment, in bash, with stdin and exit code', async () => {
    const script = 'cat; echo "$container [$SSH_CLIENT] $BASH"; exit 5';
    for (const host of [login(server, 'root'), user]) {
      const result = await run(host, script, { container: 400, stdin: 'in ' });
      expect(result).toMatchObject({ stdout: { text: 'in lxc [] /usr/bin/bash\n' }, exitCode: 5 });
    }
  });

  it('may exit with 255 or speak like pct', async () => {
    const result = await run(login(server, 'root'), 'echo "container \'400\' not running!" >&2; exit 255', {
      container: 400,
    });
    expect(result.exitCode).toBe(255);
  });

  it('is not run when the container is stopped, missing, or the host is no node', async () => {
    const root = login(server, 'root');
    expect(await failure(root, 'true', { container: 401 })).toMatchObject({
      kind: 'conflict',
      message: 'Container 401 is not running.',
      hint: expect.stringContaining('pve_guest_power'),
    });
    expect(await failure(root, 'true', { container: 999 })).toMatchObject({ kind: 'not-found' });
    const { own, other } = await another();
    for (const name of ['root', 'psm-bash']) {
      const host = login(own, name, { name: 'pve7' });
      await expect(other.run(host, { script: 'true', timeoutMs: 9_000, container: 400 })).rejects.toMatchObject({
        kind: 'misconfigured',
        message: 'pve7 has no pct: it is not a Proxmox VE node.',
      });
    }
  });
});

describe('a login that runs something else', () => {
  it('is told, and never taken for the command', async () => {
    const { own, other } = await another({ extraConfig: ['ForceCommand echo welcome'] });
    const error = await other.run(login(own, 'psm-bash'), { script: 'true', timeoutMs: 9_000 }).catch((e) => e);
    expect(error).toMatchObject({ kind: 'remote-error', facts: { exit_code: 0 } });
    expect(text(error.facts.stdout)).toBe('welcome\n');
  });
});

describe('guarantee 2: the connection dies in mid-command', () => {
  it('gives outcome-unknown with the output so far within 1 s, and the command ran once', async () => {
    const { own, other } = await another();
    const file = fresh();
    let killed = 0;
    const onOutput = () => {
      killed = performance.now();
      own.killSessions();
    };
    const script = `echo begun; echo once >>${file}; sleep 30`;
    const error = await other.run(login(own, 'psm-bash'), { script, timeoutMs: 30_000 }, { onOutput }).catch((e) => e);
    const told = performance.now() - killed;
    expect(told).toBeLessThan(1_000);
    slowest(2, 'the loss is told in', told);
    expect(error).toMatchObject({ kind: 'outcome-unknown', facts: { remote_process: 'unknown' } });
    expect(error.message).toContain('Connection to psm-bash-host was lost while the command ran');
    expect(text(error.facts.stdout)).toBe('begun\n');
    const again = await other.run(login(own, 'psm-bash'), { script: `cat ${file}`, timeoutMs: 9_000 });
    expect(again.stdout.text).toBe('once\n');
  });
});

describe('guarantee 5: a long script', () => {
  it('of 120 KiB, 300 KB and 2 MB runs while another command on the connection never notices', {
    timeout: 60_000,
  }, async () => {
    const [begun, done] = [fresh(), fresh()];
    const script = `touch ${begun}; while [ ! -e ${done} ]; do sleep 0.02; done; echo whole`;
    const other = run(user, script, { timeoutMs: 60_000 });
    await run(user, `while [ ! -e ${begun} ]; do sleep 0.02; done`);
    for (const size of [120 * 1024, 300_000, 2_000_000]) {
      const oneLine = `echo ${'x'.repeat(size - 5)}`;
      const manyLines = `${'echo 0123456789\n'.repeat(size / 16)}echo end`;
      const quotes = `: ${"'".repeat(2 * Math.floor(size / 2) - 20)}; echo end`;
      const ash = login(server, 'psm-ash', { sudoPassword: new Secret(DASH_PASSWORD) });
      for (const [host, more] of [
        [user, {}],
        [user, { sudo: true }],
        [user, { container: 400 }],
        [ash, {}],
        [ash, { container: 402 }],
      ] as const) {
        expect((await run(host, `${oneLine} | wc -c`, more)).stdout.text.trim()).toBe(String(size - 4));
        expect((await run(host, manyLines, more)).stdout.text.slice(-15)).toBe('0123456789\nend\n');
        expect((await run(host, quotes, more)).stdout.text).toBe('end\n');
      }
    }
    await run(user, `touch ${done}`);
    expect(await other).toMatchObject({ exitCode: 0, stdout: { text: 'whole\n' } });
    expect(server.log().match(/Accepted publickey for psm-bash/g)).toHaveLength(1);
    figure(5, 'scripts of 120 KiB, 300 KB and 2 MB, 45 in all, beside one command that ran on');
  });
});
