import { readFileSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS } from '../rig/users.ts';
import { type Bench, startBench, type Told } from './harness.ts';
import { type Site, siteOf } from './hosts.ts';

let bench: Bench;
let sshd: Sshd;
beforeAll(async () => {
  bench = await startBench();
  sshd = await startSshd({ containers: { 101: 'running' } });
});
afterEach(() => bench.forget());
afterAll(async () => {
  await bench.stop();
  await sshd.stop();
});

const entry = (user: string, server = sshd) => {
  const { address, port, keyPath } = login(server, user);
  return { address, port, keyPath, user };
};

function siteAt(hosts: Record<string, unknown>): Site {
  const site = siteOf(hosts);
  site.know(sshd.hostKeyLine);
  return site;
}

const remoteOf = ({ facts }: Told, name: string) => (facts as Record<string, { remote: string }>)[name]?.remote;

describe('ssh_host_get', () => {
  it('tells all about a node', async () => {
    const told = await bench.call('ssh_host_get');
    expect(JSON.parse(JSON.stringify(told).replaceAll(/psm-tools-\w+/g, 'tools'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "auth": [
            "key /tmp/tools/key",
          ],
          "capabilities": [
            "systemd",
            "zfs",
            "pve",
            "sudo",
          ],
          "capabilities_seen": "2026-11-20T03:10:00Z",
          "cpus": 16,
          "host": "pve1",
          "host_key": {
            "accepted": "SHA256:…",
            "known": [
              "ssh-ed25519 SHA256:… (/tmp/tools/known_hosts:1)",
            ],
          },
          "hostname": {
            "remote": "pve1",
          },
          "init": {
            "remote": "systemd",
          },
          "kernel": {
            "remote": "Linux 6.17.2-1-pve x86_64",
          },
          "known_from": "node",
          "last_seen": "2026-11-20T03:10:00Z",
          "limits_used": {
            "at_once": "0, no limit",
            "commands_a_minute": "1, no limit",
            "connections_a_minute": "1 of 60",
          },
          "login": "root@127.0.0.1:…",
          "memory": "64 GiB",
          "os": {
            "remote": "Debian GNU/Linux 13 (trixie)",
          },
          "programs": {
            "remote": "systemd: systemd 257 (257.9-1~deb13u1)
      pve: pve-manager/9.2.11/1ff4f27ff2d55b44 (running kernel: 6.17.2-1-pve)",
          },
          "shell": {
            "remote": "/bin/bash",
          },
          "state": "connected",
          "sudo": "not needed, the login is root",
          "virtualization": {
            "remote": "none",
          },
        },
        "headline": "pve1 is up",
      }
    `);
    expect(bench.requests()).toBe(0);
  });

  it.each([
    ['root', 'not needed, the login is root', true],
    ['psm-bash', 'without a password', true],
    ['psm-dash', 'asks for a password, or is not allowed', false],
    ['psm-zsh', 'asks for a password, or is not allowed', false],
    ['psm-ash', /password/, false],
  ])('looks at a real host as %s, in one command that changes nothing', async (user, sudo, free) => {
    const site = siteAt({ host1: entry(user) });
    const mark = sshd.log().length;
    const told = await bench.call('ssh_host_get', { host: 'host1' }, { ssh: site.ssh });
    expect(told).toMatchObject({
      headline: 'host1 is up',
      facts: {
        sudo: expect.stringMatching(sudo),
        limits_used: { commands_a_minute: '1, no limit', connections_a_minute: '1 of 60' },
      },
    });
    const uname = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
    expect(remoteOf(told, 'kernel')).toContain(`Linux ${uname}`);
    expect(remoteOf(told, 'os')).toMatch(/^Debian/);
    expect(remoteOf(told, 'shell')).toMatch(/^\//);
    const { capabilities, cpus, memory } = told.facts as Record<string, unknown>;
    if (user !== 'psm-ash') expect((capabilities as string[]).includes('sudo')).toBe(free);
    expect(cpus).toBeGreaterThan(0);
    expect(memory).toMatch(/^\d+(\.\d)? GiB$/);
    expect(told.facts).not.toHaveProperty('incomplete');
    expect(sshd.log().slice(mark).split('Starting session: command').length - 1).toBe(1);
  });

  it('works with nothing but busybox’s programs', async () => {
    const small = await startSshd({ path: [BUSYBOX_PROGRAMS] });
    try {
      const site = siteOf({ small: entry('psm-ash', small) });
      site.know(small.hostKeyLine);
      const told = await bench.call('ssh_host_get', {}, { ssh: site.ssh });
      expect(told).toMatchObject({
        headline: 'small is up',
        facts: { cpus: expect.any(Number), memory: expect.stringMatching(/GiB$/) },
      });
      expect(told.facts).not.toHaveProperty('incomplete');
    } finally {
      await small.stop();
    }
  });

  it('remembers what it found, with its date, in a file for this user alone', async () => {
    const site = siteAt({ host1: entry('psm-bash') });
    await bench.call('ssh_host_get', {}, { ssh: site.ssh });
    expect(statSync(site.learned).mode & 0o777).toBe(0o600);
    const told = await bench.call('ssh_host_get', { connect: false }, { ssh: site.ssh });
    expect(told.facts).toMatchObject({
      capabilities: expect.arrayContaining(['sudo']),
      capabilities_seen: expect.stringMatching(/^2026-11-20T/),
    });
  });

  it('tells how a host is reached without connecting, and of what is secret only that it is set', async () => {
    const site = siteOf(
      {
        gate: { address: '198.51.100.1', user: 'jump' },
        inner: {
          address: '127.0.0.1',
          port: 2222,
          user: 'ops',
          keyPath: '/keys/inner',
          via: 'gate',
          hostKeyAlias: 'inner-nat',
          displayName: 'Behind NAT',
          purpose: 'cameras',
          tags: ['home'],
          default: true,
          webhook: 'https://hooks.example.com/secret-path',
          limits: { commandsPerMinute: 30, concurrent: 2, connectsPerMinute: 6 },
        },
      },
      {
        SSH_HOST: 'main.example.com',
        SSH_PASSWORD: 'the password',
        SSH_SUDO_PASSWORD: 'for sudo',
        SSH_AGENT: '/run/agent',
      },
    );
    site.know(`inner-nat ${sshd.hostKeyLine.split(' ').slice(1).join(' ')}`);
    const told = await bench.call('ssh_host_get', { connect: false }, { ssh: site.ssh });
    expect(JSON.parse(JSON.stringify(told).replaceAll(/psm-site-\w+/g, 'site'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "auth": [
            "key /keys/inner",
            "agent /run/agent",
          ],
          "default": true,
          "display_name": "Behind NAT",
          "host": "inner",
          "host_key": {
            "alias": "inner-nat",
            "known": [
              "ssh-ed25519 SHA256:… (/tmp/site/known_hosts:1)",
            ],
          },
          "known_from": "inventory",
          "limits_used": {
            "at_once": "0 of 2",
            "commands_a_minute": "0 of 30",
            "connections_a_minute": "0 of 6",
          },
          "login": "ops@127.0.0.1:…",
          "purpose": "cameras",
          "state": "not used yet",
          "tags": [
            "home",
          ],
          "via": [
            "gate (jump@198.51.100.1)",
          ],
          "webhook": "https://hooks.example.com/…",
        },
        "headline": "inner: not used yet",
      }
    `);
    const main = await bench.call('ssh_host_get', { host: 'main.example.com', connect: false }, { ssh: site.ssh });
    expect(main.facts).toMatchObject({ auth: ['agent /run/agent', 'password'], sudo_password: 'set' });
    expect(JSON.stringify([told, main])).not.toMatch(/the password|for sudo|secret-path/);
    expect(site.ssh.connection((await site.ssh.hosts.find('gate')).spec).connectsLastMinute).toBe(0);
  });

  it('tells why a host cannot be looked at as facts, with the cure', async () => {
    const site = siteOf({ down: { address: '127.0.0.1', port: 1 }, unknown: entry('root') });
    const over = { ssh: site.ssh };
    expect(await bench.call('ssh_host_get', { host: 'down' }, over)).toMatchObject({
      headline: 'down could not be looked at',
      facts: {
        login: 'root@127.0.0.1:…',
        state: 'failed 0 s ago',
        failure: { kind: 'unreachable', cure: expect.stringContaining('systemctl status ssh') },
        last_error: { remote: expect.stringContaining('down refused the connection') },
        last_error_at: '2026-11-20T03:10:00Z',
      },
    });
    expect((await bench.call('ssh_host_get', { host: 'unknown' }, over)).facts).toMatchObject({
      failure: { kind: 'untrusted', cure: expect.stringContaining('proxmox-ssh-mcp trust unknown') },
      host_key: { known: [] },
    });
  });

  it('tells how many sessions the server gave, once it refused one', async () => {
    const narrow = await startSshd({ maxSessions: 2 });
    try {
      const site = siteOf({ narrow: entry('psm-bash', narrow) });
      site.know(narrow.hostKeyLine);
      const { spec } = await site.ssh.hosts.find('narrow');
      await Promise.all(Array.from({ length: 6 }, () => site.ssh.run(spec, { script: 'sleep 0.1', timeoutMs: 9_000 })));
      const told = await bench.call('ssh_host_get', { connect: false }, { ssh: site.ssh });
      expect(told.facts).toMatchObject({ sessions_granted: 2 });
    } finally {
      await narrow.stop();
    }
  });

  it('says what of ~/.ssh/config was not followed', async () => {
    const site = siteOf({});
    site.home.write(
      '.ssh/config',
      'Match originalhost web exec "true"\n  ProxyJump x\nHost web\n  HostName 127.0.0.1\n  Port 1\n',
    );
    const over = { ssh: site.ssh };
    const note = /Note: ~\/\.ssh\/config decides by exec \(.*:1\), which is never evaluated\.$/;
    expect((await bench.call('ssh_host_get', { connect: false }, over)).facts).toMatchObject({
      notes: [expect.stringMatching(note)],
    });
    expect(await bench.fails('ssh_exec', { target: 'web', script: 'true' }, over)).toMatchObject({
      kind: 'unreachable',
      hint: expect.stringMatching(note),
    });
  });

  it('says what is wrong with a name', async () => {
    expect(await bench.fails('ssh_host_get', { host: 'nosuch' })).toMatchObject({ kind: 'not-found' });
    expect(
      await bench.fails('ssh_host_get', {}, { ssh: siteOf({ a: { address: 'a' }, b: { address: 'b' } }).ssh }),
    ).toEqual({
      kind: 'invalid-input',
      headline: 'No host was named, 2 are known, and none of them is the default.',
      hint: 'Name one (a, b), or make one the default: ssh_host_set with its name and default true.',
      facts: {},
    });
  });
});
