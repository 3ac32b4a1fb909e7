import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import type { Command, Ssh } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { hasDropbear, startDropbear } from '../rig/dropbear.ts';
import { login, sshTo } from '../rig/login.ts';
import { type KeyedServer, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD, runAsRoot } from '../rig/users.ts';

type Server = KeyedServer & { log(): string; stop(): Promise<void> };

/** The same of both servers; where Dropbear is not to be had, of OpenSSH alone. */
const servers: [string, () => Promise<Server>][] = [['OpenSSH', () => startSshd()]];
if (hasDropbear()) servers.push(['Dropbear', startDropbear]);

const users = ['psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash'];

describe.each(servers)('a host that runs %s', (name, start) => {
  let server: Server;
  let ssh: Ssh;
  beforeAll(async () => {
    server = await start();
    ssh = sshTo(server);
  });
  afterAll(async () => {
    await ssh.close();
    await server.stop();
  });
  const host = (user: string) => login(server, user, { sudoPassword: new Secret(DASH_PASSWORD) });
  const run = (user: string, script: string, more: Partial<Command> = {}) =>
    ssh.run(host(user), { script, timeoutMs: 20_000, ...more });

  it('guarantee 9: is refused when its key is not known', async () => {
    const pool = createPool({ knownHosts: [], ownKnownHosts: `${server.folder}/no_known_hosts` });
    const stranger = createSsh(pool);
    await expect(stranger.run(host('psm-dash'), { script: 'true', timeoutMs: 9_000 })).rejects.toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining('is not known: ssh-ed25519 SHA256:'),
    });
    await stranger.close();
    expect(server.log()).not.toContain('psm-dash');
  });

  it('is logged in to with a password too', async () => {
    const byPassword = { ...host('psm-dash'), keyPath: undefined, password: new Secret(DASH_PASSWORD) };
    expect(await ssh.run(byPassword, { script: 'id -un', timeoutMs: 9_000 })).toMatchObject({
      stdout: { text: 'psm-dash\n' },
    });
    const wrong = { ...byPassword, address: 'localhost', password: new Secret('not it') };
    const pool = createPool({ knownHosts: [], ownKnownHosts: `${server.folder}/other_known_hosts`, acceptNew: true });
    const other = createSsh(pool);
    await expect(other.run(wrong, { script: 'true', timeoutMs: 9_000 })).rejects.toMatchObject({
      kind: 'authentication',
    });
    await other.close();
  });

  it.each(users)('runs commands of %s: streams, stdin, exit code, signal', async (user) => {
    const result = await run(user, 'cat; echo err >&2; exit 7', { stdin: 'in', env: { A: 'b' } });
    expect(result).toMatchObject({ stdout: { text: 'in' }, stderr: { text: 'err\n' }, exitCode: 7 });
    const killed = await run(user, 'kill -KILL $$');
    expect(killed).toMatchObject({ signal: 'KILL' });
    expect(killed.exitCode).toBeUndefined();
  });

  it.each(['psm-bash', 'psm-dash', 'psm-ash'])('lets %s be root by sudo', async (user) => {
    expect(await run(user, 'id -u; cat', { sudo: true, stdin: 'in' })).toMatchObject({ stdout: { text: '0\nin' } });
  });

  it('is done with a command whose children hold its output', async () => {
    const { stdout, durationMs } = await run('psm-bash', 'echo hi; sleep 60 & echo $!');
    runAsRoot(['kill', stdout.text.split('\n')[1] ?? '']);
    expect(stdout.text).toMatch(/^hi\n\d+\n$/);
    expect(durationMs).toBeLessThan(2_500);
  });

  it('guarantee 5: takes scripts of every length while another command on the connection never notices', async () => {
    const other = run('psm-ash', 'read -r line; echo "$line"; sleep 1; echo whole', { stdin: 'begun\n' });
    for (const size of [7_000, 8_000, 9_000, 10_000, 120 * 1024, 300_000, 2_000_000]) {
      const { stdout } = await run('psm-ash', `echo ${'x'.repeat(size - 5)} | wc -c`);
      expect(stdout.text.trim()).toBe(String(size - 4));
    }
    expect(await other).toMatchObject({ exitCode: 0, stdout: { text: 'begun\nwhole\n' } });
  });

  it('guarantee 7: gives 64 MiB on stdout and 16 MiB on stderr at once (of 1 GiB and 64 MiB), by head and tail', async () => {
    const script =
      "head -c 16777216 /dev/zero | tr '\\0' e >&2 & head -c 67108864 /dev/zero | tr '\\0' o; wait; echo end";
    const { stdout, stderr } = await run('psm-dash', script);
    expect(stdout.totals.bytes).toBe(67_108_864 + 4);
    expect(stdout.text.endsWith('oend\n')).toBe(true);
    expect(stderr.totals.bytes).toBe(16_777_216);
  });

  // Up to 2024.85 Dropbear closes a session that was just opened when the process of another one ends in that moment.
  it('guarantee 1: has run every one of 200 commands at once that it answered, and none twice', async () => {
    const file = `${server.folder}/ran`;
    runAsRoot(['sh', '-c', `: >${file} && chmod 666 ${file}`]);
    const all = Array.from({ length: 200 }, async (_, i) => {
      try {
        const { stdout } = await run('psm-zsh', `echo ${i} >>${file}; echo ${i}`);
        expect(stdout.text).toBe(`${i}\n`);
        return [i];
      } catch (error) {
        expect(error).toMatchObject({ kind: expect.stringMatching(/^(outcome-unknown|busy)$/) });
        return [];
      }
    });
    const answered = (await Promise.all(all)).flat();
    const ran = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(new Set(ran).size).toBe(ran.length);
    expect(answered.filter((i) => !ran.includes(i))).toEqual([]);
    if (name === 'OpenSSH') expect(answered).toHaveLength(200);
    else expect(answered.length).toBeGreaterThan(100);
  });

  it.each([
    ['psm-ash', {}],
    ['psm-dash', { sudo: true }],
  ])('guarantee 4: ends every process of %s %j', async (user, more) => {
    const tag = String(100_000_000 + Math.floor(Math.random() * 800_000_000));
    const script = `setsid sh -c "trap '' TERM HUP; sleep ${tag}; sleep ${tag}" & echo up; sleep ${tag}`;
    const error = await run(user, script, { timeoutMs: 1_000, ...more }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      kind: 'timeout',
      facts: { remote_process: 'terminated', stdout: { text: 'up\n' } },
    });
    expect(runAsRoot(['sh', '-c', `ps -eo stat=,args= | grep '[s]leep ${tag}' | grep -v ^Z || true`])).toBe('');
  });
});
