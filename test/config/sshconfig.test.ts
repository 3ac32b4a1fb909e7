import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import { readSshConfig, type SshOptions } from '../../src/config/sshconfig.ts';
import { Home } from './home.ts';

const { username, homedir } = userInfo();
const read = (path: string) => readSshConfig(path, ground(), { home: homedir, localUser: username });

const KEYS = ['hostname', 'port', 'user', 'proxyjump', 'identityfile', 'hostkeyalias', 'identitiesonly'];

/** What the real client makes of it, without the identity files that it tries by itself. */
function bySsh(path: string, name: string): string[] {
  const text = execFileSync('ssh', ['-G', '-F', path, name], { encoding: 'utf8', stdio: 'pipe' });
  return text
    .split('\n')
    .filter((line) => KEYS.includes(line.split(' ')[0] ?? '') && !/^identityfile ~\/\.ssh\/id_/.test(line))
    .map((line) => line.replace(/^(identityfile )~\//, `$1${homedir}/`))
    .toSorted();
}

/** The same as we have it. */
function byUs({ jumps, ...options }: SshOptions, name: string): string[] {
  const said: Record<string, string | number | undefined> = {
    hostname: (options.hostName ?? name).toLowerCase(),
    port: options.port ?? 22,
    user: options.user ?? username,
    proxyjump: jumps?.join(','),
    hostkeyalias: options.hostKeyAlias,
    identitiesonly: options.identitiesOnly ? 'yes' : 'no',
  };
  const lines = Object.entries(said).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]));
  return [...lines, ...options.identityFiles.map((file) => `identityfile ${file}`)].toSorted();
}

