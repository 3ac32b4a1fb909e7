import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flagOf, type Key, keys, settingOf } from '../../src/config/settings.ts';
import { Home } from './home.ts';

/** 24 bytes as base64, the shortest key that there may be. */
const KEY = 'QUFB'.repeat(8);
const TOKEN = { PROXMOX_HOST: 'pve', PROXMOX_TOKEN_NAME: 'mcp', PROXMOX_TOKEN_VALUE: 'a-b-c' };

/** What a client leaves in place of a variable that it cannot expand. */
const placeholder = (name: string): string => `\${${name}}`;

describe('order of sources', () => {
  it('takes the flag before the environment, that before the file, that before the default', () => {
    const home = new Home();
    home.settings('MCP_MODE=ask\nMCP_TASK_WAIT_S=40\nPROXMOX_PORT=1\n');
    const loaded = home.load({
      flags: { mode: 'trusted' },
      env: { ...TOKEN, MCP_MODE: 'read-only', PROXMOX_PORT: '2' },
    });
    expect(loaded.problems).toEqual([]);
    expect(loaded.settings).toMatchObject({ mode: 'trusted', proxmoxPort: 2, taskWaitS: 40, commandTimeoutS: 60 });
    expect(loaded.sources).toMatchObject({
      mode: 'flag --mode',
      proxmoxPort: 'environment variable PROXMOX_PORT',
      taskWaitS: `${home.settingsFile}:2`,
      commandTimeoutS: 'default',
    });
    expect(loaded.settingsFile).toBe(home.settingsFile);
  });

  it('takes the default where what is set is wrong, and says so', () => {
    const { settings, sources } = new Home().load({ env: { ...TOKEN, MCP_TASK_WAIT_S: 'x', SSH_PORT: 'x' } });
    expect([settings.taskWaitS, sources.taskWaitS, settings.sshPort, sources.sshPort]).toEqual([
      60,
      'default',
      22,
      'default',
    ]);
  });

  it('reads the file that --settings-file names instead of the usual one', () => {
    const home = new Home();
    home.settings('MCP_MODE=ask');
    const other = home.write('other.env', 'MCP_TASK_WAIT_S=7');
    const { settings, settingsFile } = home.load({ flags: { settingsFile: other } });
    expect(settings).toMatchObject({ mode: 'guarded', taskWaitS: 7 });
    expect(settingsFile).toBe(other);
  });

  it('is content without the usual file, but not without a named one', () => {
    const home = new Home();
    expect(home.load({ env: TOKEN }).problems).toEqual([]);
    expect(home.load({ env: TOKEN, flags: { settingsFile: '/nowhere/.env' } }).problems).toEqual([
      {
        cause: 'The settings file /nowhere/.env cannot be used: there is no such file.',
        cure: 'Name another one with --settings-file, or make it readable for this user alone (chmod 600).',
        blocks: ['pve', 'ssh'],
      },
    ]);
  });

  it.each(['', '  ', placeholder('user_config.mode'), placeholder('MCP_MODE')])('takes %j as not set', (text) => {
    const home = new Home();
    home.settings('MCP_MODE=ask');
    expect(home.load({ flags: { mode: text }, env: { MCP_MODE: text } }).settings.mode).toBe('ask');
  });

  it('follows XDG for the settings file and for its own files, when it is absolute', () => {
    const home = new Home();
    home.write('conf/proxmox-ssh-mcp/.env', 'MCP_MODE=ask');
    const env = { XDG_CONFIG_HOME: join(home.path, 'conf'), XDG_STATE_HOME: '/state' };
    const { settings, ownKnownHosts, cacheFolder } = home.load({ env });
    expect(settings).toMatchObject({
      mode: 'ask',
      auditFile: '/state/proxmox-ssh-mcp/audit.jsonl',
      outputDir: '/state/proxmox-ssh-mcp/outputs',
      inventoryFile: `${home.path}/conf/proxmox-ssh-mcp/hosts.json`,
    });
    expect(ownKnownHosts).toBe(`${home.path}/conf/proxmox-ssh-mcp/known_hosts`);
    expect(cacheFolder).toBe(`${home.path}/.cache/proxmox-ssh-mcp`);
    expect(home.load({ env: { XDG_STATE_HOME: 'relative' } }).settings.auditFile).toBe(
      `${home.path}/.local/state/proxmox-ssh-mcp/audit.jsonl`,
    );
  });
});

