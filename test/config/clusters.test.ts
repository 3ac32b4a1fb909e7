import { describe, expect, it } from 'vitest';
import { parseHosts } from '../../src/config/hostsfile.ts';
import type { Loaded, Surroundings } from '../../src/config/load.ts';
import { Home } from './home.ts';

const PIN = Array.from({ length: 32 }, () => 'AB').join(':');
const TOKEN = { id: 'root@pam!mcp', variable: 'ATTIC_TOKEN' };
const ATTIC = { host: 'attic.example.com', token: TOKEN };

const cluster = (entry: unknown, name = 'attic') => parseHosts(JSON.stringify({ clusters: { [name]: entry } }));

interface Given {
  readonly clusters?: unknown;
  readonly text?: string;
  readonly mode?: number;
  readonly env?: Record<string, string>;
  readonly settings?: string;
  readonly command?: (command: string) => string;
  readonly keychain?: (account: string) => string | undefined;
}

function load({ clusters = { attic: ATTIC }, text, mode, env, settings = '', command, keychain }: Given = {}): Loaded {
  const home = new Home();
  const file = home.write('hosts.json', text ?? JSON.stringify({ clusters }), mode);
  home.settings(`PROXMOX_HOST=pve\nPROXMOX_TOKEN_NAME=mcp\nPROXMOX_TOKEN_VALUE=main-secret\n${settings}`);
  return home.load({
    env: { MCP_INVENTORY_FILE: file, ATTIC_TOKEN: 'attic-secret', ...env },
    run: command ?? (() => ''),
    keychain: keychain ?? (() => undefined),
  });
}

const attic = (loaded: Loaded) => loaded.clusters[1];
const why = (given: Given) => attic(load(given))?.problem?.cause;

describe('a cluster of the inventory file', () => {
  it.each([
    ATTIC,
    { ...ATTIC, host: 'a,b:8007', port: 443, fingerprint: PIN, caFile: '~/ca.pem', mode: 'read-only' },
    { ...ATTIC, protectedGuests: [100, 999_999_999], token: { id: 'a@pve!b1', command: 'pass show x' } },
    { ...ATTIC, token: { id: 'a@pve!b1', keychain: true } },
  ])('may be %j', (entry) => expect(cluster(entry)).not.toHaveProperty('wrong'));

  it.each([
    [{}, 'host'],
    [{ host: 'pve' }, 'token'],
    [{ ...ATTIC, host: 'https://pve' }, 'host: must be a host name'],
    [{ ...ATTIC, port: 0 }, 'port'],
    [{ ...ATTIC, token: { id: 'root@pam!mcp' } }, 'token: needs one of variable, command, keychain'],
    [{ ...ATTIC, token: { ...TOKEN, command: 'x' } }, 'token: needs one of'],
    [{ ...ATTIC, token: { ...TOKEN, id: 'mcp' } }, 'token.id: must be user@realm!name'],
    [{ ...ATTIC, token: { ...TOKEN, secret: 'x' } }, 'token: Unrecognized key: "secret"'],
    [{ ...ATTIC, token: { ...TOKEN, variable: 'a b' } }, 'token.variable: must be the name'],
    [{ ...ATTIC, fingerprint: 'AA:BB' }, 'fingerprint: must be a SHA-256'],
    [{ ...ATTIC, caFile: 'ca.pem' }, 'caFile: must be an absolute path'],
    [{ ...ATTIC, mode: 'yes' }, 'mode'],
    [{ ...ATTIC, protectedGuests: [99] }, 'protectedGuests.0'],
    [{ ...ATTIC, protectedGuests: ['web'] }, 'protectedGuests.0'],
    [{ ...ATTIC, other: 1 }, 'Unrecognized key: "other"'],
  ])('may not be %j', (entry, says) => {
    expect(cluster(entry)).toEqual({ wrong: expect.stringContaining(says) });
  });

  it.each(['a b', 'a.b', '-a', 'a@b', ''])('may not be called "%s"', (name) => {
    expect(cluster(ATTIC, name)).toEqual({ wrong: expect.stringMatching(/^clusters/) });
  });

  it('has its own address, pin, token, mode and protected guests; what it does not say is as in the settings', () => {
    const full = { ...ATTIC, port: 443, fingerprint: PIN, mode: 'read-only', protectedGuests: [100] };
    const loaded = load({ clusters: { attic: full }, settings: 'MCP_MODE=ask\nMCP_PROTECTED_GUESTS=200\n' });
    expect(loaded.problems).toEqual([]);
    expect(loaded.clusters).toMatchObject([
      { name: 'main', endpoints: [{ host: 'pve', port: 8006 }], mode: 'ask', protectedGuests: [200] },
      {
        name: 'attic',
        endpoints: [{ host: 'attic.example.com', port: 443 }],
        fingerprint: [PIN],
        mode: 'read-only',
        protectedGuests: [100],
        token: { id: 'root@pam!mcp' },
      },
    ]);
    expect(attic(loaded)?.token?.secret.reveal()).toBe('attic-secret');
    expect(attic(load({ settings: 'MCP_MODE=ask\nPROXMOX_PORT=1234\n' }))).toMatchObject({
      mode: 'ask',
      protectedGuests: [],
      endpoints: [{ port: 1234 }],
    });
  });

  it('is read-only whatever it says where a safety setting cannot be read', () => {
    const trusting = { attic: { ...ATTIC, mode: 'trusted' } };
    expect(attic(load({ clusters: trusting, settings: 'MCP_PROTECTED_GUESTS=web\n' }))?.mode).toBe('read-only');
    expect(attic(load({ clusters: trusting }))?.mode).toBe('trusted');
  });
});