const table: readonly { says: string; config: string; names: string[]; files?: Record<string, string> }[] = [
  {
    says: 'patterns, and the first value winning',
    config: `Host web? *.lab 10.0.?.*
  User deploy
  Port 2200
Host web1
  User never
  HostName 192.0.2.1
Host * 
  User other
  Port 22
`,
    names: ['web1', 'web', 'web12', 'webx', 'a.lab', '.lab', 'lab', '10.0.1.2', '10.0.12.2', 'WEB1'],
  },
  {
    says: 'negation, in any place of a line',
    config: `Host * !bastion !*.direct
  ProxyJump bastion
Host !bastion *
  User inside
Host !a !b
  User nobody
Host bastion
  HostName 192.0.2.7
  User gate
`,
    names: ['bastion', 'web1', 'x.direct', 'a', 'c'],
  },
  {
    says: 'equal signs, quotes, comments, tabs, Windows line ends and odd letters',
    config: `hOsT=one "two words" three\t# a comment\r
 HOSTNAME = h.example.com # another\r
\tUser="a b"\r
Host 'quoted'
  User dom\\user
  IdentityFile "~/my keys/k1"
  IdentityFile '~/k 2' # third
  identityfile /k#3
# Host commented
#User nobody
Host odd!
  User bang
Host last
  HostName last.example.com`,
    names: ['one', 'three', 'quoted', 'commented', 'odd!', 'odd', 'last'],
  },
  {
    says: 'tokens of HostName',
    config: 'Host %h\n  User x\nHost a.b\n  HostName %h.example.com\nHost c\n  HostName 100%%.x\n',
    names: ['a.b', 'c', 'd'],
  },
  {
    says: 'identity files that add up, each once',
    config: `IdentityFile ~/first
Host web
  IdentityFile ~/second
  IdentitiesOnly yes
  HostKeyAlias Web.Alias
Host w*
  IdentityFile ~/first
  IdentityFile ~/third
  IdentitiesOnly no
  HostKeyAlias other
Host *
  IdentitiesOnly true
`,
    names: ['web', 'wide', 'none'],
  },
  {
    says: 'ProxyJump and ProxyCommand, of which the first rules the other out',
    config: `Host a
  ProxyJump x,me@y:23,ssh://z@w:24
  ProxyCommand nc %h %p
Host b
  ProxyCommand nc %h %p
  ProxyJump x
Host c
  ProxyJump none
Host c d
  ProxyJump gate # by the gate
Host e
  ProxyJump me@[2001:db8::1]:22
Host *
  ProxyJump all
`,
    names: ['a', 'b', 'c', 'd', 'e', 'f'],
  },
  {
    says: 'Match host, which sees what HostName has made of the name, and Match originalhost, which does not',
    config: `Host web1
  HostName web1.example.com
Match host *.example.com
  User by-host
Match originalhost web*,!web3
  Port 2222
Match host web1
  Port 1
Match !host *.example.com originalhost db
  User not-example
Match host one,Two
  User listed
`,
    names: ['web1', 'web3', 'web2.example.com', 'db', 'one', 'two', 'TWO', 'WEB2'],
  },
  {
    says: 'Match user, localuser and all',
    config: `Host a
  User ann
Match user ann,bob
  Port 1001
Match user ${username}
  Port 1002
Match localuser ${username} host b
  HostName 192.0.2.2
Match !localuser ${username}
  HostName 192.0.2.3
Match !user ann
  HostKeyAlias notann
Match all
  IdentityFile ~/all
Match !all
  IdentityFile ~/never
`,
    names: ['a', 'b', 'c'],
  },
  {
    says: 'Match final, on a second reading by the new name',
    config: `Host short
  HostName long.example.com
Match final host long.example.com
  User final
Match final all
  Port 2022
Match !final host other
  User early
Host long.example.com
  HostKeyAlias second
Host short
  IdentityFile ~/short
`,
    names: ['short', 'long.example.com', 'other'],
  },
  {
    says: 'Include, in its place, within sections, by patterns and in a row',
    config: `Include @/none @/a
Host web*
  Include @/conf.d/*.conf
  Port 2022
Host db
  Include "@/with space"
  User db-user
Match host web1
  Include @/a
Host *
  User last
`,
    files: {
      a: 'User from-a\nHost web1\n  HostName 192.0.2.1\nHost db\n  HostName 192.0.2.9\nMatch all\n  IdentityFile ~/a\n',
      'conf.d/20.conf': 'HostKeyAlias twenty\nHost web2\n  HostName 192.0.2.22\n',
      'conf.d/10.conf': 'Host web2\n  HostKeyAlias ten\nHost db\n  HostName 192.0.2.99\n',
      'conf.d/.hidden.conf': 'HostKeyAlias hidden\n',
      'conf.d/other': 'HostKeyAlias other\n',
      'with space': 'Port 23\nInclude @/deep/[ab]*\n',
      'deep/b1': 'IdentityFile ~/b1\n',
      'deep/a1': 'IdentityFile ~/a1\n',
      'deep/c1': 'IdentityFile ~/c1\n',
    },
    names: ['web1', 'web2', 'web3', 'db', 'other'],
  },
  {
    says: 'what is escaped, and what a comment ends',
    config: `Host back\\\\slash
  User dom\\\\user
Host space
  User a\\ b
Host quote
  User "q\\"uote"
Host single
  User 'it\\'s'
Host plain
  User tab\\tend
Host one # two
  User commented
Host t#ree # four
  User inside
Match host five # exec "true"
  User matched
Match host "six"
  User quoted
Match host seven,"ei ght"
  User listed
`,
    names: ['space', 'quote', 'single', 'plain', 'one', 'two', 't#ree', 'four', 'five', 'six', 'seven'],
  },
  {
    says: 'one reading where none asks for a second',
    config: `Host short
  HostName long.example.com
Host long.example.com
  User second
Match host long.example.com
  Port 2022
Match canonical
  HostKeyAlias canonical
`,
    names: ['short', 'long.example.com'],
  },
  {
    says: 'a second reading, in which canonical matches too',
    config: `Match final host nobody
  User nobody
Match canonical host long.example.com
  User canonical
Match !canonical host long.example.com
  HostKeyAlias early
Host short
  HostName long.example.com
`,
    names: ['short', 'long.example.com'],
  },
  {
    says: 'what concerns others',
    config: `AddKeysToAgent yes
ForwardAgent yes
SendEnv LANG LC_*
ServerAliveInterval 30
LocalForward 8080 localhost:80
Host web1
  RequestTTY no
  User u
`,
    names: ['web1', 'x'],
  },
];

