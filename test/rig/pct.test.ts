import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apartness, CONTAINER_USER } from './container.ts';
import { type Sshd, startSshd } from './sshd.ts';
import { asRoot, runAsRoot } from './users.ts';

let server: Sshd;
beforeAll(async () => {
  server = await startSshd({ containers: { 400: 'running', 401: 'without bash', 402: 'stopped' } });
});
afterAll(() => server.stop());

const run = (argv: readonly string[], input = '') => {
  const [file, ...args] = argv;
  const env = { ...process.env, LEAK: 'leak' };
  const { status, stdout, stderr } = spawnSync(file as string, args, { input, env, cwd: '/root', encoding: 'utf8' });
  return { status, stdout, stderr };
};
const pct = (...args: string[]) => run(asRoot(['env', 'LEAK=leak', join(server.folder, 'bin', 'pct'), ...args]));
const inside = (vmid: number, script: string, ...more: string[]) =>
  pct('exec', String(vmid), '--keep-env', '0', '--', 'sh', '-c', script, ...more);

describe('the pretend pct, as Proxmox VE 8 and 9 have it,', () => {
  it('hands an argument list over as it is, by no shell', () => {
    const words = ['', 'a b', '$(id)', "it's", '*', '-n', '--', '\n'];
    const { stdout } = pct('exec', '400', '--keep-env', '0', '--', 'printf', '[%s]', ...words);
    expect(stdout).toBe(words.map((word) => `[${word}]`).join(''));
  });

  it('passes stdin and exit codes through; an end by a signal is an exit code too, and nothing is said', () => {
    expect(inside(400, 'exit 7')).toEqual({ status: 7, stdout: '', stderr: '' });
    expect(inside(401, 'kill -TERM $$')).toEqual({ status: 143, stdout: '', stderr: '' });
    expect(inside(400, 'kill -KILL $$')).toEqual({ status: 137, stdout: '', stderr: '' });
    const argv = asRoot([join(server.folder, 'bin', 'pct'), 'exec', '401', '--keep-env', '0', '--', 'cat']);
    expect(run(argv, 'in')).toMatchObject({ status: 0, stdout: 'in' });
    expect(pct('exec', '400', '--', 'no-such-program').status).toBe(127);
  });

  it('keeps the environment unless it is told not to', () => {
    expect(pct('exec', '400', '--', 'env').stdout).toContain('LEAK=leak\n');
    const clean = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'container=lxc'];
    expect(pct('exec', '400', '--keep-env', '0', '--', 'env').stdout.trim().split('\n').toSorted()).toEqual(clean);
  });

  it('refuses in the words and with the codes of the real one', () => {
    const refusals = [
      [['exec', '999', '--', 'true'], 2, "Configuration file 'nodes/pve1/lxc/999.conf' does not exist\n"],
      [['exec', '402', '--', 'true'], 255, "container '402' not running!\n"],
      [['exec', '400', '--'], 255, expect.stringMatching(/^missing command at /)],
      [['exec', '400', '--user', 'x', '--', 'true'], 255, expect.stringContaining('Unknown option: user')],
      [['exec', 'x', '--', 'true'], 255, expect.stringContaining('400 Parameter verification failed.')],
      [['resize'], 255, "ERROR: unknown command 'pct resize'\n"],
    ] as const;
    for (const [args, status, stderr] of refusals) expect(pct(...args)).toEqual({ status, stdout: '', stderr });
    const user = runAsRoot(['su', 'psm-dash', '-c', `${server.folder}/bin/pct exec 400 -- true 2>&1; echo $?`]);
    expect(user).toBe('please run as root\n255\n');
  });
});

const apart = apartness();
// A test's name is what every run shows.
describe.each([apart])('its containers, kept apart by %s,', () => {
  it('have a root folder of their own, and bash only where it was asked for', () => {
    const shells = [400, 401].map((vmid) => inside(vmid, 'command -v bash').stdout);
    const host = runAsRoot(['sh', '-c', 'command -v bash']);
    expect(shells).toEqual(apart === 'plain' ? [host, host] : ['/usr/bin/bash\n', '']);
    inside(400, 'echo mine >/var/tmp/psm-pct-test');
    expect(readFileSync(join(server.rootOf(400), 'var/tmp/psm-pct-test'), 'utf8')).toBe('mine\n');
    expect(existsSync('/var/tmp/psm-pct-test')).toBe(apart === 'plain');
    inside(400, 'rm /var/tmp/psm-pct-test');
  });

  it('have users of their own, among them one that is not root', () => {
    if (apart === 'plain') return expect(inside(400, 'id -un').stdout).toBe('root\n');
    const script = `id -un; su ${CONTAINER_USER} -c "id -un; id -u"; grep -c psm-dash /etc/passwd`;
    for (const vmid of [400, 401]) expect(inside(vmid, script).stdout).toBe(`root\n${CONTAINER_USER}\n1000\n0\n`);
  });

  it('have a host name and process ids of their own', () => {
    const { stdout } = inside(401, 'hostname; cat /etc/hostname; echo $$; ls -d /proc/[0-9]* | wc -l; cat </dev/null');
    const [name, file, pid, processes] = stdout.split('\n');
    if (apart !== 'plain') expect(file).toBe('ct401');
    if (apart !== 'namespaces') return;
    expect(name).toBe('ct401');
    expect(Number(pid)).toBeLessThan(1_000);
    expect(Number(processes)).toBeLessThan(20);
  });

  it('are entered in the folder that the caller is in, where they have it', () => {
    if (apart === 'namespaces') expect(inside(400, 'pwd').stdout).toBe('/root\n');
    const argv = [...asRoot([join(server.folder, 'bin', 'pct')]), 'exec', '400', '--keep-env', '0', '--', 'pwd'];
    const { stdout } = spawnSync(argv[0] as string, argv.slice(1), { cwd: import.meta.dirname, encoding: 'utf8' });
    expect(stdout).toBe(apart === 'plain' ? `${import.meta.dirname}\n` : '/\n');
  });
});