describe('the secret of its token', () => {
  it('is in a variable of the environment or of the settings file, which is no unknown setting then', () => {
    const named = { attic: { ...ATTIC, token: { ...TOKEN, variable: 'PROXMOX_ATTIC_TOKEN' } } };
    const loaded = load({ clusters: named, settings: 'PROXMOX_ATTIC_TOKEN=from-file\n' });
    expect([loaded.problems, attic(loaded)?.token?.secret.reveal()]).toEqual([[], 'from-file']);
    const both = load({
      clusters: named,
      settings: 'PROXMOX_ATTIC_TOKEN=x\n',
      env: { PROXMOX_ATTIC_TOKEN: 'from-env' },
    });
    expect(attic(both)?.token?.secret.reveal()).toBe('from-env');
  });

  it('hides nothing that is said of a setting of that name', () => {
    const named = { attic: { ...ATTIC, token: { ...TOKEN, variable: 'MCP_PROTECTED_GUESTS' } } };
    const { problems } = load({ clusters: named, settings: 'MCP_PROTECTED_GUESTS=web\n' });
    expect(problems[0]?.cause).toMatch(/^MCP_PROTECTED_GUESTS \(.*\) must be VMIDs/);
  });

  it('is what a command prints, or in the keychain', () => {
    const by = (token: object) => ({ attic: { ...ATTIC, token: { id: 'root@pam!mcp', ...token } } });
    const printed = load({ clusters: by({ command: 'show x' }), command: (line) => (line === 'show x' ? 'said' : '') });
    expect(attic(printed)?.token?.secret.reveal()).toBe('said');
    const kept = load({
      clusters: by({ keychain: true }),
      keychain: (id) => (id === 'attic/root@pam!mcp' ? 'kept' : undefined),
    });
    expect(attic(kept)?.token?.secret.reveal()).toBe('kept');
    expect(why({ clusters: by({ keychain: true }) })).toContain(
      'the keychain has none for root@pam!mcp (proxmox-ssh-mcp cluster-secret attic puts it there)',
    );
    const locked = () => {
      throw new Error('it is locked.');
    };
    expect(why({ clusters: by({ keychain: true }), keychain: locked })).toContain('gives no secret: it is locked.');
    expect(why({ clusters: by({ command: 'x' }) })).toContain('the command of its token has none');
  });

  it('is taken out of answers and of the environment', () => {
    const { secrets, scrub } = load();
    expect(secrets.map((secret) => secret.reveal())).toEqual(expect.arrayContaining(['main-secret', 'attic-secret']));
    expect(scrub).toContain('ATTIC_TOKEN');
  });

  it('where it is wrong, is a problem of that cluster alone, and not shown', () => {
    const loaded = load({ env: { ATTIC_TOKEN: 'root@pam!mcp=abc' } });
    expect(loaded.clusters[0].problem).toBeUndefined();
    expect(attic(loaded)?.token).toBeUndefined();
    expect(loaded.problems.map(({ cause }) => cause)).toEqual([
      'The cluster attic cannot be used: ATTIC_TOKEN must be the secret of the token alone, without user@realm!name= before it.',
    ]);
    expect(why({ env: { ATTIC_TOKEN: '' } })).toBe('The cluster attic cannot be used: ATTIC_TOKEN is not set.');
    expect(why({ clusters: { attic: { ...ATTIC, caFile: '/no/ca.pem' } } })).toBe(
      'The cluster attic cannot be used: its caFile cannot be used: there is no such file.',
    );
  });
});

