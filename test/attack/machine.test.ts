import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import { createHosts } from '../../src/config/inventory.ts';
import { readSshConfig } from '../../src/config/sshconfig.ts';
import { saveFilesIn } from '../../src/present/exports.ts';
import { saveInto } from '../../src/present/outputs.ts';
import { keepSecretsIn } from '../../src/present/secrets.ts';
import { Home } from '../config/home.ts';
import { type Connected, connect } from '../e2e/clients.ts';
import { bin, type Datacentre, startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { runAsRoot } from '../rig/users.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'psm-attack-'));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true });
});

describe('another user of this machine', () => {
  it('reads no output, though the folder for outputs is one for everybody', async () => {
    const everybody = folder();
    chmodSync(everybody, 0o1777);
    const file = (await saveInto(everybody)('secret output')) ?? '';
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // Others need it: /tmp with mode 0700 is the end of a machine.
    expect(statSync(everybody).mode & 0o7777).toBe(0o1777);
  });

  it('has no page, export or password kept in a folder of theirs, where they could put another one in its place', async () => {
    const theirs = folder();
    runAsRoot(['chown', '12345', theirs]);
    runAsRoot(['chmod', '777', theirs]);
    const keep = keepSecretsIn(theirs, () => undefined);
    await expect(keep('CT 101')).rejects.toThrow('the folder belongs to another user');
    await expect(saveFilesIn(theirs)('page.html', '')).rejects.toThrow('the folder belongs to another user');
    expect(readdirSync(theirs)).toEqual([]);
  });

  it('leads no output elsewhere by a link that has its name: names are made by chance, and never written over', async () => {
    const shared = folder();
    const victim = join(folder(), 'victim');
    writeFileSync(victim, 'untouched');
    const first = (await saveInto(shared)('one')) ?? '';
    for (let i = 0; i < 100; i++) symlinkSync(victim, join(shared, `output-${i}.txt`));
    for (let i = 0; i < 20; i++) await saveInto(shared)('two');
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect(readFileSync(first, 'utf8')).toBe('one');
  });
});

const PASSWORDS = { SSH_PASSWORD: 'the password', SSH_SUDO_PASSWORD: 'for sudo' };

/** The hosts of a home folder with these files, and these nodes of the cluster. */
function hostsOf(files: Readonly<Record<string, string>>, nodes: readonly { name: string; address: string }[] = []) {
  const home = new Home();
  for (const [name, text] of Object.entries(files)) home.write(name, text);
  const env = { ...PASSWORDS, PROXMOX_HOST: 'pve.example.com', MCP_INVENTORY_FILE: join(home.path, 'hosts.json') };
  return createHosts(home.load({ env }), { ...ground(), home: home.path, nodes: async () => nodes });
}

describe('files that ~/.ssh/config includes from elsewhere', () => {
  it('that include one another twice over are read up to a number, and that is told', () => {
    const home = new Home();
    for (let i = 0; i < 30; i++) home.write(`repo/${i}`, `Include ~/repo/${i + 1}\nInclude ~/repo/${i + 1}\n`);
    const file = home.write('.ssh/config', 'Include ~/repo/0\nHost kept\n  Port 2222\n');
    const began = performance.now();
    const config = readSshConfig(file, ground(), { home: home.path });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(config.problems.map(({ cause }) => cause).join()).toContain('More than 1000 files are included');
    expect(config.lookup('kept').port).toBe(2222);
  });

  it('run no program, give no password to whom they name, and accept no key', async () => {
    const owned = join(folder(), 'owned');
    const evil = [
      'Host gitea',
      '  HostName 203.0.113.66',
      `  ProxyCommand sh -c "touch ${owned}"`,
      'Host web',
      '  HostName 203.0.113.66',
      `Match exec "touch ${owned}"`,
      '  User evil',
      'Host *',
      '  StrictHostKeyChecking no',
      '  UserKnownHostsFile /dev/null',
      '  PermitLocalCommand yes',
      `  LocalCommand touch ${owned}`,
      '  ForwardAgent yes',
      '  PKCS11Provider /tmp/evil.so',
    ];
    const hosts = hostsOf({ '.ssh/config': 'Include ~/repo/ssh\n', 'repo/ssh': evil.join('\n') });
    await expect(hosts.find('gitea')).rejects.toThrow('ProxyCommand');
    const { spec } = await hosts.find('web');
    expect(spec).toMatchObject({ address: '203.0.113.66', password: undefined, sudoPassword: undefined });
    expect(spec.user).not.toBe('evil');
    expect(JSON.stringify(spec)).not.toMatch(/StrictHostKey|UserKnownHosts|evil/);
    expect(existsSync(owned)).toBe(false);
  });
});

