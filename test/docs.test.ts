import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrating, readme } from '../scripts/documents.ts';
import { keys, settingOf } from '../src/config/settings.ts';
import { decide, type Mode } from '../src/gate/policy.ts';
import type { Effect } from '../src/toolsets/tool.ts';
import { cli } from './cli/cli.ts';

const root = resolve(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const written = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...pages.map((name) => `docs/${name}`)];

const files = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(join(root, name)).isFile());

describe('what is generated has not drifted (npm run gen)', () => {
  it('the tables of docs/migrating.md', () =>
    expect(migrating(read('docs/migrating.md'))).toBe(read('docs/migrating.md')));
  it('the tables of README.md', () => expect(readme(read('README.md'))).toBe(read('README.md')));
});

describe('README.md', () => {
  const source = [...files('src'), ...files('bin')].map(read).join('\n');
  const [, troubles = ''] = read('README.md').split('## Troubleshooting');
  const messages = [...(troubles.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map(([, text = '']) => text);

  it('has troubles to tell', () => expect(messages.length).toBeGreaterThan(15));

  it.each(messages)('quotes a message of ours: %s', (message) => {
    const parts = message.split('…').filter((part) => part.replace(/\W/g, '').length > 2);
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect(source).toContain(part.trim());
  });

  it.each<Mode>(['read-only', 'guarded', 'ask', 'trusted'])('says what the mode %s allows', (mode) => {
    const row = new RegExp(`^ *\\| \`${mode}\`[^|]*\\|(.*)\\|$`, 'm').exec(read('README.md'))?.[1] ?? '';
    const effects: Effect[] = ['read', 'change', 'execute', 'destroy'];
    const words = { allow: 'yes', ask: 'asked', hide: 'no' };
    const told = row.split('|').map((cell) => cell.trim().split(/[; ]/)[0]);
    expect(told).toEqual(effects.map((effect) => words[decide(mode, { effect })]));
    const alarmed = decide(mode, { effect: 'execute' }, 'It wipes a disk.') !== decide(mode, { effect: 'execute' });
    expect(row.includes('catastrophic')).toBe(alarmed);
  });
});

describe('CONTRIBUTING.md', () => {
  it('has every room and no other', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const told = [...read('CONTRIBUTING.md').matchAll(/^\| `src\/([a-z]+)` \|/gm)].map(([, room]) => room);
    expect(told.toSorted()).toEqual(rooms.map(({ name }) => name).toSorted());
  });
});

describe.each(written)('%s', (name) => {
  const text = read(name);

  it('names only files that are there', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path);
    const paths = [...text.matchAll(/(?<![\w/.])(?:src|test|bin|scripts)\/[\w./-]*\w/g)].map(([path]) => path);
    const there = (path: string) => existsSync(join(root, path));
    const folder = name.includes('/') ? `${dirname(name)}/` : '';
    expect([...links.map((link) => folder + link), ...paths].filter((path) => !there(path))).toEqual([]);
  });

  it('names only settings that there are', () => {
    const known = [...keys.map((key) => settingOf(key).env), 'SSH_AUTH_SOCK', 'PROXMOX_ALLOW_ELEVATED'];
    const named = [...text.matchAll(/\b(?:PROXMOX|SSH|MCP)_[A-Z_]*[A-Z]\b/g)].map(([env]) => env);
    expect(named.filter((env) => !known.includes(env))).toEqual([]);
  });

  it('names only commands and scripts that there are', async () => {
    const { stdout } = await cli(['--help'], { home: '/nonexistent' });
    const known = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, command]) => command);
    const told = [...text.matchAll(/proxmox-ssh-mcp(?:\.js)? ([a-z][a-z-]+)\b/g)].map(([, command]) => command);
    const commands = told.filter((word) => !['with', 'is', 'as'].includes(word ?? ''));
    expect(commands.filter((command) => !known.includes(command))).toEqual([]);
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    const run = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, script = '']) => script);
    expect(run.filter((script) => !scripts.includes(script))).toEqual([]);
  });
});
