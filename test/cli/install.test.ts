import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from './cli.ts';

const root = resolve(import.meta.dirname, '../..');
const script = join(root, 'bin/install.sh');
/** What a bare system has. */
const TOOLS = ['bash', 'sh', 'cat', 'dirname', 'id', 'find', 'mkdir', 'rm', 'ln', 'chmod', 'printf', 'env', 'uname'];

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'psm-install-')));
  mkdirSync(join(home, 'bin'));
  for (const tool of TOOLS) link(tool);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const which = (tool: string): string => execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
const link = (tool: string, to = which(tool)) => symlinkSync(to, join(home, 'bin', tool));
const program = (name: string, body: string) => {
  writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(home, 'bin', name), 0o755);
};
const log = () => (existsSync(join(home, 'log')) ? readFileSync(join(home, 'log'), 'utf8').trim().split('\n') : []);

/** A package manager that notes how it was called, and puts a program there for each package it is asked for. */
function manager(name: string): void {
  const real = { node: process.execPath, npm: which('npm'), git: which('git'), ssh: which('ssh') };
  const put = (tool: keyof typeof real) => `[ -e ${home}/bin/${tool} ] || ln -s ${real[tool]} ${home}/bin/${tool}`;
  program(
    name,
    `echo "${name} $*" >>${home}/log
    for word in "$@"; do case $word in
      nodejs) ${put('node')} ;; npm) ${put('npm')} ;; git) ${put('git')} ;; openssh*) ${put('ssh')} ;;
    esac; done`,
  );
}

const release = (lines: string) => writeFileSync(join(home, 'os-release'), lines);

async function install(...args: string[]) {
  const env = { HOME: home, PATH: join(home, 'bin'), PSM_OS_RELEASE: join(home, 'os-release') };
  const child = spawn(which('bash'), [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describe('bin/install.sh', () => {
  it.each([
    ['Debian', 'ID=debian', 'apt-get', 'apt-get install -y -qq --no-install-recommends openssh-client'],
    ['Ubuntu', 'ID=ubuntu\nID_LIKE=debian', 'apt-get', 'apt-get install -y -qq --no-install-recommends openssh-client'],
    ['Fedora', 'ID=fedora', 'dnf', 'dnf install -y -q openssh-clients'],
    ['Rocky', 'ID="rocky"\nID_LIKE="rhel centos fedora"', 'dnf', 'dnf install -y -q openssh-clients'],
    ['CentOS 7', 'ID="centos"\nID_LIKE="rhel fedora"', 'yum', 'yum install -y -q openssh-clients'],
    ['Manjaro', 'ID=manjaro\nID_LIKE=arch', 'pacman', 'pacman -S --needed --noconfirm openssh'],
    ['a system that nobody knows', 'ID=else', 'pacman', 'pacman -S --needed --noconfirm openssh'],
  ])('installs what is missing on %s, and goes on to the set-up', async (_, lines, name, ssh) => {
    release(`${lines}\n`);
    manager(name);
    const { code, stdout, stderr } = await install('--yes', '--show-config');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('"--settings-file"');
    expect(log()).toContain(ssh);
    expect(log().filter((line) => !line.includes('update'))).toHaveLength(4);
    const again = log().length;
    await install('--yes', '--show-config');
    expect(log()).toHaveLength(again);
  });

  it('puts a Node.js of its own beside an old one, and leaves nothing when that fails', async () => {
    release('ID=debian\n');
    for (const tool of ['git', 'ssh']) link(tool);
    program('node', 'if [ "$1" = --version ]; then echo v18.19.0; else exit 1; fi');
    const runtime = join(home, '.local/share/proxmox-ssh-mcp');
    program('npm', 'exit 1');
    const failed = await install('--yes', '--show-config');
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/nothing of it is left/) });
    expect(existsSync(runtime)).toBe(false);
    const own = join(runtime, 'node_modules/node/bin/node');
    program('npm', `echo "npm $*" >>${home}/log; mkdir -p ${dirname(own)}; ln -s ${process.execPath} ${own}`);
    const { code, stdout } = await install('--yes', '--show-config');
    expect(code).toBe(0);
    expect(stdout).toContain('"command"');
    expect(log()).toEqual([expect.stringMatching(/^npm install --prefix .* node@24$/)]);
    await install('--yes', '--show-config');
    expect(log()).toHaveLength(1);
  });

  it('asks before it installs, and without a terminal installs nothing', async () => {
    release('ID=debian\n');
    manager('apt-get');
    expect(await install()).toMatchObject({
      code: 1,
      stderr:
        'install.sh: there is no terminal to ask on: git is missing. Install git with apt? (--yes does it unasked)\n',
    });
    expect(log()).toEqual([]);
  });

  it('says what to do where no package manager is known, and when one fails', async () => {
    release('ID=else\n');
    expect((await install('--yes')).stderr).toMatch(
      /^install\.sh: git is missing, and no apt, dnf, yum or pacman is here/,
    );
    program('dnf', 'echo "No match for argument" >&2; exit 1');
    expect((await install('--yes')).stderr).toMatch(
      /No match for argument\ninstall\.sh: dnf could not install git: see above/,
    );
  });

  it('has every option of the set-up in its help', async () => {
    const { stdout } = await install('--help');
    const { stdout: setup } = await cli(['setup', '--help'], { home });
    const flags = [...setup.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
    expect(flags.length).toBeGreaterThan(20);
    for (const flag of flags) expect(stdout, flag).toContain(` ${flag} `);
    expect(stdout).toContain('--uninstall');
  });

  it('is clean for shellcheck, as the other scripts are', () => {
    const scripts = ['bin/install.sh', 'bin/demo.sh', 'bin/test.sh', 'bin/prepare.sh', '.ci/run'];
    execFileSync('shellcheck', ['-x', ...scripts], { cwd: root, stdio: 'pipe' });
  });
});
