import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { bin, cli, type Ran } from './cli.ts';
import { useLab } from './setup-lab.ts';

const lab = useLab('psm-lab');
const { setup, uninstall, everything, onServer, all } = lab;
const at = (name: string) => join(lab.home, name);

/** A port that drops every packet, as a host does that is down: its queue is full and nobody takes from it. */
async function silentPort() {
  const script = `const server = require('net').createServer().listen(0, '127.0.0.1', 1, () => {
    require('fs').writeSync(1, server.address().port + '\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const port = Number(line);
  const held = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await once(held[0] as Socket, 'connect');
  return {
    port,
    stop() {
      for (const socket of held) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

describe('setup in trouble', { timeout: 120_000 }, () => {
  it('says that a host is down, leaves out what it takes one for, and uninstall takes the rest away', async () => {
    const before = all();
    const { port, stop } = await silentPort();
    const { code, stdout, stderr } = await setup('--api-port', `${port}`, '--ssh-port', `${port}`, '--toolsets', 'pve');
    stop();
    expect(code).toBe(1);
    expect(stderr).toMatch(/The API cannot be reached at 127\.0\.0\.1:\d+: nothing answers/);
    expect(stderr).toMatch(/SSH cannot be reached at 127\.0\.0\.1:\d+: nothing answers/);
    expect(stdout).toContain('Looking whether SSH answers …');
    expect(stdout).toMatch(
      /\[2\/7\].*\n +Left out, because the API does not answer\.\n\n\[3\/7\].*\n +Left out, because SSH/,
    );
    expect((await uninstall()).code).toBe(0);
    expect(all()).toEqual(before);
  });

  it.each([
    ['to look', 'user list', 'user list'],
    ['to make the role', 'role add', 'role add ProxmoxSshMcp'],
    ['to make the user', 'user add', 'user add ai@pve'],
    ['to give it access', 'acl modify', 'acl modify /'],
  ])('says that pveum has no right %s, and leaves nothing half made', async (_, words, said) => {
    const before = onServer();
    const allow = lab.pveum.refuse(words);
    try {
      const { code, stderr } = await setup();
      expect(code).toBe(1);
      expect(stderr).toContain(`pveum ${said} failed: 403 Permission check failed`);
    } finally {
      allow();
    }
    await uninstall();
    expect(onServer()).toEqual(before);
  });

  it.each(['role add', 'user add', 'user token add', 'acl modify / --tokens'])(
    'stopped by Ctrl-C during pveum %s, says where it stands, and uninstall takes away what is there',
    async (words) => {
      const before = all();
      const there = lab.pveum.hang(words);
      const child = spawn(process.execPath, [bin, 'setup', ...lab.flags()], {
        env: { ...lab.env(), HOME: lab.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      await there;
      child.kill('SIGINT');
      const [stdout, stderr] = await output;
      expect(child.exitCode).toBe(130);
      expect(stderr).toMatch(/Stopped in the middle of a step\./);
      expect(stdout).toMatch(/What was done so far is in .*setup\.json; it is taken away by: node .* uninstall\n$/);
      const gone = await uninstall();
      expect(gone).toMatchObject({ code: 0 });
      expect(all()).toEqual(before);
    },
  );

  it('leaves a user that was there, and the access that it had', async () => {
    lab.world.access.users.push({ userid: 'there@pve' });
    lab.world.access.acl.push({ path: '/', type: 'user', ugid: 'there@pve', roleid: 'PVEAuditor', propagate: true });
    const before = all();
    expect((await setup('--token-user', 'there@pve', '--access', 'read-only')).code).toBe(0);
    expect(onServer()).not.toEqual(before);
    await uninstall();
    expect(all()).toEqual(before);
  });
});

describe('moving in', { timeout: 120_000 }, () => {
  const OLD = {
    numStartups: 1,
    mcpServers: {
      proxmox: { command: 'node', args: ['index.js'], env: { PROXMOX_HOST: '127.0.0.1', PROXMOX_USER: 'root@pam' } },
      'ssh-server': { command: 'npx', args: ['-y', 'ssh-mcp', '--', '--host=127.0.0.1', `--user=${lab.user}`] },
      weather: { command: 'weather' },
    },
  };
  const names = () => Object.keys(JSON.parse(readFileSync(at('.claude.json'), 'utf8')).mcpServers);

  it.each([
    ['leave', ['proxmox', 'ssh-server', 'weather', 'proxmox-ssh-mcp']],
    ['remove', ['weather', 'proxmox-ssh-mcp']],
  ])('finds the entries of other servers, and with --old-entries %s does so', async (what, left) => {
    writeFileSync(at('.claude.json'), JSON.stringify(OLD, null, 2), { mode: 0o600 });
    const before = all();
    const { code, stdout } = await setup('--old-entries', what);
    expect(code).toBe(0);
    expect(stdout).toContain('Found gilby125/mcp-proxmox (proxmox in ~/.claude.json): its settings are offered.');
    expect(stdout).toContain('Found tufantunc/ssh-mcp (ssh-server in ~/.claude.json): its settings are offered.');
    expect(names()).toEqual(left);
    await uninstall();
    expect(all()).toEqual(before);
  });

  it('puts entries back where they were when the file has changed since', async () => {
    writeFileSync(at('.claude.json'), JSON.stringify(OLD, null, 2), { mode: 0o600 });
    await setup('--old-entries', 'remove');
    writeFileSync(at('.claude.json'), readFileSync(at('.claude.json'), 'utf8').replace('Startups": 1', 'Startups": 2'));
    await uninstall();
    expect(JSON.parse(readFileSync(at('.claude.json'), 'utf8'))).toEqual({ ...OLD, numStartups: 2 });
  });
});

describe('uninstall', { timeout: 120_000 }, () => {
  it('without its record looks in the known places, and names what it cannot know', async () => {
    writeFileSync(at('.claude.json'), '{\n  "numStartups": 3,\n  "mcpServers": {}\n}\n');
    mkdirSync(at('.ssh'));
    const before = everything();
    await setup();
    rmSync(at('.config/proxmox-ssh-mcp/setup.json'));
    const { code, stdout } = await uninstall();
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Nothing says who made the token ai@pve!claude, so it stays. To remove it: pveum user token remove ai@pve claude',
    );
    const { '.claude.json.bak': copy, ...after } = everything();
    expect(copy).toBe(before['.claude.json']);
    expect(after).toEqual(before);
    expect(onServer().keys).not.toContain('ssh-ed25519');
  });

  it('leaves settings and a key that somebody else made', async () => {
    mkdirSync(at('.config/proxmox-ssh-mcp'));
    writeFileSync(at('.config/proxmox-ssh-mcp/.env'), 'PROXMOX_HOST=pve\n', { mode: 0o600 });
    mkdirSync(at('.ssh'));
    writeFileSync(at('.ssh/proxmox_mcp'), 'key', { mode: 0o600 });
    writeFileSync(at('.ssh/proxmox_mcp.pub'), 'ssh-ed25519 AAAA me@laptop');
    const before = everything();
    expect((await uninstall()).code).toBe(0);
    expect(everything()).toEqual(before);
  });

  it('keeps the key while the server cannot be reached, and takes all away once it can', async () => {
    const before = all();
    await setup();
    const record = readFileSync(at('.config/proxmox-ssh-mcp/setup.json'), 'utf8');
    writeFileSync(at('.config/proxmox-ssh-mcp/setup.json'), record.replaceAll(`"port": ${lab.sshd.port}`, '"port": 1'));
    const { code, stdout } = await uninstall();
    expect(code).toBe(1);
    expect(stdout).toContain('The key and the settings stay, because they are needed for what is left on the server.');
    const left = readFileSync(at('.config/proxmox-ssh-mcp/setup.json'), 'utf8');
    writeFileSync(at('.config/proxmox-ssh-mcp/setup.json'), left.replaceAll('"port": 1,', `"port": ${lab.sshd.port},`));
    expect((await uninstall()).code).toBe(0);
    expect(all()).toEqual(before);
  });
});

describe('bin/install.sh', { timeout: 180_000 }, () => {
  const script = resolve(import.meta.dirname, '../../bin/install.sh');
  async function install(...args: string[]): Promise<Ran> {
    const child = spawn('bash', [script, '--yes', ...args], {
      env: { ...lab.env(), HOME: lab.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: child.exitCode, stdout, stderr };
  }

  it('goes from a clean home to a server that works, twice, and --uninstall back', async () => {
    writeFileSync(at('.claude.json'), '{\n  "numStartups": 3\n}\n', { mode: 0o600 });
    const before = all();
    const first = await install(...lab.flags());
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('\nIt works.\n') });
    const after = all();
    const doctor = await cli(['doctor', '--json'], { home: lab.home, env: lab.env() });
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true });
    expect((await install(...lab.flags())).code).toBe(0);
    expect(all()).toEqual(after);
    const gone = await install('--uninstall');
    expect(gone).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/Nothing of it is left but its logs/),
    });
    expect(all()).toEqual(before);
  });
});
