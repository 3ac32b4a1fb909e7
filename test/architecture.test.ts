import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '../src');

interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: number;
  /** Files of ours, relative to src, and packages. */
  readonly ours: readonly string[];
  readonly packages: readonly string[];
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|import\('([^']+)'\)/g;

function read(file: string): Source {
  const text = readFileSync(join(src, file), 'utf8');
  const names = [...text.matchAll(importPattern)].map((found) => found[1] ?? found[2] ?? found[3] ?? '');
  const ours = names
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(src, resolve(src, dirname(file), name)));
  const packages = names.filter((name) => !name.startsWith('.') && !name.startsWith('node:'));
  return { file, text, lines: text.split('\n').length - 1, ours, packages };
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .map(read);

const roomOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : file);

/** What each room may import of ours: a room, or one file of it. */
const allowed: Record<string, readonly string[]> = {
  'failure.ts': ['present/answer.ts'],
  'secret.ts': [],
  'wildcard.ts': [],
  'replacefile.ts': ['failure.ts'],
  'lock.ts': ['failure.ts'],
  'approvals.ts': ['failure.ts', 'replacefile.ts'],
  log: ['log', 'lock.ts', 'replacefile.ts', 'failure.ts', 'present/visible.ts'],
  present: ['present', 'failure.ts', 'secret.ts'],
  pve: ['pve', 'failure.ts', 'secret.ts', 'present/answer.ts'],
  ssh: ['ssh', 'replacefile.ts', 'wildcard.ts', 'failure.ts', 'secret.ts', 'present/answer.ts'],
  pages: ['pages'],
  toolsets: [
    'toolsets',
    'pages',
    'pve',
    'ssh',
    'hooks/address.ts',
    'wildcard.ts',
    'failure.ts',
    'secret.ts',
    'present/answer.ts',
  ],
  hooks: ['hooks', 'gate', 'toolsets/tool.ts', 'ssh', 'present', 'failure.ts', 'secret.ts'],
  gate: ['gate', 'approvals.ts', 'log', 'toolsets', 'pve', 'ssh', 'present', 'failure.ts'],
  mcp: ['mcp', 'log', 'pages', 'gate', 'toolsets', 'present', 'failure.ts'],
  config: [
    'config',
    'lock.ts',
    'replacefile.ts',
    'wildcard.ts',
    'setup/jsonedit.ts',
    'toolsets/tool.ts',
    'ssh/client.ts',
    'hooks/address.ts',
    'hooks/events.ts',
    'failure.ts',
    'secret.ts',
  ],
  'clients.ts': ['config', 'pve', 'ssh', 'hooks', 'failure.ts'],
  'clusters.ts': ['clients.ts', 'config', 'toolsets/tool.ts', 'pve', 'failure.ts'],
  'shell.ts': ['clients.ts', 'config', 'toolsets/tool.ts', 'ssh', 'failure.ts'],
  'app.ts': [
    'approvals.ts',
    'clients.ts',
    'clusters.ts',
    'config',
    'mcp',
    'hooks',
    'log',
    'gate',
    'toolsets',
    'present',
    'shell.ts',
    'failure.ts',
    'secret.ts',
  ],
  setup: ['setup', 'replacefile.ts', 'failure.ts', 'secret.ts'],
  cli: [
    'cli',
    'pages',
    'log',
    'setup',
    'replacefile.ts',
    'approvals.ts',
    'app.ts',
    'clients.ts',
    'config',
    'mcp',
    'hooks',
    'pve',
    'ssh',
    'toolsets',
    'demo',
    'failure.ts',
    'secret.ts',
    'present',
  ],
  demo: ['demo'],
};

/** Which files may import a package. */
const packageHomes: readonly { readonly name: RegExp; readonly home: RegExp }[] = [
  { name: /^@modelcontextprotocol\//, home: /^mcp\// },
  { name: /^undici$/, home: /^pve\/wire\.ts$/ },
  { name: /^ssh2$/, home: /^(ssh|demo)\// },
  { name: /^(selfsigned|just-bash(\/browser)?)$/, home: /^demo\// },
  { name: /^dotenv$/, home: /^config\// },
  { name: /^diff$/, home: /^ssh\/files\// },
  { name: /^@clack\/prompts$/, home: /^cli\/setup\// },
  { name: /^(jsonc-parser|smol-toml)$/, home: /^setup\// },
  { name: /^commander$/, home: /^cli\// },
  { name: /^yaml$/, home: /^toolsets\// },
  { name: /^fastest-levenshtein$/, home: /^(gate|pve|config|cli)\// },
  { name: /^zod$/, home: /^(?!demo\/)/ },
];

describe('the walls', () => {
  it('reads the sources', () => expect(sources.length).toBeGreaterThan(40));

  it.each(sources)('$file imports only what its room may', ({ file, ours }) => {
    const may = allowed[roomOf(file)];
    expect(may, `no rule for ${file}`).toBeDefined();
    expect(ours.filter((target) => !may?.some((one) => target === one || roomOf(target) === one))).toEqual([]);
  });

  it.each(sources)('$file uses packages where they live', ({ file, packages }) => {
    const astray = packages.filter(
      (name) => !packageHomes.some((rule) => rule.name.test(name) && rule.home.test(file)),
    );
    expect(astray).toEqual([]);
  });

  it('reaches process and console from cli/, mcp/stdio.ts and mcp/lifetime.ts only', () => {
    const users = sources.filter(({ text }) =>
      /(^|[^.\w'])(process|console)\.[a-z]/m.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
    );
    const astray = users.map(({ file }) => file).filter((file) => !/^(cli\/|mcp\/(stdio|lifetime)\.ts$)/.test(file));
    expect(astray).toEqual([]);
  });

  it('loads undici, ssh2 and the demo’s packages only when they are first needed', () => {
    const slow = /(?:^|\n)import\s+(?!type\b)[^'"]*?from\s+'(undici|ssh2|selfsigned|just-bash|ssh-config|yaml)'/;
    expect(sources.filter(({ text }) => slow.test(text)).map(({ file }) => file)).toEqual([]);
  });

  it('waits for no time that may be forgotten, as AbortSignal.any of Node.js 20 does', () => {
    const forgotten = /AbortSignal\.any\([^)]*AbortSignal\.timeout/;
    expect(sources.filter(({ text }) => forgotten.test(text)).map(({ file }) => file)).toEqual([]);
  });

  it('shows no trace of a type system that was switched off', () => {
    const marks = /\bas any\b|: any\b|@ts-(ignore|expect-error|nocheck)|biome-ignore|eslint-disable|\b(TODO|FIXME)\b/;
    expect(sources.filter(({ text }) => marks.test(text)).map(({ file }) => file)).toEqual([]);
  });
});

describe('the sizes', () => {
  it('no file is over 300 lines', () => {
    expect(sources.filter(({ lines }) => lines > 300).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
  });

  it('half of the files are 90 lines or shorter', () => {
    const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(90);
  });
});
