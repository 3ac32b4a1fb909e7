import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Datacentre, startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD } from '../rig/users.ts';
import { cli } from './cli.ts';

interface Finding {
  readonly name: string;
  readonly state: string;
  readonly says: string;
  readonly cure?: string;
}

let datacentre: Datacentre;
let sshd: Sshd;
beforeAll(async () => {
  [datacentre, sshd] = await Promise.all([startDatacentre(), startSshd()]);
});
afterAll(() => Promise.all([datacentre.stop(), sshd.stop()]));

async function doctor(settings: Readonly<Record<string, string>>) {
  const file = (await datacentre.launch(settings)).args[3] ?? '';
  const ran = await cli(['doctor', '--json', '--settings-file', file], { home: datacentre.dir });
  expect(ran.stderr).toBe('');
  const { ok, checks } = JSON.parse(ran.stdout) as { ok: boolean; checks: readonly Finding[] };
  expect(ran.code).toBe(ok ? 0 : 1);
  const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
  const find = (name: string) => checks.find((check) => check.name === name && check.state !== 'ok');
  return { ok, checks, states, find, stdout: ran.stdout };
}

const tokenOf = (name: string): Record<string, string> => {
  const token = datacentre.world.access.tokens.find(({ user, tokenid }) => `${user}!${tokenid}` === name);
  return {
    PROXMOX_USER: token?.user ?? '',
    PROXMOX_TOKEN_NAME: token?.tokenid ?? '',
    PROXMOX_TOKEN_VALUE: token?.value ?? '',
  };
};

const WELL = {
  versions: 'ok',
  settings: 'ok',
  'audit file': 'ok',
  'Claude Code': 'warning',
  API: 'ok',
  'API certificate': 'ok',
  'API token': 'ok',
  privileges: 'ok',
  clock: 'ok',
  'API speed': 'ok',
  'SSH host key': 'ok',
  'SSH login': 'ok',
  pct: 'ok',
  'SSH speed': 'ok',
};

/** Without what is asked only of an API that answers the token. */
const { clock: _clock, 'API speed': _speed, ...WELL_BUT_API } = WELL;