describe('the file that describes clusters', () => {
  const blocked = (given: Given) => {
    const { clusters, problems } = load(given);
    expect(clusters).toHaveLength(1);
    expect(clusters[0].problem).toEqual(problems[0]);
    return problems.map(({ cause, blocks }) => [cause, blocks]);
  };

  it('has to be right, or nobody can tell which cluster a call is about', () => {
    expect(blocked({ clusters: { attic: { host: 'pve' } } })).toEqual([
      [expect.stringMatching(/is not used: clusters\.attic\.token: .* It may describe clusters\.$/), ['pve']],
    ]);
    expect(load({ text: '{ "hosts": [] }' }).problems).toEqual([]);
  });

  it('has to be the own of who runs this', () => {
    expect(blocked({ mode: 0o620 })).toEqual([[expect.stringContaining('other users can change it'), ['pve']]]);
    expect(load({ mode: 0o644 }).problems).toEqual([]);
    expect(load({ text: '{}', mode: 0o666 }).problems).toEqual([]);
  });

  it('has to call them otherwise than the settings call theirs', () => {
    expect(blocked({ clusters: { main: ATTIC } })).toEqual([[expect.stringContaining('a cluster main'), ['pve']]]);
    expect(load({ clusters: { main: ATTIC }, settings: 'PROXMOX_CLUSTER=home\n' }).problems).toEqual([]);
  });
});

describe('what a cluster is reached with', () => {
  function reached(given: Partial<Surroundings> = {}, entry: object = {}): Loaded {
    const home = new Home();
    home.write('ca.pem', 'text\n-----BEGIN CERTIFICATE-----\n');
    const file = home.write('hosts.json', JSON.stringify({ clusters: { attic: { ...ATTIC, ...entry } } }));
    const env = { PROXMOX_HOST: 'pve', PROXMOX_TOKEN_NAME: 'mcp', PROXMOX_TOKEN_VALUE: 'main-secret' };
    return home.load({
      env: { ...env, MCP_INVENTORY_FILE: file, ATTIC_TOKEN: 'attic-secret', PROXMOX_TIMEOUT_S: '7' },
      ...given,
    });
  }

  it('is its own CA, below the home folder too, and the time of the settings', () => {
    const { clusters, problems } = reached({}, { caFile: '~/ca.pem' });
    expect(problems).toEqual([]);
    expect(clusters.map(({ ca, timeoutMs }) => [ca, timeoutMs])).toEqual([
      [undefined, 7_000],
      ['text\n-----BEGIN CERTIFICATE-----\n', 7_000],
    ]);
  });

  it('is not what somebody else may have written, where files have owners', () => {
    const { clusters, problems } = reached({ uid: 7 });
    expect(clusters).toHaveLength(1);
    expect(problems[0]?.cure).toBe('Make it yours alone: chown it to uid 7, and chmod 600.');
    expect(reached({ uid: undefined, stat: () => ({ mode: 0o666, uid: 3 }) }).clusters).toHaveLength(2);
  });
});
