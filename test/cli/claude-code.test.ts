import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDatacentre } from '../e2e/datacentre.ts';
import { startHttp } from '../e2e/http-server.ts';
import { claudeCode, OFFLINE } from '../rig/claude.ts';
import { cli } from './cli.ts';

const run = promisify(execFile);
const SECRET = '11111111-2222-4333-8444-555555555555';
const SETTINGS = `PROXMOX_HOST=127.0.0.1:1\nPROXMOX_USER=mcp@pve\nPROXMOX_TOKEN_NAME=claude\nPROXMOX_TOKEN_VALUE=${SECRET}\n`;

let programs: string;
let home: string;
beforeAll(async () => {
  programs = await claudeCode();
}, 600_000);
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'psm-claude-')));
  mkdirSync(join(home, '.config/proxmox-ssh-mcp'), { recursive: true });
  writeFileSync(join(home, '.config/proxmox-ssh-mcp/.env'), SETTINGS, { mode: 0o600 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const env = () => ({ ...OFFLINE, HOME: home, PATH: `${programs}:/usr/bin:/bin` });
/** What Claude Code says; a failure of it is one of the test. */
const claude = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await run(join(programs, 'claude'), args, { env: env(), cwd: home });
  return stdout + stderr;
};
/** Ours, with `claude` in PATH or without. */
const ours = (command: string, seen: boolean) => cli([command], { home, env: seen ? env() : { PATH: '/nowhere' } });
const file = () => readFileSync(join(home, '.claude.json'), 'utf8');
/** All that is not the list of servers. */
const others = (): object => ({ ...JSON.parse(file()), mcpServers: undefined });

/** Claude Code has been here, with a server of its user's own. */
async function used(): Promise<void> {
  await claude('mcp', 'list');
  await claude('mcp', 'add', '--scope', 'user', 'weather', '/bin/false');
  const known = { ...JSON.parse(file()), numStartups: 42, projects: { '/home/me': { allowedTools: ['Bash'] } } };
  writeFileSync(join(home, '.claude.json'), JSON.stringify(known, null, 2));
}

describe('the real Claude Code', { timeout: 120_000 }, () => {
  it.each([
    ['a home of its own, told by its own command', true, false],
    ['a home of its own, by an edit of its file', false, false],
    ['a home that it was used in, told by its own command', true, true],
    ['a home that it was used in, by an edit of its file', false, true],
  ])('starts the server in %s', async (_, seen, before) => {
    if (before) await used();
    const known = before ? others() : {};
    const { code, stdout } = await ours('register', seen);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Registered proxmox-ssh-mcp/) });
    expect(stdout.includes('by "claude mcp add-json"')).toBe(seen);
    expect(await claude('mcp', 'list')).toMatch(/^proxmox-ssh-mcp: .* - ✔ Connected$/m);
    const entry = await claude('mcp', 'get', 'proxmox-ssh-mcp');
    expect(entry).toMatch(/Scope: User config.*Status: ✔ Connected/s);
    expect(entry + file()).not.toContain(SECRET);
    expect(others()).toMatchObject(known);
    expect((await ours('register', true)).stdout).toMatch(/is registered in Claude Code already/);

    expect(await claude('mcp', 'remove', 'proxmox-ssh-mcp')).toMatch(/Removed MCP server "?proxmox-ssh-mcp/);
    expect((await ours('unregister', seen)).stdout).toMatch(/is not in .* any more/);
    expect(existsSync(join(home, '.config/proxmox-ssh-mcp/setup.json'))).toBe(false);
    expect(Object.keys(JSON.parse(file()).mcpServers)).toEqual(before ? ['weather'] : []);
    expect(others()).toMatchObject(known);
  });

  it.each([true, false])('has it no more after unregister (its command is seen: %s)', async (seen) => {
    await used();
    const known = others();
    await ours('register', seen);
    await ours('unregister', seen);
    expect(await claude('mcp', 'list')).not.toContain('proxmox-ssh-mcp');
    expect(Object.keys(JSON.parse(file()).mcpServers)).toEqual(['weather']);
    expect(others()).toMatchObject(known);
  });

  it('reaches the server over HTTP as docs/http.md says, and prints no token', async () => {
    const dc = await startDatacentre();
    const http = await startHttp(dc);
    const header = `Authorization: Bearer \${PVE_MCP_TOKEN}`;
    const more = { NO_PROXY: '127.0.0.1', PVE_MCP_TOKEN: http.token };
    try {
      await claude('mcp', 'add', '--transport', 'http', 'proxmox', http.url, '--header', header);
      const there = { env: { ...env(), ...more }, cwd: home };
      expect((await run(join(programs, 'claude'), ['mcp', 'list'], there)).stdout).toMatch(
        /^proxmox: .* ✔ Connected$/m,
      );
      const { stdout } = await run(join(programs, 'claude'), ['mcp', 'get', 'proxmox'], there);
      expect(stdout).toContain(header);
      expect(stdout + file()).not.toContain(http.token);
    } finally {
      await http.stop();
      await dc.stop();
    }
  });
});