describe.concurrent('doctor', () => {
  it('has one line for each thing that is well, and ends with 0', async () => {
    const file = (await datacentre.launch()).args[3] ?? '';
    const ran = await cli(['doctor', '--settings-file', file], { home: datacentre.dir });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(
      ran.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(':')[0] ?? '')
        .filter((line) => !line.startsWith(' ')),
    ).toEqual(Object.entries(WELL).map(([name, state]) => `${state === 'ok' ? '✓' : '!'} ${name}`));
    expect((await doctor({})).states).toEqual(WELL);
  });

  it('tells in JSON what would act on a terminal, as it is and in ASCII', async () => {
    const file = join(datacentre.dir, 'au\u009bdit\u202e.jsonl');
    const { stdout, checks } = await doctor({ MCP_AUDIT_FILE: file });
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
    expect(checks.find(({ name }) => name === 'audit file')?.says).toContain(file);
  });

  it('shows both fingerprints of a wrong certificate, and goes on with SSH', async () => {
    const { states, find } = await doctor({ PROXMOX_FINGERPRINT: Array(32).fill('AB').join(':') });
    expect(states).toEqual({
      ...WELL_BUT_API,
      'API certificate': 'failed',
      'API token': 'skipped',
      privileges: 'skipped',
    });
    expect(find('API certificate')?.says).toContain(datacentre.api.fingerprint);
    expect(find('API certificate')?.says).toContain('AB:AB:AB');
  });

  it('shows the fingerprint to set when none is set, without a token too', async () => {
    const { states, find } = await doctor({ PROXMOX_FINGERPRINT: '', PROXMOX_TOKEN_VALUE: '' });
    expect(states).toMatchObject({ settings: 'failed', API: 'ok', 'API certificate': 'failed', 'SSH login': 'ok' });
    expect(find('API certificate')?.cure).toContain(`PROXMOX_FINGERPRINT=${datacentre.api.fingerprint}`);
  });

  it.each(['root@pam!expired', 'wrong'])('tells a token that is not accepted: %s', async (name) => {
    const settings = name === 'wrong' ? { PROXMOX_TOKEN_VALUE: '0000-QzXwVk' } : tokenOf(name);
    const { states, find, stdout } = await doctor(settings);
    expect(states).toEqual({ ...WELL_BUT_API, 'API token': 'failed', privileges: 'skipped' });
    expect(find('API token')?.cure).toContain('pveum user token list root@pam');
    expect(stdout).not.toContain('QzXwVk');
  });

  it('names the privileges that tools will miss, with the lines that give them', async ({ expect }) => {
    const { ok, checks } = await doctor(tokenOf('mcp@pve!auditor'));
    expect(ok).toBe(true);
    const told = checks.filter(({ name }) => name === 'privileges');
    expect(told[0]).toMatchInlineSnapshot(`
      {
        "cure": "On the host: pveum acl modify /vms --tokens 'mcp@pve!auditor' --roles PVEVMUser — and, unless mcp@pve has it already: pveum acl modify /vms --users 'mcp@pve' --roles PVEVMUser",
        "name": "privileges",
        "says": "Missing: VM.Backup, VM.Config.Cloudinit, VM.Console, VM.PowerMgmt on /vms, for pve_backup_create, pve_backup_list, pve_backup_restore, pve_guest_configure, pve_guest_power, pve_guest_stop, pve_log.",
        "state": "warning",
      }
    `);
    expect(told.map(({ state }) => state)).toEqual(told.map(() => 'warning'));
    const readOnly = await doctor({ ...tokenOf('mcp@pve!auditor'), MCP_MODE: 'read-only' });
    expect(readOnly.checks.filter(({ name }) => name === 'privileges').map(({ says }) => says)).toMatchInlineSnapshot(`
      [
        "Missing: VM.Backup, VM.Console on /vms, for pve_backup_list, pve_log.",
        "Missing: Sys.Syslog on /nodes, for pve_log.",
        "Missing: Sys.Modify on /nodes, for pve_node_get.",
      ]
    `);
  });

  it('tells of a token that expires soon', async ({ expect }) => {
    const token = datacentre.world.access.tokens.find(({ tokenid }) => tokenid === 'auditor');
    if (!token) throw new Error('the demo has no auditor');
    token.expire = Math.floor(Date.now() / 1000) + 5 * 86_400 + 60;
    const { checks } = await doctor(tokenOf('mcp@pve!auditor'));
    token.expire = 0;
    expect(checks.filter(({ name, state }) => name === 'API token' && state === 'warning')).toMatchInlineSnapshot(`
      [
        {
          "cure": "On the host: pveum user token modify mcp@pve auditor --expire 0, or a later time.",
          "name": "API token",
          "says": "mcp@pve!auditor expires in 5 days.",
          "state": "warning",
        },
      ]
    `);
  });

  it('says where a privilege is held that is not held for all', async ({ expect }) => {
    const { checks } = await doctor(tokenOf('mcp@pve!operator'));
    const told = checks.filter(({ name }) => name === 'privileges').map(({ says }) => says);
    expect(told).toMatchInlineSnapshot(`
      [
        "Missing: Datastore.AllocateSpace on /storage, for pve_backup_create, pve_backup_restore.",
        "Missing: Sys.Syslog on /nodes, for pve_log.",
        "Missing: Sys.Modify on /nodes, for pve_node_get.",
      ]
    `);
  });

  it('fails for a token without any privilege', async () => {
    const { find } = await doctor(tokenOf('mcp@pve!nothing'));
    expect(find('privileges')).toMatchObject({ state: 'failed', says: 'mcp@pve!nothing has none at all.' });
  });

  it('says when nothing listens, and checks what it still can', async () => {
    const { states, find } = await doctor({ PROXMOX_PORT: '1' });
    expect(states).toMatchObject({ API: 'failed', 'API certificate': 'skipped', privileges: 'skipped', pct: 'ok' });
    expect(find('API')?.says).toContain('127.0.0.1:1');
  });

  it('looks at each of several endpoints, and goes on with one that answers', async () => {
    const list = `127.0.0.1:1,127.0.0.1:${datacentre.api.port}`;
    const { ok, checks, states } = await doctor({ PROXMOX_HOST: list });
    expect(ok).toBe(true);
    expect(states).toEqual(WELL);
    expect(checks.filter(({ name }) => name === 'API').map(({ state, says }) => [state, says])).toEqual([
      ['warning', 'No usable answer from 127.0.0.1:1: it refused the connection.'],
      ['ok', `127.0.0.1:${datacentre.api.port} can be reached`],
    ]);
  });

  it('fails when one of several endpoints shows a wrong certificate', async () => {
    const list = `127.0.0.1:1,127.0.0.1:${datacentre.api.port}`;
    const { states } = await doctor({
      PROXMOX_HOST: list,
      PROXMOX_FINGERPRINT: `${'AB'.repeat(32)},${'cd'.repeat(32)}`,
    });
    expect(states).toEqual({
      ...WELL_BUT_API,
      'API certificate': 'failed',
      'API token': 'skipped',
      privileges: 'skipped',
    });
  });

  it('ends by its deadlines when nobody answers', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = String(typeof address === 'object' ? address?.port : 0);
    const begun = performance.now();
    const { states } = await doctor({ PROXMOX_PORT: port, SSH_PORT: port, SSH_CONNECT_TIMEOUT_S: '2' });
    expect(states).toMatchObject({
      API: 'failed',
      'SSH host key': 'failed',
      'SSH login': 'skipped',
      'audit file': 'ok',
    });
    expect(performance.now() - begun).toBeLessThan(15_000);
    silent.close();
  });

  it.each([
    ['', 'is not known', 'proxmox-ssh-mcp trust pve1'],
    ['changed', 'is changed', 'proxmox-ssh-mcp trust pve1 --replace'],
    ['@revoked ', 'is revoked', '@revoked'],
  ])('judges the host key: %s', async (how, says, cure) => {
    const lines = {
      '': '',
      changed: sshd.hostKeyLine.replace(/:\d+/, `:${datacentre.ssh.port}`),
      '@revoked ': `@revoked ${datacentre.ssh.hostKeyLine}`,
    };
    const known = join(datacentre.dir, `known-${says.replaceAll(' ', '-')}`);
    await writePrivate(known, `${lines[how as keyof typeof lines]}\n`);
    const { states, find } = await doctor({ SSH_KNOWN_HOSTS: known });
    expect(states).toMatchObject({ 'API token': 'ok', 'SSH host key': 'failed', 'SSH login': 'skipped' });
    expect(find('SSH host key')?.says).toContain(datacentre.ssh.hostKeyFingerprint);
    expect(find('SSH host key')?.says).toContain(says);
    expect(find('SSH host key')?.cure).toContain(cure);
  });

  it('tells a login that is refused', async () => {
    const { states, find } = await doctor({ SSH_KEY_PATH: sshd.clientKeyPath });
    expect(states).toMatchObject({ 'SSH host key': 'ok', 'SSH login': 'failed', pct: 'skipped' });
    expect(find('SSH login')?.cure).toContain('ssh-copy-id');
  });

  it('tells an audit file that cannot be written', async () => {
    const { find } = await doctor({ MCP_AUDIT_FILE: '/dev/null/audit.jsonl' });
    expect(find('audit file')).toMatchObject({
      state: 'failed',
      says: expect.stringContaining('nothing will be changed'),
    });
  });

  it('tells a settings file that others can read', async () => {
    const file = (await datacentre.launch()).args[3] ?? '';
    chmodSync(file, 0o644);
    const ran = await cli(['doctor', '--settings-file', file], { home: datacentre.dir });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(`✗ settings: The settings file ${file} is open to other users (mode 644)`);
    expect(ran.stdout).toContain(`    Run: chmod 600 '${file}'`);
  });
});