describe('defaults that depend on the machine', () => {
  it('reaches SSH where the API is, by the agent of the session', () => {
    const { settings } = new Home().load({ env: { ...TOKEN, SSH_AUTH_SOCK: '/run/agent' } });
    expect(settings).toMatchObject({ sshHost: 'pve', sshAgent: '/run/agent' });
  });

  it('uses no agent and no client configuration when told none', () => {
    const env = { ...TOKEN, SSH_AUTH_SOCK: '/run/agent', SSH_AGENT: 'none', SSH_CONFIG: 'none' };
    const { settings } = new Home().load({ env });
    expect(settings.sshAgent).toBeUndefined();
    expect(settings.sshConfig).toBeUndefined();
  });

  it('takes the first key there is, and expands ~', () => {
    const home = new Home();
    expect(home.load().settings.sshKeyPath).toBeUndefined();
    home.write('.ssh/id_rsa', 'x');
    expect(home.load().settings.sshKeyPath).toBe(`${home.path}/.ssh/id_rsa`);
    home.write('.ssh/proxmox_mcp', 'x');
    expect(home.load().settings.sshKeyPath).toBe(`${home.path}/.ssh/proxmox_mcp`);
    home.write('key', 'x');
    expect(home.load({ env: { SSH_KEY_PATH: '~/key' } }).settings.sshKeyPath).toBe(`${home.path}/key`);
  });

  it('says when a named key is not there', () => {
    const { problems } = new Home().load({ env: { ...TOKEN, SSH_KEY_PATH: '/no/key' } });
    expect(problems).toEqual([
      {
        cause: 'SSH_KEY_PATH (environment variable SSH_KEY_PATH) names a file that is not there.',
        cure: 'Name the private key, or leave SSH_KEY_PATH out to use the keys in ~/.ssh and the agent.',
      },
    ]);
  });
});

describe('the transfer folder', () => {
  it.each(['~', '/', '~/.ssh', '~/.config', '~/.config/proxmox-ssh-mcp', '~/.local/state', '~/lists'])(
    'is not %s, which holds what this program trusts: the usual one is used, and that is told',
    (MCP_TRANSFER_DIR) => {
      const home = new Home();
      const env = { MCP_TRANSFER_DIR, MCP_INVENTORY_FILE: '~/lists/hosts.json' };
      const { settings, sources, problems } = home.load({ env });
      expect(settings.transferDir).toBe(join(home.path, '.local/state/proxmox-ssh-mcp/files'));
      expect(sources.transferDir).toBe('default');
      const told = problems.map(({ cause }) => cause).filter((cause) => cause.includes('MCP_TRANSFER_DIR'));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain('is in it, which tools could then replace and send.');
    },
  );

  it.each(['~/files', '~/.ssh-files', '~/.local/state/proxmox-ssh-mcp/others', '~/..files'])('may be %s', (dir) => {
    const home = new Home();
    const { settings, problems } = home.load({ env: { MCP_TRANSFER_DIR: dir } });
    expect(settings.transferDir).toBe(dir.replace('~', home.path));
    expect(problems.map(({ cause }) => cause).join()).not.toContain('MCP_TRANSFER_DIR');
  });
});

