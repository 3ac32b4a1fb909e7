import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { RemoteText } from '../../src/present/answer.ts';
import { Secret } from '../../src/secret.ts';
import type { Command, HostSpec, Ssh } from '../../src/ssh/client.ts';
import { figure } from '../figures.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { asRoot, DASH_PASSWORD, runAsRoot } from '../rig/users.ts';

const sudoPassword = new Secret(DASH_PASSWORD);
let server: Sshd;
let ssh: Ssh;
beforeAll(async () => {
  server = await startSshd({ containers: { 400: 'running', 401: 'without bash' } });
  runAsRoot(['mkdir', '-m', '1777', join(server.folder, 'shared')]);
  ssh = sshTo(server);
});
afterAll(async () => {
  await ssh.close();
  await server.stop();
});

const elevated = (host: HostSpec, script: string, more: Partial<Command> = {}) =>
  ssh.run(host, { script, timeoutMs: 20_000, sudo: true, ...more });
const failed = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    (result) => expect.fail(`it ran: ${JSON.stringify(result)}`),
    (error) => error,
  );
const told = (error: Failure) => (error.facts.stderr as RemoteText).text;

describe('sudo', () => {
  it('runs as root with exactly the stdin of the caller, whether it asks or not', async () => {
    for (const host of [
      login(server, 'psm-bash'),
      login(server, 'psm-dash', { sudoPassword }),
      login(server, 'root'),
    ]) {
      for (const script of ['id -u; cat', 'id -u\ncat']) {
        const given = await elevated(host, script, { stdin: 'given\n' });
        expect(given).toMatchObject({ stdout: { text: '0\ngiven\n' }, stderr: { text: '' }, exitCode: 0 });
        expect((await elevated(host, script)).stdout.text).toBe('0\n');
      }
    }
  });

  it('guarantee 10: that remembers the password is sent none, and the command gets its own stdin alone', async () => {
    runAsRoot(['rm', '-f', '/run/sudo/ts/psm-ash']);
    const wrong = login(server, 'psm-ash', { sudoPassword: new Secret('not it') });
    expect(await failed(elevated(wrong, 'true'))).toMatchObject({ kind: 'authentication' });
    const right = login(server, 'psm-ash', { sudoPassword });
    for (const host of [right, right, wrong]) {
      for (const [script, more] of [
        ['id -u; cat', {}],
        ['id -u\ncat', {}],
        ['id -u; cat', { container: 401 }],
        ['id -u\ncat', { container: 400 }],
      ] as const) {
        const given = await elevated(host, script, { stdin: 'given\n', ...more });
        expect(given).toMatchObject({ stdout: { text: '0\ngiven\n' }, stderr: { text: '' }, exitCode: 0 });
      }
    }
  });

  it('guarantee 10: a shell that shows what it runs is sent no password', async () => {
    const home = mkdtempSync(join(tmpdir(), 'psm-home-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    chmodSync(home, 0o755);
    writeFileSync(join(home, '.bashrc'), 'set -x\n');
    const own = await startSshd({ extraConfig: [`SetEnv HOME=${home}`] });
    onTestFinished(() => own.stop());
    const other = sshTo(own);
    const host = login(own, 'psm-bash', { sudoPassword });
    const { stdout, stderr } = await other.run(host, { script: 'cat', sudo: true, stdin: 'mine', timeoutMs: 9_000 });
    expect(stderr.text).toContain('exec sudo -S -p');
    expect(stdout.text).toBe('mine');
    await other.close();
  });

  it('carries directory, variables and the exit code', async () => {
    const host = login(server, 'psm-dash', { sudoPassword });
    const result = await elevated(host, 'pwd; echo "$A"; exit 9', { cwd: '/root', env: { A: 'b c' } });
    expect(result).toMatchObject({ stdout: { text: '/root\nb c\n' }, exitCode: 9 });
    expect(await failed(elevated(host, 'true', { cwd: '/no/such' }))).toMatchObject({ kind: 'not-found' });
  });

  it('that rejects the password is told, and is not asked twice', async () => {
    const file = join(server.folder, 'shared', 'rejected');
    const host = login(server, 'psm-dash', { sudoPassword: new Secret('not it') });
    const error = await failed(elevated(host, `touch ${file}`, { stdin: `${DASH_PASSWORD}\n` }));
    expect(error).toMatchObject({
      kind: 'authentication',
      message: 'sudo password rejected for psm-dash on psm-dash-host.',
    });
    expect(told(error)).toContain('1 incorrect password attempt');
    expect(existsSync(file)).toBe(false);
  });

  it('that asks for a password nobody configured names the setting and the rule', async () => {
    const error = await failed(elevated(login(server, 'psm-dash'), 'true', { stdin: `${DASH_PASSWORD}\n` }));
    expect(error.kind).toBe('authentication');
    expect(error.hint).toContain('SSH_SUDO_PASSWORD');
    expect(error.hint).toContain('NOPASSWD');
  });

  it('that does not know the user, or wants a terminal, is told as that', async () => {
    const stranger = await failed(elevated(login(server, 'psm-zsh', { sudoPassword }), 'true'));
    expect(stranger).toMatchObject({ kind: 'permission', message: expect.stringContaining('does not permit psm-zsh') });
    const terminal = await failed(elevated(login(server, 'psm-tty'), 'true'));
    expect(terminal).toMatchObject({ kind: 'misconfigured', message: expect.stringContaining('requiretty') });
  });

  it('that is not installed is told as that', async ({ onTestFinished }) => {
    const bare = await startSshd({ extraConfig: ['SetEnv PATH=/none'] });
    onTestFinished(() => bare.stop());
    const other = sshTo(bare);
    for (const user of ['psm-bash', 'psm-dash', 'psm-zsh']) {
      const error = await failed(other.run(login(bare, user), { script: 'true', sudo: true, timeoutMs: 9_000 }));
      expect(error).toMatchObject({ kind: 'misconfigured', message: `${user}-host has no sudo.` });
    }
    await other.close();
  });

  it.concurrent('that says nothing we know is told as that, after 10 s', {
    timeout: 20_000,
  }, async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'psm-sudo-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'sudo'), '#!/bin/sh\nprintf "Verification code: " >&2\nread -r code\n', { mode: 0o755 });
    const odd = await startSshd({ extraConfig: [`SetEnv PATH=${folder}`] });
    onTestFinished(() => odd.stop());
    const other = sshTo(odd);
    const host = login(odd, 'psm-dash', { sudoPassword });
    const error = await failed(other.run(host, { script: 'true', sudo: true, timeoutMs: 15_000 }));
    expect(error).toMatchObject({ kind: 'authentication', message: expect.stringContaining('within 10 s') });
    expect(told(error)).toBe('Verification code: ');
    await other.close();
  });

  // Beside the one above, which does nothing but wait.
  it.concurrent('guarantee 10: a password is in no process list, environment, output or log, asked or not', {
    timeout: 40_000,
  }, async ({ onTestFinished }) => {
    // Looks at every process of the machine, over and over, while the commands run.
    const look =
      'while read -r go; do ps -ef; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; echo; echo looked; done';
    const [file, ...args] = asRoot(['sh', '-c', look]);
    const watcher = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    onTestFinished(() => void watcher.stdin.end());
    let seen = '';
    const seenInAll = { looks: 0, sudo: 0, password: 0 };
    watcher.stdout.setEncoding('latin1').on('data', (text: string) => {
      seen += text;
      if (!seen.endsWith('looked\n')) return;
      seenInAll.looks += 1;
      seenInAll.sudo += seen.includes('sudo -S -p') ? 1 : 0;
      seenInAll.password += seen.includes(DASH_PASSWORD) ? 1 : 0;
      seen = '';
      watcher.stdin.write('go\n');
    });
    watcher.stdin.write('go\n');
    const outputs: string[] = [];
    for (const user of ['psm-bash', 'psm-dash', 'psm-ash']) {
      const host = login(server, user, { sudoPassword });
      for (const more of [{}, { stdin: 'x' }, { container: 400 }, { container: 401 }, { env: { A: 'b' } }]) {
        for (const script of [
          'cat',
          'cat; sleep 0.3; cat /proc/self/environ /proc/$PPID/environ; ps -ef',
          'cat >&2\ncat',
        ]) {
          const { stdout, stderr } = await elevated(host, script, more);
          outputs.push(stdout.text, stderr.text);
        }
      }
      const error = await failed(ssh.run(host, { script: 'cat; sleep 60', sudo: true, timeoutMs: 500 }));
      outputs.push(JSON.stringify(error), error.message, error.hint);
    }
    watcher.stdin.end();
    await once(watcher, 'exit');
    expect(seenInAll.looks).toBeGreaterThan(20);
    expect(seenInAll.sudo).toBeGreaterThan(10);
    expect(seenInAll.password).toBe(0);
    const { looks, sudo, password } = seenInAll;
    figure(
      10,
      `${looks} looks at all processes while 48 commands ran: sudo in ${sudo} of them, the password in ${password}`,
    );
    expect([...outputs, server.log()].filter((text) => text.includes(DASH_PASSWORD.slice(0, 12)))).toEqual([]);
  });
});