describe('an inventory file that somebody else wrote into', () => {
  it('gets no password for a host by the name of a node, whether the API tells of that yet or not', async () => {
    const files = { 'hosts.json': JSON.stringify({ hosts: { pve2: { address: '203.0.113.66' } } }) };
    for (const nodes of [[], [{ name: 'pve2', address: '192.0.2.2' }]]) {
      const { spec, source } = await hostsOf(files, nodes).find('pve2');
      expect(source).toBe('inventory');
      expect([spec.password, spec.sudoPassword]).toEqual([undefined, undefined]);
    }
    const { spec } = await hostsOf({}, [{ name: 'pve2', address: '192.0.2.2' }]).find('pve2');
    expect(spec.password?.reveal()).toBe('the password');
  });

  it('is refused as a whole with a field that nobody knows, such as a command to run', async () => {
    const web = { address: '203.0.113.66', proxyCommand: 'sh -c id' };
    const inventory = hostsOf({ 'hosts.json': JSON.stringify({ hosts: { web } }) });
    await expect(inventory.find('web')).rejects.toMatchObject({ kind: 'not-found' });
    expect(inventory.problems()[0]?.cause).toContain('proxyCommand');
  });
});

describe('a hostile project folder that the server is started in', () => {
  let dc: Datacentre;
  let client: Connected | undefined;
  beforeAll(async () => {
    dc = await startDatacentre();
  });
  afterEach(async () => {
    await client?.close();
    client = undefined;
  });
  afterAll(() => dc.stop());

  it('has no say: its .env, .npmrc, packages and node_modules are not read', async () => {
    const project = folder();
    const marker = join(project, 'owned');
    const evil = `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`;
    writeFileSync(join(project, '.env'), 'PROXMOX_HOST=203.0.113.66\nMCP_MODE=trusted\nSSH_HOST=203.0.113.66\n');
    writeFileSync(
      join(project, '.npmrc'),
      `node-options=--require ${join(project, 'evil.cjs')}\nscript-shell=/bin/false\n`,
    );
    writeFileSync(join(project, 'evil.cjs'), evil);
    writeFileSync(join(project, 'package.json'), '{"type":"commonjs","imports":{"#x":"./evil.cjs"}}');
    for (const name of ['undici', 'ssh2', 'zod', 'diff', '@napi-rs/keyring', 'proxmox-ssh-mcp']) {
      const place = join(project, 'node_modules', name);
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'index.js'), evil);
      writeFileSync(join(place, 'package.json'), `{"name":"${name}","main":"index.js"}`);
    }
    const launch = await dc.launch({ MCP_TOOLSETS: 'full' });
    client = await connect('v2-2026', {
      command: '/bin/sh',
      args: ['-c', 'cd "$0" && exec "$@"', project, launch.command, ...launch.args],
      env: launch.env,
    });
    const { facts } = await client.call('server_status');
    expect(facts).toMatchObject({ mode: 'guarded', api: { endpoint: `127.0.0.1:${dc.api.port}`, state: 'connected' } });
    expect(await client.call('ssh_exec', { target: 'pve1', script: 'id -un' })).toMatchObject({ isError: false });
    await client.call('ssh_file_edit', {
      target: 'pve1',
      path: '/etc/motd',
      edits: [{ old_text: 'a', new_text: 'b' }],
    });
    expect(existsSync(marker)).toBe(false);
  });

  it('gets no request by way of a proxy that the environment names', async () => {
    let visitors = 0;
    const proxy = createServer((socket) => {
      visitors += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    const url = `http://127.0.0.1:${port}`;
    const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'npm_config_proxy'];
    const env = { ...Object.fromEntries(names.map((name) => [name, url])), NODE_USE_ENV_PROXY: '1' };
    client = await connect('v2-2026', await dc.launch({}, env));
    expect(await client.call('pve_overview')).toMatchObject({ isError: false });
    proxy.close();
    expect(visitors).toBe(0);
  });

  it('is no place for its own settings: one that others can read, or that is a link to such a one, is not used', async () => {
    const place = folder();
    const open = join(place, 'open.env');
    writeFileSync(open, 'MCP_MODE=trusted\n', { mode: 0o644 });
    chmodSync(open, 0o644);
    symlinkSync(open, join(place, 'link.env'));
    for (const file of [open, join(place, 'link.env')]) {
      const launch = { command: process.execPath, args: [bin, 'serve', '--settings-file', file], env: { HOME: place } };
      client = await connect('v2-2026', launch);
      const { facts } = await client.call('server_status');
      expect(facts.mode).not.toBe('trusted');
      expect(JSON.stringify(facts)).toContain('chmod 600');
      await client.close();
    }
    await writePrivate(open, 'MCP_MODE=ask\n');
    client = await connect('v2-2026', {
      command: process.execPath,
      args: [bin, 'serve', '--settings-file', open],
      env: { HOME: place },
    });
    expect((await client.call('server_status')).facts.mode).toBe('ask');
  });
});
