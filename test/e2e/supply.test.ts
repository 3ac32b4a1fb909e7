import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled, licenceOf, packagesOf } from '../../scripts/bundled.mjs';
import { figure } from '../figures.ts';
import { connect } from './clients.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const parsed = async (file: string) => JSON.parse(await readFile(join(root, file), 'utf8'));

interface Locked {
  readonly version: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
}

let lock: Readonly<Record<string, Locked>>;
/** Folders of the packages that are in the bundle, and of those that come in one of them. */
let inside: readonly string[];

const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 13);
const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();

beforeAll(async () => {
  lock = (await parsed('package-lock.json')).packages;
  inside = bundled(root, await parsed('reports/bundled.json'));
});

describe('guarantee 28: what is bundled', () => {
  it('comes from the registry, each with a hash, and has a licence that may be passed on', () => {
    const allowed = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Unlicense'];
    const odd = inside.filter((folder) => {
      const { resolved, integrity } = lock[folder] ?? {};
      // No address: the registry, whichever that is here.
      const fromRegistry = (resolved ?? 'https://registry.npmjs.org/').startsWith('https://registry.npmjs.org/');
      return !fromRegistry || !integrity?.startsWith('sha512-') || !allowed.includes(licenceOf(root, folder) ?? '');
    });
    expect(odd).toEqual([]);
    figure(28, `${inside.length} bundled packages, each with a hash and a licence of the allow-list`);
  });

  it('needs no install script: what there is of them builds what is not bundled', async () => {
    // An add-on for ssh2 that is left out, and its builder; ssh2's own script tries to build another.
    const known = ['cpu-features', 'esbuild', 'fsevents', 'msw', 'ssh2', '@mongodb-js/zstd', 'node-liblzma'];
    const scripted = Object.entries(lock).filter(([, { hasInstallScript }]) => hasInstallScript);
    expect(scripted.map(([folder]) => nameOf(folder)).filter((name) => !known.includes(name))).toEqual([]);
    expect(inside.map(nameOf).filter((name) => lock[`node_modules/${name}`]?.hasInstallScript)).toEqual(['ssh2']);
    expect(await readdir(join(root, 'dist')).then((names) => names.filter((name) => /\.node$/.test(name)))).toEqual([]);
  });

  it('installs with the user nothing but what the keychain needs, none of it with a script', () => {
    const taken = Object.entries(lock).filter(([folder, { dev }]) => folder && !dev);
    expect(taken.map(([folder]) => nameOf(folder)).filter((name) => !name.startsWith('@napi-rs/keyring'))).toEqual([]);
    expect(taken.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });

  it('is listed in CONTRIBUTING.md, each with its reason', async () => {
    const text = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
    const section = /\n## What is bundled\n([\s\S]*?)(\n## |$)/.exec(text)?.[1] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    for (const row of rows) expect(row).toMatch(/^\| `[^|]+` \| [`"A-Za-z][^|]{10,} \|[^|]*\|$/);
    const cells = rows.flatMap((row) => row.split('|').filter((_, i) => i !== 2));
    const named = [...cells.join('\n').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
    expect(unique(named)).toEqual(unique(inside.map(nameOf)));
    expect(named).toHaveLength(unique(named).length);
    const ours = Object.keys((await parsed('package.json')).devDependencies);
    const first = rows.map((row) => /`([^`]+)`/.exec(row)?.[1] ?? '');
    expect(first.filter((name) => !ours.includes(name))).toEqual([]);
  });
});

describe('guarantee 28: npm run sbom', () => {
  it('tells in CycloneDX every package that is in the bundle, no other, and the same twice', async () => {
    const write = async () => {
      await run('node', ['scripts/sbom.mjs'], { cwd: root });
      return readFile(join(root, 'reports/sbom.cdx.json'), 'utf8');
    };
    const text = await write();
    expect(await write()).toBe(text);
    const { bomFormat, specVersion, components, metadata, dependencies } = JSON.parse(text);
    expect({ bomFormat, specVersion }).toEqual({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(metadata.component).toMatchObject({ name: 'proxmox-ssh-mcp', purl: 'pkg:npm/proxmox-ssh-mcp@0.1.0' });
    const inBundle = packagesOf(await parsed('reports/bundled.json'));
    const told = components.map(({ purl }: { purl: string }) => decodeURIComponent(purl.replace('pkg:npm/', '')));
    expect(unique(told)).toEqual(unique(inside.map((folder) => `${nameOf(folder)}@${lock[folder]?.version}`)));
    expect(told).toEqual(
      expect.arrayContaining(inBundle.map((folder) => `${nameOf(folder)}@${lock[folder]?.version}`)),
    );
    for (const component of components) {
      expect(component).toMatchObject({ type: 'library', scope: 'required' });
      expect(component.hashes[0]).toMatchObject({ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) });
      expect(component.licenses[0].license.id).toMatch(/^[\w.-]+$/);
    }
    expect(dependencies).toHaveLength(components.length + 1);
    expect(text).not.toContain(root);
  });
});

describe('guarantee 28: without the scripts of packages', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'psm-supply-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('the lock installs by npm ci, and what is built from that serves', { timeout: 300_000 }, async () => {
    const names = (await readdir(root)).filter((name) => !/^(node_modules|dist|reports|\.git|docs|test)$/.test(name));
    for (const name of names) await cp(join(root, name), join(folder, name), { recursive: true });
    await run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
    });
    const { stdout } = await run('npm', ['run', '--silent', 'build'], { cwd: folder });
    expect(stdout.trim()).toBe('');
    // What is served stands alone: its packages may go.
    await rm(join(folder, 'node_modules'), { recursive: true });
    const command = join(folder, 'bin/proxmox-ssh-mcp.js');
    await symlink('/nonexistent', join(folder, 'node_modules'));
    const client = await connect('v2-2026', {
      command: process.execPath,
      args: [command],
      env: { PATH: process.env.PATH ?? '', HOME: folder },
    });
    try {
      expect((await client.tools()).map(({ name }) => name)).toContain('server_status');
      expect(await client.call('server_status')).toMatchObject({ isError: false });
    } finally {
      await client.close();
    }
  });
});