describe('the API token', () => {
  const load = (env: Record<string, string>) => new Home().load({ env: { ...TOKEN, ...env } });

  it('is made of user and name, or is named in full', () => {
    expect(load({}).token?.id).toBe('root@pam!mcp');
    expect(load({ PROXMOX_USER: 'ops@pve' }).token?.id).toBe('ops@pve!mcp');
    expect(load({ PROXMOX_TOKEN_NAME: 'ops@pve!ai' }).token?.id).toBe('ops@pve!ai');
    expect(load({ PROXMOX_TOKEN_NAME: 'ops@pve!ai', PROXMOX_USER: 'ops@pve' }).token?.id).toBe('ops@pve!ai');
    expect(load({}).token?.secret.reveal()).toBe('a-b-c');
  });

  it('is refused when user and full name disagree', () => {
    const { token, problems } = load({ PROXMOX_TOKEN_NAME: 'ops@pve!ai', PROXMOX_USER: 'root@pam' });
    expect(token).toBeUndefined();
    expect(problems).toEqual([
      {
        cause:
          'PROXMOX_TOKEN_NAME (environment variable PROXMOX_TOKEN_NAME) belongs to another user than ' +
          'PROXMOX_USER (environment variable PROXMOX_USER) says.',
        cure: 'Leave PROXMOX_USER out, or make the two agree.',
        blocks: ['pve'],
      },
    ]);
  });

  it('is missed when the API is wanted, and only then', () => {
    const home = new Home();
    expect(home.load({ env: { PROXMOX_HOST: 'pve' } }).problems).toEqual([
      {
        cause: 'PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE are not set.',
        cure: `Set them in ${home.settingsFile}, or choose the SSH tools alone with MCP_TOOLSETS=ssh.`,
        blocks: ['pve'],
      },
    ]);
    expect(home.load({ env: { MCP_TOOLSETS: 'ssh' } }).problems).toEqual([]);
  });

  it('is missed in the words of what is missing, and not where that is told as wrong', () => {
    const { PROXMOX_TOKEN_VALUE: _, ...rest } = TOKEN;
    const home = new Home();
    const told = (env: Record<string, string>) => home.load({ env }).problems.map(({ cause, cure }) => [cause, cure]);
    expect(told(rest)).toEqual([
      [
        'PROXMOX_TOKEN_VALUE is not set.',
        `Set it in ${home.settingsFile}, or choose the SSH tools alone with MCP_TOOLSETS=ssh.`,
      ],
    ]);
    expect(told({ ...TOKEN, PROXMOX_TOKEN_VALUE: 'two words' }).map(([cause]) => cause)).toEqual([
      'PROXMOX_TOKEN_VALUE (environment variable PROXMOX_TOKEN_VALUE) must be the secret of the token alone, ' +
        'without user@realm!name= before it.',
    ]);
    expect(told({ PROXMOX_HOST: 'https://x' }).map(([cause]) => cause?.replace(/ must .*/, ''))).toEqual([
      'PROXMOX_HOST (environment variable PROXMOX_HOST)',
      'PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE are not set.',
    ]);
    expect(told({ ...rest, MCP_TOOLSETS: 'ssh,pve' })).toHaveLength(1);
    expect(told({})[0]?.[0]).toBe('PROXMOX_HOST, PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE are not set.');
    const named = home.write('named.env', '');
    expect(home.load({ env: rest, flags: { settingsFile: named } }).problems[0]?.cure).toContain(`Set it in ${named},`);
  });
});

it('reads the CA file, and refuses one without a certificate', () => {
  const home = new Home();
  const good = home.write('ca.pem', '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n');
  expect(home.load({ env: { ...TOKEN, PROXMOX_CA_FILE: good } }).clusters[0].ca).toContain('BEGIN');
  const bad = home.load({ env: { ...TOKEN, PROXMOX_CA_FILE: home.write('key.pem', 'nothing') } });
  expect(bad.clusters[0].ca).toBeUndefined();
  const problem = (why: string) => ({
    cause: `PROXMOX_CA_FILE (environment variable PROXMOX_CA_FILE) names a file that cannot be used: ${why}.`,
    cure: 'Name a PEM file; a Proxmox VE host keeps its own CA in /etc/pve/pve-root-ca.pem.',
    blocks: ['pve'],
  });
  expect(bad.problems).toEqual([problem('it holds no certificate')]);
  const none = home.load({ env: { ...TOKEN, PROXMOX_CA_FILE: '/no/ca.pem' } });
  expect([none.clusters[0].ca, none.problems]).toEqual([undefined, [problem('there is no such file')]]);
});

it('tells first what was wrong with the command line', () => {
  const problems = [{ cause: 'No flag --x.', cure: 'Leave it out.' }];
  expect(new Home().load({ env: { ...TOKEN, SSH_PORT: 'x' }, problems }).problems.map(({ cause }) => cause)).toEqual([
    'No flag --x.',
    'SSH_PORT (environment variable SSH_PORT) must be a whole number from 1 to 65535.',
  ]);
});