describe('a configuration is understood as ssh -G understands it:', () => {
  const cases = table.flatMap(({ names, ...one }) => names.map((name) => ({ ...one, name })));

  it.each(cases)('$says ($name)', ({ config, files = {}, name }) => {
    const home = new Home();
    const here = (text: string) => text.replaceAll('@/', `${home.path}/`);
    for (const [file, text] of Object.entries(files)) home.write(file, here(text));
    const path = home.write('config', here(config));
    expect(byUs(read(path).lookup(name), name)).toEqual(bySsh(path, name));
  });

  it('is compared in what differs', () => {
    const compared = cases.map(({ config }) => config).join('\n');
    for (const key of KEYS) expect(compared.toLowerCase()).toContain(key);
  });
});

describe('the names of a configuration', () => {
  it('are those that some Host line spells out where it can match', () => {
    const home = new Home();
    home.write('inside', 'Host in-web\nHost web1\n');
    const path = home.write(
      'config',
      `Host web1 web2 !old *.lab\nHost web1\n  Include ${home.path}/inside\nHost b !b\n`,
    );
    expect(read(path).names).toEqual(['web1', 'web2']);
  });
});

describe('what would run a program', () => {
  it('is never run, counts as not matching, and is told once, and of the hosts that it would have decided for', () => {
    const home = new Home();
    const proof = join(home.path, 'proof');
    const path = home.write(
      'config',
      `Match originalhost web* exec "touch ${proof}"\n  User x\nMatch !exec "touch ${proof}"\n  Port 1\nHost old\n  ProxyCommand touch ${proof}\nHost by-ssh\n  ProxyCommand ssh -q -W %h:%p gate\nHost none\n  ProxyCommand none\n`,
    );
    const config = read(path);
    expect(config.lookup('web1')).toMatchObject({
      user: undefined,
      port: undefined,
      skipped: [`exec (${path}:1)`, `exec (${path}:3)`],
    });
    expect(config.lookup('db').skipped).toEqual([`exec (${path}:3)`]);
    expect(config.lookup('old').proxyCommand).toBe(`touch ${proof}`);
    expect(config.lookup('by-ssh').jumps).toEqual(['gate']);
    expect(config.problems).toEqual([
      {
        cause: `"Match exec" is never run, so it counts as not matching (${path}:1, ${path}:3).`,
        cure: 'Put what it sets under a Host line, or into the inventory file.',
      },
      {
        cause: `ProxyCommand is never run, so hosts that need it cannot be reached (${path}:6).`,
        cure: 'Use ProxyJump, or give the host a "via" in the inventory file.',
      },
    ]);
    expect(existsSync(proof)).toBe(false);
  });

  it('is told of nothing else that has such a word in it', () => {
    const path = new Home().write('config', 'Host exec\n  RemoteCommand exec bash\n  LocalCommand a exec b\n');
    expect(read(path)).toMatchObject({ names: ['exec'], problems: [] });
  });

  it('is not asked for by a criterion after one that does not match', () => {
    const home = new Home();
    const path = home.write('config', 'Match host db exec "true"\n  User x\n');
    expect(read(path).lookup('web').skipped).toEqual([]);
  });
});

