import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figure, tally } from '../figures.ts';
import { claudeCode, OFFLINE } from '../rig/claude.ts';
import { connect, eras } from './clients.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

let folder: string;
let tarball: string;
let files: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'psm-pack-'));
  // What is built already is packed: npm test builds first, and other tests run from dist meanwhile.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root });
  const [{ filename, files: packed }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, filename);
  files = packed.map(({ path }) => path).sort();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const allowed = [
  /^bin\/proxmox-ssh-mcp\.js$/,
  /^dist\/main\.js$/,
  /^dist\/pages\/[a-z]+\.html$/,
  /^dist\/chunks\/[\w.-]+\.js$/,
  /^dist\/THIRD_PARTY_NOTICES\.txt$/,
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|\.env\.example)$/,
];

/** Installs the tarball into an empty folder, without a network, and gives the started program's path. */
async function installed(name: string): Promise<string> {
  const place = join(folder, name);
  await mkdir(place);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--omit=optional'];
  await run('npm', ['install', '--offline', '--prefix', place, ...quiet, tarball], { cwd: place });
  return join(place, 'node_modules/.bin/proxmox-ssh-mcp');
}

describe('guarantee 28: the packed tarball', () => {
  it('holds the program, its licences and the documents, and nothing else', async () => {
    expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
    const pages = await readdir(join(root, 'src/pages'));
    const always = [
      ...['bin/proxmox-ssh-mcp.js', 'dist/main.js', 'dist/THIRD_PARTY_NOTICES.txt', '.env.example'],
      ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'],
      ...pages.filter((page) => page.endsWith('.html')).map((page) => `dist/pages/${page}`),
    ];
    expect(files.filter((file) => !file.startsWith('dist/chunks/'))).toEqual(always.sort());
  });

  it('holds no path of the machine it was built on, no key and no source map', async () => {
    const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
    const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----(\n|\\n)[A-Za-z0-9+/]{40}/;
    const suspect = (text: string) => text.includes(root) || text.includes('sourceMappingURL=') || key.test(text);
    expect(files.filter((_file, i) => suspect(texts[i] ?? ''))).toEqual([]);
  });

  it('names every package that is bundled, with its licence', async () => {
    const notices = await readFile(join(root, 'dist/THIRD_PARTY_NOTICES.txt'), 'utf8');
    for (const name of ['@modelcontextprotocol/server', 'ssh2', 'undici', 'zod', 'just-bash', 'commander']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|Apache-2\\.0)\\)$`, 'm'));
    }
    expect(notices).not.toContain('undefined');
  });

  it('needs no other package and no install script; the keychain alone takes one, which may be missing', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.optionalDependencies).toEqual({ '@napi-rs/keyring': expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect(Object.keys(manifest.scripts).filter((name) => /install|prepare/.test(name))).toEqual([]);
    await installed('alone');
    const packages = await readdir(join(folder, 'alone/node_modules'));
    expect(packages.filter((name) => !name.startsWith('.'))).toEqual(['proxmox-ssh-mcp']);
  });

  it.each(eras)('serves a client of each SDK generation from an empty folder (%s)', async (era) => {
    const command = await installed(era);
    const client = await connect(era, { command, args: [], env: { PATH: process.env.PATH ?? '', HOME: folder } });
    try {
      const names = (await client.tools()).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['pve_overview', 'pct_exec', 'server_status']));
      expect(await client.call('server_status')).toMatchObject({ isError: false });
      tally(28, 'kinds of client served from the packed tarball', 1);
    } finally {
      await client.close();
    }
  });

  it('serves the newest Claude Code', { timeout: 600_000 }, async () => {
    const command = await installed('claude');
    const claude = join(await claudeCode(), 'claude');
    const home = join(folder, 'claude');
    const options = { cwd: home, env: { ...OFFLINE, HOME: home, PATH: '/usr/bin:/bin' } };
    await run(claude, ['mcp', 'add', '--scope', 'user', 'packed', command], options);
    expect((await run(claude, ['mcp', 'list'], options)).stdout).toMatch(/^packed: .* - ✔ Connected$/m);
    const { stdout: version } = await run(claude, ['--version'], options);
    tally(28, 'kinds of client served from the packed tarball', 1);
    figure(28, `${version.trim()} among them`);
  });

  it('plays the demo: everything that is loaded late is in it', async () => {
    const command = await installed('demo');
    const env = { PATH: process.env.PATH ?? '', HOME: folder };
    const { stdout } = await run(command, ['demo'], { cwd: folder, env });
    expect(stdout).toMatch(/8 calls +\d+\.\d s/);
  }, 60_000);
});