const WRONG: Record<Key, readonly string[]> = {
  proxmoxHost: ['https://pve:8006', 'a\nb:80', 'a b', 'pve:0', 'pve:8006:1', 'pve1,-x', ',', '[::1'],
  proxmoxPort: ['0', '65536', '8006x', 'x8006', '-1', '1e3'],
  proxmoxUser: ['root', 'root@', '@pam', 'root@pam!x', 'root@p', 'ro ot@pam', 'root@1pam', 'root@pam x'],
  proxmoxTokenName: ['root@pam!mcp=secret', 'a b', '!xy', '1x', 'm', 'root@pam!', 'root@pam!mcp!x'],
  proxmoxTokenValue: ['root@pam!mcp=secret', 'two words', 'ümlaut'],
  proxmoxTokenCommand: [],
  proxmoxTokenKeychain: ['maybe'],
  proxmoxFingerprint: ['AA:BB', 'SHA256:abc', 'zz'.repeat(32), `${'ab'.repeat(32)},AA`, `${'ab'.repeat(32)}0`, ','],
  proxmoxCaFile: ['ca.pem', './ca.pem'],
  proxmoxTimeoutS: ['0', '601', 'soon'],
  proxmoxCluster: ['a b', '-a', 'a-', 'a.b', 'x'.repeat(41)],
  sshHost: [
    'ssh://pve',
    'root@pve',
    '-pve',
    'pve-',
    '.pve',
    'pve..',
    'a'.repeat(254),
    '[pve',
    'pve]',
    'x[::1]',
    '[pve]x',
    'x[pve]',
  ],
  sshPort: ['ssh', '0'],
  sshUser: ['-oProxyCommand=x', 'a b', 'root@pve', 'root:x', ':', 'a\tb'],
  sshKeyPath: ['id_rsa'],
  sshKeyPassphrase: [],
  sshPassword: [],
  sshSudoPassword: [],
  sshAgent: ['agent', 'None', 'C:agent', 'x/agent', '1:\\agent'],
  sshKnownHosts: ['known_hosts', 'none'],
  sshAcceptNew: ['maybe', '2'],
  sshConfig: ['config'],
  sshConnectTimeoutS: ['0', '121'],
  inventoryFile: ['hosts.json'],
  mode: ['readonly', 'Guarded', 'trusted,ask'],
  toolsets: ['pve,shh', ',', 'all'],
  protectedGuests: ['keycloak', '100,web', '99', '100-110', '1e3', '099', '1000000000', 'x100'],
  auditFile: ['audit.jsonl'],
  auditMaxMib: ['0', '64M', '10241'],
  auditKeepDays: ['-1', 'a year'],
  confirmTimeoutS: ['4', '3601', '2m'],
  approveInTerminal: ['maybe', '2'],
  outputDir: ['out'],
  transferDir: ['files', './files'],
  answerChars: ['1999', '500001'],
  taskWaitS: ['0', '86', '1.5'],
  commandTimeoutS: ['0', '3601'],
  tlsCert: ['tls.crt'],
  tlsKey: ['./tls.key'],
  webhookUrl: ['hooks.example.com', 'ftp://a/', 'https://me:pw@a/', 'https://169.254.169.254/', 'https://a/#x'],
  webhookSecret: [
    `x${KEY}`,
    `QUFBwhsec_${KEY}`,
    KEY.slice(0, 28),
    'secret',
    'whsec_c2hvcnQ=',
    `whsec_${'A'.repeat(128)}`,
  ],
  webhookEvents: ['host.gone', ','],
  webhookHttp: ['maybe'],
  webhookCaFile: ['ca.pem'],
};

describe.each(keys)('a wrong value of %s', (key) => {
  const { env, takes, secret, group } = settingOf(key);
  const flag = flagOf(key);

  it.runIf(WRONG[key].length > 0).each(WRONG[key])('%j names its source and what is allowed', (text) => {
    const home = new Home();
    home.settings(`# first line\n${env}='${text}'\n`);
    const sources = [
      { given: { env: { ...TOKEN, [env]: text } }, source: `environment variable ${env}` },
      { given: { env: { ...TOKEN, [env]: '' } }, source: `${home.settingsFile}:2` },
      ...(flag ? [{ given: { env: TOKEN, flags: { [key]: text } }, source: `flag ${flag}` }] : []),
    ];
    for (const { given, source } of sources) {
      const { problems, settings } = home.load(given);
      const causes = problems.map(({ cause }) => cause);
      expect(causes).toContain(`${env} (${source}) must be ${takes}.`);
      expect(settings.mode).toBe(group === 'safety' ? 'read-only' : 'guarded');
    }
  });

  it('can come from a flag, unless it is a secret', () => {
    expect(flag === undefined).toBe(secret === true);
  });
});