describe('a ProxyCommand', () => {
  it.each([
    ['ssh -W %h:%p gate', 'gate'],
    ['ssh -q -W [%h]:%p me@gate', 'me@gate'],
    ['/usr/bin/ssh  -q  -W  %h:%p  gate', 'gate'],
    ['ssh -W %h:%p -p 22 gate', undefined],
    ['ssh -W %h:%p gate extra', undefined],
    ['ssh -W %h:22 gate', undefined],
    ['nc %h %p', undefined],
    ['nc %h %p #1', undefined],
    ['sh -c "ssh -W %h:%p gate"', undefined],
  ])('of %s is a jump to %s', (command, jump) => {
    const config = read(new Home().write('config', `Host a\n  ProxyCommand ${command}\n`));
    const { jumps, proxyCommand } = config.lookup('a');
    expect([jumps, proxyCommand]).toEqual(jump === undefined ? [undefined, command] : [[jump], undefined]);
    expect(config.problems).toHaveLength(jump === undefined ? 1 : 0);
  });

  it('of none is none, in any case of its letters', () => {
    for (const none of ['none', 'NONE']) {
      const config = read(new Home().write('config', `Host a\n  ProxyCommand ${none}\n  ProxyJump gate\n`));
      expect(config.lookup('a')).toMatchObject({ jumps: undefined, proxyCommand: undefined });
      expect(config.problems).toEqual([]);
    }
  });
});

describe('the paths of a configuration', () => {
  const lookup = (text: string, name = 'short') =>
    readSshConfig(new Home().write('config', text), ground(), { home: '/home/me', localUser: 'me' }).lookup(name);

  it('have the tokens of ssh_config(5) in them, of which unknown ones stay', () => {
    const file = 'IdentityFile ~/%d,%h,%k,%n,%p,%r,%u,%%,%x,~/y\n';
    expect(lookup(file).identityFiles).toEqual(['/home/me//home/me,short,short,short,22,me,me,%,%x,~/y']);
    const said = 'HostName %h.example.com\nPort 2222\nUser you\nHostKeyAlias Alias\n';
    expect(lookup(said + file).identityFiles).toEqual([
      '/home/me//home/me,short.example.com,Alias,short,2222,you,me,%,%x,~/y',
    ]);
  });

  it.each([
    ['SSH_AUTH_SOCK', 'SSH_AUTH_SOCK'],
    ['$SSH_AUTH_SOCK', 'SSH_AUTH_SOCK'],
    [`\${SSH_AUTH_SOCK}`, 'SSH_AUTH_SOCK'],
    ['none', 'none'],
    ['NONE', 'none'],
    ['~/a/none', '/home/me/a/none'],
    ['/run/%u/SSH_AUTH_SOCK', '/run/me/SSH_AUTH_SOCK'],
    ['none.sock', 'none.sock'],
    ['SSH_AUTH_SOCK2', 'SSH_AUTH_SOCK2'],
  ])('may be the agent %s', (agent, told) => {
    expect(lookup(`IdentityAgent ${agent}\n`).identityAgent).toBe(told);
  });

  it('are below the home folder where they begin with it, and nowhere else', () => {
    expect(lookup('IdentityFile /x~/y\n').identityFiles).toEqual(['/x~/y']);
    const home = new Home();
    home.write('sub/one', 'User from-home\n');
    home.write('.ssh/.hidden.conf', 'Port 23\n');
    home.write('.ssh/.other', 'Port 24\n');
    const text = 'Include ~/sub/one\nInclude *.conf\nInclude .h*\n';
    const { user, port } = readSshConfig(home.write('config', text), ground(), { home: home.path }).lookup('x');
    expect([user, port]).toEqual(['from-home', 23]);
  });

  it('may be NONE, which is none, beside others', () => {
    expect(lookup('IdentityFile NONE\nIdentityFile /k\n').identityFiles).toEqual(['none', '/k']);
  });

  it.each([
    ['yes', true],
    ['TRUE', true],
    ['no', false],
    ['yesno', false],
    ['untrue', false],
  ])('are the only ones when IdentitiesOnly is %s: %s', (word, only) => {
    expect(lookup(`IdentitiesOnly ${word}\n`).identitiesOnly).toBe(only);
  });

  it('are looked for by patterns that a broken one is none of', () => {
    const home = new Home();
    home.write('.ssh/d/a.conf', 'User from-a\n');
    const text = 'Include d/[\nInclude ""\nInclude d/?.con[!x]\nInclude no-folder/*\n';
    const config = readSshConfig(home.write('config', text), ground(), { home: home.path });
    expect([config.lookup('x').user, config.problems]).toEqual(['from-a', []]);
  });
});

