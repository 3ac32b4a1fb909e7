import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bin, cli } from './cli.ts';

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'psm-home-')));
  mkdirSync(join(home, '.config/proxmox-ssh-mcp'), { recursive: true });
  writeFileSync(join(home, '.config/proxmox-ssh-mcp/.env'), '', { mode: 0o600 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const file = (name = '.claude.json') => join(home, name);
const read = (name?: string) => readFileSync(file(name), 'utf8');
/** No `claude` is in this PATH. */
const bare = { PATH: '/nowhere' };
const run = (args: readonly string[], env: Record<string, string> = bare) => cli(args, { home, env });
/** Every file of the home with its text and mode. */
const everything = () =>
  Object.fromEntries(
    readdirSync(home, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(file(name)).isFile())
      .map((name) => [name, `${(statSync(file(name)).mode & 0o777).toString(8)} ${read(name)}`]),
  );
const entry = () => ({
  type: 'stdio',
  command: process.execPath,
  args: [bin, '--settings-file', join(home, '.config/proxmox-ssh-mcp/.env')],
});

const OTHERS =
  '{\n  "numStartups": 7, "odd":  [1,2],\n  "mcpServers": {\n    "proxmox": { "command": "node", "args": ["index.js"] }\n  }\n}\n';

describe('register', () => {
  it('puts nothing but a command and a path into the file, keeps a backup, and unregister takes all of it out', async () => {
    writeFileSync(file(), OTHERS, { mode: 0o640 });
    const before = everything();
    expect(await run(['register'])).toEqual({
      code: 0,
      stdout:
        `Registered proxmox-ssh-mcp in Claude Code (${file()}; ${file()}.bak is the file as it was). ` +
        'In Claude Code, /mcp shows it.\n',
      stderr: '',
    });
    expect(JSON.parse(read()).mcpServers['proxmox-ssh-mcp']).toEqual(entry());
    expect(read()).toContain('"numStartups": 7, "odd":  [1,2],');
    expect(statSync(file()).mode & 0o777).toBe(0o640);
    expect(read('.claude.json.bak')).toBe(OTHERS);
    const again = everything();
    expect((await run(['register'])).stdout).toMatch(/^proxmox-ssh-mcp is registered in Claude Code already/);
    expect(everything()).toEqual(again);
    expect((await run(['unregister'])).stdout).toBe(`Took proxmox-ssh-mcp out of ${file()}.\n`);
    expect(everything()).toEqual(before);
  });

  it('makes the file of a client that has none, and unregister leaves none', async () => {
    const before = everything();
    for (const client of ['claude-code', 'claude-desktop', 'cursor', 'vscode']) {
      expect(await run(['register', '--client', client]), client).toMatchObject({ code: 0, stderr: '' });
    }
    expect(JSON.parse(read('.config/Code/User/mcp.json')).servers['proxmox-ssh-mcp']).toEqual(entry());
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect((await run(['unregister'])).stdout.trim().split('\n')).toHaveLength(4);
    expect(everything()).toEqual(before);
    expect((await run(['unregister'])).stdout).toBe('It is registered nowhere.\n');
  });

  it('leaves what others wrote in the meantime', async () => {
    writeFileSync(file(), '{"a":1}');
    await run(['register']);
    writeFileSync(file(), read().replace('"a":1', '"a":2'));
    await run(['unregister']);
    expect(JSON.parse(read())).toEqual({ a: 2 });
  });

  it('finds its entries without a record', async () => {
    writeFileSync(file(), OTHERS);
    await run(['register', '--name', 'pve']);
    rmSync(join(home, '.config/proxmox-ssh-mcp/setup.json'));
    writeFileSync(file('.cursor-is-broken'), '');
    expect((await run(['unregister'])).stdout).toBe(`Took pve out of ${file()}.\n`);
    expect(read()).toBe(OTHERS);
  });

  it('writes through a symbolic link', async () => {
    mkdirSync(file('dotfiles'));
    writeFileSync(file('dotfiles/claude.json'), '{}');
    symlinkSync('dotfiles/claude.json', file());
    await run(['register']);
    expect(JSON.parse(read('dotfiles/claude.json')).mcpServers).toHaveProperty('proxmox-ssh-mcp');
  });

  it('shows what it would write, and writes nothing', async () => {
    const before = everything();
    const { stdout } = await run(['register', '--show-config', '--client', 'vscode']);
    expect(JSON.parse(stdout.slice(stdout.indexOf('{')))).toEqual({ servers: { 'proxmox-ssh-mcp': entry() } });
    expect(everything()).toEqual(before);
  });

  it.each([
    [
      'a name that another server has',
      OTHERS,
      0o600,
      /has another server by the name of proxmox\. Choose another name/,
    ],
    ['a file that is no JSON', '{"a":1,}', 0o600, /is not valid JSON.*Nothing was changed in it/],
    ['a file that is read-only', '{}', 0o400, /could not be written: it is read-only\. It is as it was/],
  ])('refuses %s, and nothing is changed', async (_, text, mode, why) => {
    writeFileSync(file(), text);
    chmodSync(file(), mode);
    const before = everything();
    const { code, stderr } = await run(['register', '--name', 'proxmox']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(why) });
    expect(everything()).toEqual(before);
  });

  it('says --replace to put it in the place of another one, whose entry comes back', async () => {
    writeFileSync(file(), OTHERS);
    await run(['register', '--name', 'proxmox', '--replace']);
    expect(JSON.parse(read()).mcpServers).toEqual({ proxmox: entry() });
    await run(['unregister']);
    expect(read()).toBe(OTHERS);
  });
});

describe('unregister', () => {
  it('puts back nothing that others changed since the file was copied', async () => {
    writeFileSync(file(), '{"a":1}');
    await run(['register']);
    writeFileSync(file(), read().replace('"a":1', '"a":2,"new":true'));
    writeFileSync(file(), read().replace('--settings-file', '--elsewhere'));
    await run(['register']);
    await run(['unregister']);
    expect(JSON.parse(read())).toEqual({ a: 2, new: true });
  });

  it('leaves a copy alone that has become the work of somebody else', async () => {
    writeFileSync(file(), '{"a":1}');
    await run(['register']);
    writeFileSync(file('.claude.json.bak'), read());
    await run(['unregister']);
    expect(JSON.parse(read())).toEqual({ a: 1 });
    expect(JSON.parse(read('.claude.json.bak')).mcpServers).toHaveProperty('proxmox-ssh-mcp');
  });

  it('gives back what it stood in the place of, when the file has changed since', async () => {
    writeFileSync(file(), OTHERS);
    await run(['register', '--name', 'proxmox', '--replace']);
    writeFileSync(file(), read().replace('"numStartups": 7', '"numStartups": 8'));
    await run(['unregister']);
    expect(JSON.parse(read())).toEqual({ ...JSON.parse(OTHERS), numStartups: 8 });
  });

  it('takes several out in the order that brings the file back', async () => {
    writeFileSync(file(), OTHERS);
    await run(['register', '--name', 'one']);
    await run(['register', '--name', 'two']);
    await run(['unregister']);
    expect(read()).toBe(OTHERS);
  });
});

describe('with the program of Claude Code in PATH', () => {
  /** Does what `claude mcp` does with the file, and notes how it was called. */
  const CLAUDE = `#!${process.execPath}
    const fs = require('fs');
    const file = process.env.HOME + '/.claude.json';
    const [, verb, , scope, name, json] = process.argv.slice(2);
    fs.appendFileSync(process.env.HOME + '/calls', JSON.stringify(process.argv.slice(2)) + '\\n');
    if (fs.existsSync(process.env.HOME + '/broken')) { console.error('Error: out of order'); process.exit(1); }
    const value = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
    value.mcpServers ??= {};
    if (verb === 'remove') delete value.mcpServers[name];
    else if (value.mcpServers[name]) { console.error('already exists'); process.exit(1); }
    else value.mcpServers[name] = { ...JSON.parse(json), env: {} };
    fs.writeFileSync(file, JSON.stringify(value));
  `;
  const withClaude = () => {
    mkdirSync(file('bin'));
    writeFileSync(file('bin/claude'), CLAUDE, { mode: 0o755 });
    return { PATH: file('bin') };
  };
  const calls = () =>
    read('calls')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('lets it add and remove the entry', async () => {
    const env = withClaude();
    expect((await run(['register'], env)).stdout).toMatch(
      /^Registered proxmox-ssh-mcp in Claude Code by "claude mcp add-json"/,
    );
    expect((await run(['register'], env)).stdout).toMatch(/already/);
    await run(['unregister'], env);
    expect(calls()).toEqual([
      ['mcp', 'add-json', '--scope', 'user', 'proxmox-ssh-mcp', JSON.stringify(entry())],
      ['mcp', 'remove', '--scope', 'user', 'proxmox-ssh-mcp'],
    ]);
    expect(existsSync(join(home, '.config/proxmox-ssh-mcp/setup.json'))).toBe(false);
  });

  it('edits the file itself when that fails, and says so', async () => {
    const env = withClaude();
    writeFileSync(file('broken'), '');
    const { code, stdout, stderr } = await run(['register'], env);
    expect(stderr).toBe('proxmox-ssh-mcp: claude mcp add-json: Error: out of order; the file is edited instead.\n');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Registered/) });
    expect((await run(['unregister'], env)).code).toBe(0);
    expect(existsSync(file())).toBe(false);
    expect(dirname(file())).toBe(home);
  });
});