it('says of each setting what it takes', () => {
  expect(Object.fromEntries(keys.map((key) => [settingOf(key).env, settingOf(key).takes]))).toMatchInlineSnapshot(`
    {
      "MCP_ANSWER_CHARS": "a whole number from 2000 to 500000",
      "MCP_APPROVE_IN_TERMINAL": "yes or no",
      "MCP_AUDIT_FILE": "an absolute path, or one that begins with ~/",
      "MCP_AUDIT_KEEP_DAYS": "a whole number from 0 to 36500",
      "MCP_AUDIT_MAX_MIB": "a whole number from 1 to 10240",
      "MCP_COMMAND_TIMEOUT_S": "a whole number from 1 to 3600",
      "MCP_CONFIRM_TIMEOUT_S": "a whole number from 5 to 3600",
      "MCP_INVENTORY_FILE": "an absolute path, or one that begins with ~/, or none",
      "MCP_MODE": "one of read-only, guarded, ask, trusted",
      "MCP_OUTPUT_DIR": "an absolute path, or one that begins with ~/",
      "MCP_PROTECTED_GUESTS": "VMIDs separated by commas, such as 100,101",
      "MCP_TASK_WAIT_S": "a whole number from 1 to 85",
      "MCP_TLS_CERT": "an absolute path, or one that begins with ~/",
      "MCP_TLS_KEY": "an absolute path, or one that begins with ~/",
      "MCP_TOOLSETS": "one or more of core, full, pve, ssh, separated by commas",
      "MCP_TRANSFER_DIR": "an absolute path, or one that begins with ~/",
      "MCP_WEBHOOK_CA_FILE": "an absolute path, or one that begins with ~/",
      "MCP_WEBHOOK_EVENTS": "one or more of host.unreachable, host.recovered, hostkey.changed, task.failed, guard.refused, change.made, separated by commas",
      "MCP_WEBHOOK_HTTP": "yes or no",
      "MCP_WEBHOOK_SECRET": "whsec_ and 24 to 64 bytes as base64",
      "MCP_WEBHOOK_URL": "an https URL without a user or password in it, to an address that may be posted to",
      "PROXMOX_CA_FILE": "an absolute path, or one that begins with ~/",
      "PROXMOX_CLUSTER": "a name of letters, digits and dashes, up to 40 characters",
      "PROXMOX_FINGERPRINT": "a SHA-256 fingerprint (32 pairs of hexadecimal digits, joined by colons), or several, separated by commas",
      "PROXMOX_HOST": "a host name or an IP address, without https://, or several, separated by commas",
      "PROXMOX_PORT": "a whole number from 1 to 65535",
      "PROXMOX_TIMEOUT_S": "a whole number from 1 to 600",
      "PROXMOX_TOKEN_COMMAND": "a command",
      "PROXMOX_TOKEN_KEYCHAIN": "yes or no",
      "PROXMOX_TOKEN_NAME": "the name of a token, with or without its user (mcp, root@pam!mcp)",
      "PROXMOX_TOKEN_VALUE": "the secret of the token alone, without user@realm!name= before it",
      "PROXMOX_USER": "a user with its realm, such as root@pam",
      "SSH_ACCEPT_NEW": "yes or no",
      "SSH_AGENT": "an absolute path, or one that begins with ~/, or none",
      "SSH_CONFIG": "an absolute path, or one that begins with ~/, or none",
      "SSH_CONNECT_TIMEOUT_S": "a whole number from 1 to 120",
      "SSH_HOST": "a host name or an IP address, without https:// and without a port",
      "SSH_KEY_PASSPHRASE": "text",
      "SSH_KEY_PATH": "an absolute path, or one that begins with ~/",
      "SSH_KNOWN_HOSTS": "an absolute path, or one that begins with ~/",
      "SSH_PASSWORD": "text",
      "SSH_PORT": "a whole number from 1 to 65535",
      "SSH_SUDO_PASSWORD": "text",
      "SSH_USER": "a login name",
    }
  `);
});

it('blocks only what depends on the wrong value', () => {
  const blocks = (env: Record<string, string>) => new Home().load({ env: { ...TOKEN, ...env } }).problems[0]?.blocks;
  expect(blocks({ PROXMOX_PORT: 'x' })).toEqual(['pve']);
  expect(blocks({ SSH_PORT: 'x' })).toEqual(['ssh']);
  expect(blocks({ MCP_ANSWER_CHARS: 'x' })).toBeUndefined();
});