describe('without a configuration', () => {
  it('there are no names, and nothing is said of any', () => {
    const none = { names: [], problems: [] };
    expect(readSshConfig(undefined, ground(), { home: '/home/me' })).toMatchObject(none);
    const missing = readSshConfig('/no/such/config', ground(), { home: '/home/me' });
    expect(missing).toMatchObject(none);
    expect(missing.lookup('a')).toEqual({ identityFiles: [], named: false, skipped: [] });
  });

  it('that can be read, it is told', () => {
    const home = new Home();
    expect(readSshConfig(home.path, ground(), { home: home.path }).problems).toEqual([
      { cause: `${home.path} cannot be read: it is a folder.`, cure: 'Make it readable, or set SSH_CONFIG=none.' },
    ]);
  });
});

describe('a configuration that is wrong', () => {
  it('is used as far as it goes when a file includes itself, which is told', () => {
    const home = new Home();
    const path = home.write('config', `Host a\n  User u\nInclude ${home.path}/config\n`);
    expect(read(path).lookup('a').user).toBe('u');
    expect(read(path).problems).toEqual([
      {
        cause: `${path}:3 includes ${path}, which is in it already.`,
        cure: 'Take that Include out: ssh itself refuses to go on there.',
      },
    ]);
  });

  it('is used without its lines that say nothing, and a Match of nothing matches nothing', () => {
    const nothing = 'IdentityFile\nUser\nUser ""\nProxyJump\nProxyJump # gate\nHostName\n';
    const text = `Host a\n${nothing}User u\nProxyJump gate\nMatch # all\nPort 1\nMatch\nPort 2\nMatch host\nPort 3\n`;
    const config = read(new Home().write('config', text));
    expect(config.lookup('a')).toMatchObject({
      user: 'u',
      jumps: ['gate'],
      port: undefined,
      hostName: undefined,
      identityFiles: [],
    });
    expect(config.problems).toEqual([]);
  });

  it('includes a thousand files at most, and says once that there are more', () => {
    const home = new Home();
    const [empty, last] = [home.write('empty', ''), home.write('last', 'User last\n')];
    const including = (count: number) => {
      const path = home.write('config', `${`Include ${empty}\n`.repeat(count)}Include ${last}\nInclude ${last}\n`);
      const { problems, lookup } = read(path);
      return [lookup('x').user, problems.map(({ cause, cure }) => [cause.replace(path, 'config'), cure])];
    };
    const problem = (line: number) => [
      `More than 1000 files are included from ~/.ssh/config; the others are not read (config:${line}).`,
      'Have files include one another once only.',
    ];
    expect(including(998)).toEqual(['last', []]);
    expect(including(999)).toEqual(['last', [problem(1001)]]);
    expect(including(1000)).toEqual([undefined, [problem(1001)]]);
  });

  it('is not used at all when a quote is open, as ssh refuses it too', () => {
    const home = new Home();
    const path = home.write('config', 'Host a\n  User "u\n');
    expect(() => bySsh(path, 'a')).toThrow('invalid quotes');
    expect(read(path).names).toEqual([]);
    expect(read(path).problems).toEqual([
      {
        cause: `The SSH configuration ${path} cannot be understood: ${path}:2 has a quote that is not closed.`,
        cure: 'Correct it ("ssh -G any-name" tells whether OpenSSH understands it), or set SSH_CONFIG=none.',
      },
    ]);
    expect(read(path).lookup('a')).toEqual({ identityFiles: [], named: false, skipped: [] });
  });
});
