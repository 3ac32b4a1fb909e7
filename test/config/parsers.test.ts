import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnvFile } from '../../src/config/envfile.ts';
import { parseHosts } from '../../src/config/hostsfile.ts';
import type { Surroundings } from '../../src/config/load.ts';
import { readSshConfig } from '../../src/config/sshconfig.ts';
import { matchesWildcard } from '../../src/wildcard.ts';
import { counted } from '../counts.ts';
import { expectLinear, expectSound } from '../hostile.ts';

const folder = mkdtempSync(join(tmpdir(), 'psm-parsers-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a wildcard matches as a regular expression would, and takes no longer for it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(text, pattern, (given, wanted) => {
      const source = wanted.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      expect(matchesWildcard(given, wanted)).toBe(new RegExp(`^${source}$`).test(given));
    }),
    { numRuns: 5_000 },
  );
  expectLinear((repeat) => matchesWildcard('a'.repeat(255), `${repeat}!`));
});

describe('the settings file, whatever is in it,', () => {
  const around = { uid: 0, stat: () => ({ mode: 0o600, uid: 0 }) };
  const read = (text: string) =>
    readEnvFile('.env', true, { ...around, readFile: () => text } as unknown as Surroundings);
  const valid = [
    'PROXMOX_HOST=pve1\nPROXMOX_TOKEN_VALUE="abc#d"\n# comment\nexport MCP_MODE=read-only\n',
    "SSH_KEY_PATH='~/.ssh/id ed25519'\r\nPROXMOX_HSOT: x\r\nA=`b\nc`\n",
  ];

  it('is read, with a line for each value', () =>
    expectSound(read, valid, ({ values, problems }, text) => {
      const lines = text.split(/\r\n?|\n/).length;
      for (const { line } of values.values()) expect(line > 0 && line <= lines).toBe(true);
      for (const { cause, cure } of problems) expect(cause.length > 5 && cure.length > 5).toBe(true);
    }));

  it('is read in linear time', () => {
    const many = (name: (i: number) => string) => Array.from({ length: 8_000 }, (_, i) => `${name(i)}=1`).join('\n');
    const texts = [many((i) => `A${i}`), many((i) => `MCP_${i}`)];
    // dotenv takes the square of a run of blank lines; the file is refused when anybody else may write it.
    expectLinear(read, [(repeat) => `PROXMOX_HOST=${repeat}`], { but: /^\s+$/, texts });
  });
});

describe('the inventory file, whatever is in it,', () => {
  const valid = [
    '{"hosts":{"pve1":{"address":"10.1.2.3","port":22,"user":"root","via":["root@jump:2222"],"tags":["lab"]}}}',
    '\ufeff{"hosts":{"a":{"limits":{"concurrent":2},"default":true},"b":{"webhook":"https://example.com/x"}}}',
  ];

  it('is read as a whole, or not at all', () =>
    expectSound(parseHosts, valid, (read) => {
      if ('wrong' in read) expect(read.wrong.length).toBeGreaterThan(3);
      else for (const name of read.hosts.keys()) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
    }));

  it('is read in linear time', () => {
    const places = ['address', 'user', 'keyPath', 'via', 'hostKeyAlias', 'webhook', 'displayName'].map(
      (field) => (repeat: string) => JSON.stringify({ hosts: { a: { [field]: repeat } } }),
    );
    expectLinear(parseHosts, [...places, (repeat) => JSON.stringify({ hosts: { [repeat]: {} } })]);
  });
});

describe('~/.ssh/config, whatever is in it,', () => {
  const { username, homedir } = userInfo();
  const read = (text: string) => {
    const readFile = (path: string) => (path === '/config' ? text : '');
    const disk = { readFile, readDir: () => ['a', 'b'], stamp: () => undefined };
    const config = readSshConfig('/config', disk, { home: homedir, localUser: username });
    return { config, web: config.lookup('web1.lab') };
  };
  const valid = [
    'Host web* !web9\n  HostName %h.example.org\n  Port 2222\n  User "my self"\n  IdentityFile ~/.ssh/%r\nHost *\n  ProxyJump a,b:22\n',
    'Match host web1.lab user root\n Port=22\n\nInclude conf.d/*\nMatch all\n IdentitiesOnly yes\n# end',
    'ProxyCommand ssh -W %h:%p root@jump\nHostKeyAlias "x"\nIdentityAgent none\n',
  ];

  it('is read, or told as a problem', () =>
    expectSound(read, valid, ({ config, web }) => {
      if (web.port !== undefined) expect(web.port > 0 && web.port < 65_536).toBe(true);
      for (const { cause, cure } of config.problems) expect(cause.length > 5 && cure.length > 5).toBe(true);
    }));

  it('is read in linear time', () => {
    const places = ['Host', 'Match host', 'IdentityFile', 'ProxyJump', 'ProxyCommand'];
    expectLinear(read, [
      ...places.map((keyword) => (repeat: string) => `${keyword} ${repeat}`),
      (repeat) => `Host ${repeat.replace(/\s/g, '')}x`,
      (repeat) => `User a${repeat}b`,
    ]);
    // ssh reads no line beyond its limit of words; what we include comes from the disk.
    expectLinear((text) => read(`Include ${text.slice(0, 2_000)}`));
  });

  const MIXTURES = counted(1_000, 60);
  it(`says what ssh -G says, where that takes it, for ${MIXTURES} mixtures`, { timeout: 300_000 }, () => {
    const pattern = fc.constantFrom('web1.lab', 'web*', '*', '!web1.lab', 'w?b1.lab', '*.lab', 'db', '"web1.lab"');
    const value = fc.constantFrom(
      'me',
      '2222',
      '%h',
      'a.example',
      'yes',
      'no',
      '"x y"',
      'none',
      '70000',
      '',
      '~/k',
      '%d/k',
      'a#b',
    );
    const line = fc.oneof(
      fc.array(pattern, { minLength: 1, maxLength: 3 }).map((all) => `Host ${all.join(' ')}`),
      fc
        .tuple(
          fc.constantFrom('HostName', 'user', 'Port', 'HostKeyAlias', 'IdentitiesOnly'),
          fc.constantFrom(' ', '=', ' = ', '\t'),
          value,
        )
        .map((all) => all.join('')),
      fc.constantFrom(
        '',
        '  # a comment',
        'Match all',
        'Match host web1.lab',
        'Match user nobody',
        'Match host web*,!web1.lab',
      ),
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const path = join(folder, 'config');
        const text = `${lines.join('\n')}\n`;
        writeFileSync(path, text);
        let told: string;
        try {
          told = execFileSync('ssh', ['-G', '-F', path, 'web1.lab'], { encoding: 'utf8', stdio: 'pipe' });
        } catch {
          return;
        }
        taken += 1;
        const of = (keyword: string) => new RegExp(`^${keyword} (.*)$`, 'm').exec(told)?.[1];
        const { web } = read(text);
        // ssh takes a number for an address, which whatever connects does as well.
        if (/^\d+$/.test(web.hostName ?? '')) return;
        expect({
          hostname: (web.hostName ?? 'web1.lab').toLowerCase(),
          user: web.user ?? username,
          port: String(web.port ?? 22),
          alias: web.hostKeyAlias,
        }).toEqual({ hostname: of('hostname'), user: of('user'), port: of('port'), alias: of('hostkeyalias') });
      }),
      { numRuns: MIXTURES },
    );
    expect(taken).toBeGreaterThan(MIXTURES / 20);
  });
});