it('cures a wrong value by an example, or by more than that', () => {
  const of = (env: Record<string, string>) => {
    const { problems, settings, sources } = new Home().load({ env: { ...TOKEN, ...env } });
    return [problems[0]?.cure, problems[0]?.blocks, settings.mode, sources.mode];
  };
  expect(of({ SSH_PORT: 'x' })).toEqual(['For example 22.', ['ssh'], 'guarded', 'default']);
  expect(of({ PROXMOX_FINGERPRINT: 'x' })).toEqual([
    'Copy it from the web interface (node, Certificates) or from "proxmox-ssh-mcp doctor".',
    ['pve'],
    'guarded',
    'default',
  ]);
  expect(of({ MCP_MODE: 'x' })).toEqual([
    'For example guarded. Until then the mode is read-only.',
    undefined,
    'read-only',
    'a wrong safety setting',
  ]);
  expect(of({ MCP_MODE: 'trusted', MCP_CONFIRM_TIMEOUT_S: '1' })[2]).toBe('read-only');
});

it('expands ~ at the beginning alone, and never in a secret', () => {
  const home = new Home();
  const load = (env: Record<string, string>) => home.load({ env: { ...TOKEN, ...env } }).settings;
  expect(load({ MCP_OUTPUT_DIR: ' ~ ' }).outputDir).toBe(home.path);
  expect(load({ MCP_OUTPUT_DIR: '/a/~/b' }).outputDir).toBe('/a/~/b');
  expect(load({ MCP_OUTPUT_DIR: '~other/x' }).outputDir).not.toBe('~other/x');
  expect(load({ SSH_PASSWORD: '~/x ' }).sshPassword?.reveal()).toBe('~/x ');
});

it('tells how to protect guests when names were given', () => {
  const { problems } = new Home().load({ env: { ...TOKEN, MCP_PROTECTED_GUESTS: 'keycloak' } });
  expect(problems).toEqual([
    {
      cause:
        'MCP_PROTECTED_GUESTS (environment variable MCP_PROTECTED_GUESTS) must be VMIDs separated by commas, such as 100,101.',
      cure:
        'Write VMIDs, not names, because a name can change and can be used twice; pve_guest_list shows both. ' +
        'Until then the mode is read-only.',
    },
  ]);
});

it('reads what is right in all the ways it may be written', () => {
  const hex = 'ab'.repeat(32);
  const { settings, problems } = new Home().load({
    env: {
      ...TOKEN,
      PROXMOX_HOST: 'pve1, 192.0.2.2:443, fe80::1, [fe80::2], [fe80::3]:8443',
      PROXMOX_FINGERPRINT: `${hex}, ${hex}`,
      MCP_PROTECTED_GUESTS: ' 100, 101 ,',
      MCP_TOOLSETS: 'ssh, core,ssh',
      SSH_ACCEPT_NEW: 'TRUE',
    },
  });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({
    proxmoxHost: [
      { host: 'pve1' },
      { host: '192.0.2.2', port: 443 },
      { host: 'fe80::1' },
      { host: 'fe80::2' },
      { host: 'fe80::3', port: 8443 },
    ],
    proxmoxFingerprint: Array(2).fill(Array(32).fill('AB').join(':')),
    sshHost: 'pve1',
    protectedGuests: [100, 101],
    toolsets: ['ssh', 'core'],
    sshAcceptNew: true,
  });
});

