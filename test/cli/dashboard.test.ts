import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Datacentre, startDatacentre } from '../e2e/datacentre.ts';
import { cli } from './cli.ts';

let dc: Datacentre;
beforeAll(async () => {
  dc = await startDatacentre();
});
afterAll(() => dc.stop());

const run = async (settings: Record<string, string>, ...args: string[]) => {
  const file = (await dc.launch(settings)).args[3] ?? '';
  return cli(['dashboard', '--settings-file', file, ...args], { home: dc.dir });
};

it('writes a page that stands alone, for its owner only, and says where; in every mode and with any tools', async () => {
  const { code, stdout } = await run({ MCP_MODE: 'read-only', MCP_TOOLSETS: 'ssh,pve' });
  expect(code).toBe(0);
  const file = stdout.trim();
  expect(file).toMatch(/exports\/.*dashboard.*\.html$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const page = await readFile(file, 'utf8');
  expect(page).toContain('"name":"keycloak"');
  expect(page).not.toMatch(/src=|href=|url\(|@import/);
});

it('writes it where it is told to', async () => {
  const output = join(dc.dir, 'page.html');
  expect(await run({}, '--output', output)).toMatchObject({ code: 0, stdout: `${output}\n` });
  expect(await readFile(output, 'utf8')).toContain('keycloak');
});

it('follows no link that somebody put where it is written to, and leaves nothing beside it', async () => {
  const [output, victim] = [join(dc.dir, 'shared', 'page.html'), join(dc.dir, 'victim')];
  await mkdir(join(dc.dir, 'shared', 'folder'), { recursive: true });
  await writeFile(victim, 'untouched');
  await symlink(victim, output);
  expect(await run({}, '--output', output)).toMatchObject({ code: 0, stdout: `${output}\n` });
  expect(await readFile(victim, 'utf8')).toBe('untouched');
  expect((await lstat(output)).isFile()).toBe(true);
  expect((await lstat(output)).mode & 0o777).toBe(0o600);
  const ran = await run({}, '--output', join(dc.dir, 'shared', 'folder'));
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toContain('Name another file to --output.');
  expect((await readdir(join(dc.dir, 'shared'))).sort()).toEqual(['folder', 'page.html']);
});

it('says what is wrong, and writes nothing', async () => {
  const output = join(dc.dir, 'none.html');
  const ran = await run({ PROXMOX_PORT: '1' }, '--output', output);
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toMatch(/127\.0\.0\.1/);
  await expect(stat(output)).rejects.toThrow('ENOENT');
});

it('says how to look at it where no browser can be opened', async () => {
  const output = join(dc.dir, 'open.html');
  const ran = await run({}, '--output', output, '--open');
  expect(ran).toMatchObject({ code: 0, stdout: `${output}\n` });
});