describe.concurrent('doctor at a host where the login is not root', () => {
  const settings = async (user: string): Promise<Record<string, string>> => {
    const known = join(datacentre.dir, `known-${user}`);
    await writePrivate(known, `${sshd.hostKeyLine}\n`);
    const login = { SSH_USER: user, SSH_PORT: String(sshd.port), SSH_KEY_PATH: sshd.clientKeyPath };
    return { MCP_TOOLSETS: 'ssh', SSH_KNOWN_HOSTS: known, PROXMOX_HOST: '', ...login };
  };

  it('tells whether sudo works, and that there is no pct', async () => {
    const { states, find, ok } = await doctor(await settings('psm-bash'));
    expect(states).toMatchObject({ 'SSH login': 'ok', sudo: 'ok', pct: 'warning' });
    expect(find('pct')?.says).toContain('has no pct, so pct_exec cannot reach containers');
    expect(ok).toBe(true);
  });

  it('tries the password for sudo, and never shows it', async () => {
    const dash = await settings('psm-dash');
    const right = await doctor({ ...dash, SSH_SUDO_PASSWORD: DASH_PASSWORD });
    expect(right.states.sudo).toBe('ok');
    const none = await doctor(dash);
    expect(none.find('sudo')).toMatchObject({ state: 'warning', cure: expect.stringContaining('SSH_SUDO_PASSWORD') });
    expect(right.stdout).not.toContain('psm dash');
  });
});