/** What is right at its edges, as it is written and as it is read. */
const RIGHT: Partial<Record<Key, readonly (readonly [text: string, value: unknown])[]>> = {
  proxmoxHost: [
    ['pve.', [{ host: 'pve.' }]],
    ['p', [{ host: 'p' }]],
    [`${'a'.repeat(253)}`, [{ host: 'a'.repeat(253) }]],
    [' pve1 ,, pve2:1 ', [{ host: 'pve1' }, { host: 'pve2', port: 1 }]],
    ['[2001:db8::1]:65535', [{ host: '2001:db8::1', port: 65_535 }]],
  ],
  proxmoxPort: [
    ['1', 1],
    ['65535', 65_535],
  ],
  proxmoxUser: [['some.body@pve-2.x', 'some.body@pve-2.x']],
  proxmoxTokenName: [
    ['mc', 'mc'],
    ['a@pam!M-c.p_1', 'a@pam!M-c.p_1'],
  ],
  proxmoxTokenCommand: [['pass show pve', 'pass show pve']],
  proxmoxTokenKeychain: ['yes', 'no', 'true', 'false', '1', '0', 'YES', 'False'].map((word) => [
    word,
    /^(yes|true|1)$/i.test(word),
  ]),
  proxmoxFingerprint: [
    ['aB:'.repeat(32).slice(0, -1), [Array(32).fill('AB').join(':')]],
    ['09'.repeat(32), [Array(32).fill('09').join(':')]],
  ],
  proxmoxTimeoutS: [
    ['1', 1],
    ['600', 600],
  ],
  sshHost: [
    ['[fe80::1]', 'fe80::1'],
    ['192.0.2.1', '192.0.2.1'],
  ],
  sshUser: [['dom\\user', 'dom\\user']],
  sshAgent: [['none', undefined]],
  sshKnownHosts: [['C:\\Users\\me\\known_hosts', 'C:\\Users\\me\\known_hosts']],
  sshConfig: [
    ['none', undefined],
    ['\\\\server\\share\\config', '\\\\server\\share\\config'],
    ['d:/config', 'd:/config'],
  ],
  sshConnectTimeoutS: [
    ['1', 1],
    ['120', 120],
  ],
  webhookEvents: [['host.recovered, host.unreachable', ['host.recovered', 'host.unreachable']]],
  mode: ['read-only', 'guarded', 'ask', 'trusted'].map((mode) => [mode, mode]),
  toolsets: [
    ['full', ['full']],
    ['pve,ssh,core', ['pve', 'ssh', 'core']],
  ],
  protectedGuests: [
    ['100', [100]],
    ['999999999,100', [999_999_999, 100]],
    [',', []],
  ],
  confirmTimeoutS: [
    ['5', 5],
    ['3600', 3600],
  ],
  answerChars: [
    ['2000', 2000],
    ['500000', 500_000],
  ],
  taskWaitS: [
    ['1', 1],
    ['85', 85],
  ],
  commandTimeoutS: [
    ['1', 1],
    ['3600', 3600],
  ],
};

it.each(
  Object.entries(RIGHT).flatMap(([key, pairs]) => pairs.map(([text, value]) => [key as Key, text, value] as const)),
)('%s may be %j', (key, text, value) => {
  const { settings, problems } = new Home().load({ env: { ...TOKEN, [settingOf(key).env]: text } });
  expect(problems.filter(({ cause }) => cause.includes('must be'))).toEqual([]);
  expect(settings[key]).toEqual(value);
});

it.each([
  ['MCP_WEBHOOK_URL', ' https://hooks.example.com/a?b=c ', 'https://hooks.example.com/a?b=c'],
  ['MCP_WEBHOOK_SECRET', ` whsec_${KEY} `, KEY],
  ['MCP_WEBHOOK_SECRET', KEY, KEY],
  ['MCP_WEBHOOK_SECRET', `${'QUFB'.repeat(21)}QQ==`, `${'QUFB'.repeat(21)}QQ==`],
] as const)('%s may be %j, which is a secret', (env, text, value) => {
  const { problems, secrets, scrub } = new Home().load({ env: { ...TOKEN, [env]: text } });
  expect(problems.filter(({ cause }) => cause.includes('must be'))).toEqual([]);
  expect(secrets.map((secret) => secret.reveal())).toEqual(['a-b-c', value]);
  expect(scrub).toContain(env);
});

it('says why a webhook that is set would not be posted to', () => {
  const told = (env: Record<string, string>) =>
    new Home().load({ env: { ...TOKEN, ...env } }).problems.map(({ cause, cure }) => [cause, cure]);
  const url = { MCP_WEBHOOK_URL: 'https://hooks.example.com/' };
  const secret = { MCP_WEBHOOK_SECRET: KEY };
  expect(told({ ...url, ...secret })).toEqual([]);
  expect(told(secret)).toEqual([]);
  expect(told(url)).toEqual([
    [
      'MCP_WEBHOOK_URL is set and MCP_WEBHOOK_SECRET is not, so no event is posted.',
      'Set it to whsec_ and, right behind it, what this prints: openssl rand -base64 32',
    ],
  ]);
  const plain = { MCP_WEBHOOK_URL: ' HTTP://192.168.1.2/http:', ...secret };
  expect(told(plain)).toEqual([
    [
      'MCP_WEBHOOK_URL begins with http://, so nothing is posted there.',
      'Use https://, or set MCP_WEBHOOK_HTTP=yes if it leads to this machine or a private network.',
    ],
  ]);
  expect(told({ ...plain, MCP_WEBHOOK_HTTP: 'yes' })).toEqual([]);
  expect(told({ ...secret, MCP_WEBHOOK_URL: 'https://a.example.com/?http:' })).toEqual([]);
});

it('has a CA for webhooks beside that of the API', () => {
  const home = new Home();
  const file = home.write('ca.pem', '-----BEGIN CERTIFICATE-----\n');
  const { clusters, webhookCa, problems } = home.load({ env: { ...TOKEN, MCP_WEBHOOK_CA_FILE: file } });
  expect([clusters[0].ca, webhookCa, problems]).toEqual([undefined, '-----BEGIN CERTIFICATE-----\n', []]);
  expect(home.load({ env: { ...TOKEN, MCP_WEBHOOK_CA_FILE: '/no/ca.pem' } }).problems).toEqual([
    {
      cause:
        'MCP_WEBHOOK_CA_FILE (environment variable MCP_WEBHOOK_CA_FILE) names a file that cannot be used: there is no such file.',
      cure: 'Name a PEM file.',
      blocks: undefined,
    },
  ]);
});

it('takes what only contains a placeholder as it is', () => {
  const load = (text: string) => new Home().load({ env: { ...TOKEN, MCP_OUTPUT_DIR: text } });
  expect(load(`/a/${placeholder('b')}`).settings.outputDir).toBe(`/a/${placeholder('b')}`);
  expect(load(`${placeholder('b')}/a`).problems[0]?.cause).toMatch(/^MCP_OUTPUT_DIR .* must be an absolute path/);
  expect(load(` ${placeholder('b')} `).problems).toEqual([]);
});

it('has these values where nothing is set', () => {
  const home = new Home();
  const { settings, sources, problems, secrets, token, clusters, defaultFile, settingsFile } = home.load();
  expect(settings).toEqual({
    proxmoxPort: 8006,
    proxmoxUser: 'root@pam',
    proxmoxCluster: 'main',
    proxmoxTokenKeychain: false,
    proxmoxTimeoutS: 30,
    sshPort: 22,
    sshUser: 'root',
    sshKnownHosts: `${home.path}/.ssh/known_hosts`,
    sshAcceptNew: false,
    sshConfig: `${home.path}/.ssh/config`,
    sshConnectTimeoutS: 15,
    inventoryFile: `${home.path}/.config/proxmox-ssh-mcp/hosts.json`,
    mode: 'guarded',
    toolsets: ['core'],
    protectedGuests: [],
    auditFile: `${home.path}/.local/state/proxmox-ssh-mcp/audit.jsonl`,
    auditMaxMib: 64,
    auditKeepDays: 0,
    confirmTimeoutS: 120,
    approveInTerminal: false,
    outputDir: `${home.path}/.local/state/proxmox-ssh-mcp/outputs`,
    transferDir: `${home.path}/.local/state/proxmox-ssh-mcp/files`,
    answerChars: 30_000,
    taskWaitS: 60,
    commandTimeoutS: 60,
    webhookEvents: [
      'host.unreachable',
      'host.recovered',
      'hostkey.changed',
      'task.failed',
      'guard.refused',
      'change.made',
    ],
    webhookHttp: false,
  });
  expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
  expect(problems.map(({ cause }) => cause)).toEqual([
    'PROXMOX_HOST, PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE are not set.',
  ]);
  expect([secrets, token, clusters[0].ca, settingsFile, defaultFile]).toEqual([
    [],
    undefined,
    undefined,
    undefined,
    home.settingsFile,
  ]);
  const { ownKnownHosts, auditHeads, httpTokenFile, approvals, cacheFolder } = home.load();
  expect({ ownKnownHosts, auditHeads, httpTokenFile, approvals, cacheFolder }).toEqual({
    ownKnownHosts: `${home.path}/.config/proxmox-ssh-mcp/known_hosts`,
    auditHeads: `${home.path}/.local/state/proxmox-ssh-mcp-seals`,
    httpTokenFile: `${home.path}/.config/proxmox-ssh-mcp/http-token`,
    approvals: {
      folder: `${home.path}/.local/state/proxmox-ssh-mcp/approvals`,
      keyFile: `${home.path}/.config/proxmox-ssh-mcp/approvals.key`,
    },
    cacheFolder: `${home.path}/.cache/proxmox-ssh-mcp`,
  });
  const xdg = home.load({ env: { XDG_STATE_HOME: '/state', XDG_CACHE_HOME: '/cache' } });
  expect([xdg.auditHeads, xdg.approvals.folder, xdg.cacheFolder]).toEqual([
    '/state/proxmox-ssh-mcp-seals',
    '/state/proxmox-ssh-mcp/approvals',
    '/cache/proxmox-ssh-mcp',
  ]);
});