describe('what stands in the way of many commands', () => {
  it('is told of MaxSessions, of fail2ban and of the penalties of sshd', async () => {
    const guarded = await startSshd({ containers: {} });
    const program = (name: string, body: string) => {
      writeFileSync(join(guarded.folder, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    };
    program('sshd', "printf 'port 22\\nmaxsessions 4\\npersourcepenalties crash:90 authfail:5\\n'");
    program('fail2ban-client', "printf 'Status\\n`- Jail list:\\tsshd, pveproxy\\n'");
    const known = join(datacentre.dir, 'known-guarded');
    await writePrivate(known, `${guarded.hostKeyLine}\n`);
    const login = { SSH_USER: 'psm-bash', SSH_PORT: String(guarded.port), SSH_KEY_PATH: guarded.clientKeyPath };
    const told = await doctor({ MCP_TOOLSETS: 'ssh', SSH_KNOWN_HOSTS: known, PROXMOX_HOST: '', ...login });
    await guarded.stop();
    expect(
      told.checks.filter(({ name }) => name === 'SSH limits').map(({ state, says }) => `${state}: ${says}`),
    ).toEqual([
      'warning: MaxSessions is 4: that many commands run at once, and more wait.',
      'ok: fail2ban and PerSourcePenalties of sshd shut out an address that fails to log in again and again',
    ]);
  });
});

describe('what is on this machine', () => {
  it('is told: files that are open to others, and what Claude Code starts', async () => {
    const file = (await datacentre.launch()).args[3] ?? '';
    const key = join(datacentre.dir, 'key');
    chmodSync(key, 0o644);
    await cli(['register', '--settings-file', file], { home: datacentre.dir, env: { PATH: '/nowhere' } });
    const { find, checks } = await doctor({});
    chmodSync(key, 0o600);
    expect(find('file modes')).toEqual({
      name: 'file modes',
      state: 'warning',
      says: `${key} is open to other users (mode 644).`,
      cure: `Run: chmod 600 ${key}`,
    });
    const claude = join(datacentre.dir, '.claude.json');
    expect(checks.find(({ name }) => name === 'Claude Code')?.says).toContain(
      `registered as proxmox-ssh-mcp in ${claude}`,
    );
    const entry = JSON.parse(readFileSync(claude, 'utf8'));
    entry.mcpServers['proxmox-ssh-mcp'].args[0] = '/gone/proxmox-ssh-mcp.js';
    writeFileSync(claude, JSON.stringify(entry));
    const broken = await doctor({});
    expect(broken.find('Claude Code')).toMatchObject({
      state: 'failed',
      says: 'It starts /gone/proxmox-ssh-mcp.js, which is not there.',
    });
    rmSync(claude);
  });
});

describe('the clock of the host', () => {
  it('is told when it is not ours', async () => {
    const { now } = datacentre.world;
    Object.assign(datacentre.world, { now: () => now() + 120_000 });
    const { find } = await doctor({}).finally(() => Object.assign(datacentre.world, { now }));
    expect(find('clock')).toMatchObject({
      state: 'warning',
      says: expect.stringMatching(/^The host's clock is 1[12]\d s ahead of ours\.$/),
    });
  });
});
