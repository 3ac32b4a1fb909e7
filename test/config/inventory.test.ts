import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import type { ClusterNode } from '../../src/config/hostbook.ts';
import { createHosts, type Inventory } from '../../src/config/inventory.ts';
import type { Failure } from '../../src/failure.ts';
import { Home } from './home.ts';

type Env = Record<string, string>;

function hostsOf(home: Home, env: Env = {}, nodes: readonly ClusterNode[] | Error = []): Inventory {
  return createHosts(home.load({ env }), {
    ...ground(),
    home: home.path,
    localUser: 'me',
    nodes: async () => {
      if (nodes instanceof Error) throw nodes;
      return nodes;
    },
  });
}

describe('several clusters', () => {
  const further = (nodes: readonly ClusterNode[] | Error) =>
    new Map([
      [
        'attic',
        async () => {
          if (nodes instanceof Error) throw nodes;
          return nodes;
        },
      ],
    ]);
  const hostsOfBoth = (home: Home, attic: readonly ClusterNode[] | Error, env: Env = {}): Inventory =>
    createHosts(home.load({ env: { PROXMOX_HOST: 'pve.example.com', PROXMOX_CLUSTER: 'home', ...env } }), {
      ...ground(),
      home: home.path,
      localUser: 'me',
      nodes: async () => NODES,
      further: further(attic),
    });
  const ATTIC = [{ name: 'pve1', address: '198.51.100.1', local: true }];

  it('have their nodes by names that are not mixed up, and what runs in a container goes to its own', async () => {
    const hosts = hostsOfBoth(new Home(), ATTIC);
    expect((await hosts.list()).map(({ spec, cluster }) => [spec.name, spec.address, cluster])).toEqual([
      ['pve1', 'pve.example.com', 'home'],
      ['pve1.attic', '198.51.100.1', 'attic'],
      ['pve2', '192.0.2.2', 'home'],
    ]);
    const address = async (cluster: string | undefined, node: string) =>
      (await hosts.of(cluster).ofNode(node)).spec.address;
    expect(await address('home', 'pve1')).toBe('pve.example.com');
    expect(await address(undefined, 'pve1')).toBe('pve.example.com');
    expect(await address('attic', 'pve1')).toBe('198.51.100.1');
    expect(await failure(hosts.of('attic').ofNode('pve2'))).toMatchObject({ kind: 'not-found' });
  });

  it('leave the settings of SSH to the first: no password and no jump host of it is for another', async () => {
    const home = new Home();
    sshConfig(home, 'Host pve.example.com\n  ProxyJump gate\n');
    const env = { SSH_PASSWORD: 'secret', SSH_SUDO_PASSWORD: 'secret', SSH_PORT: '2222', SSH_USER: 'admin' };
    const hosts = hostsOfBoth(home, ATTIC, env);
    const there = await spec(hosts, 'pve1.attic');
    expect([there.password, there.sudoPassword, there.port, there.via]).toEqual([undefined, undefined, 22, undefined]);
    const here = await spec(hosts, 'pve2');
    expect([here.password?.reveal(), here.port, here.via?.length]).toEqual(['secret', 2222, 1]);
  });

  it('are not taken for each other where both say the same address', async () => {
    const home = new Home();
    const attic = [{ name: 'pve1', address: 'pve.example.com' }];
    expect(await failure(spec(hostsOfBoth(home, attic), 'pve1.attic'))).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('the host of the settings, of home'),
      hint: expect.stringContaining('Describe pve1.attic in the inventory file'),
    });
    inventory(home, { 'pve1.attic': { address: '10.8.0.2' }, inner: { address: '10.8.0.3', via: 'pve1.attic' } });
    expect((await spec(hostsOfBoth(home, attic), 'pve1.attic')).address).toBe('10.8.0.2');
    expect((await spec(hostsOfBoth(home, attic), 'inner')).via?.[0]?.address).toBe('10.8.0.2');
  });

  it('tell the hosts of their own by address, or as the inventory file says', async () => {
    const home = new Home();
    inventory(home, {
      'pve1.attic': { port: 2200 },
      box: { address: '198.51.100.1' },
      web: { address: '203.0.113.1' },
      said: { address: '203.0.113.2', cluster: 'attic' },
      two: { address: '192.0.2.2' },
    });
    const both = hostsOfBoth(home, [...ATTIC, { name: 'same', address: '192.0.2.2' }]);
    expect((await both.unusable()).map(({ name }) => name)).toEqual(['same.attic']);
    const of = async (hosts: Inventory) =>
      Object.fromEntries((await hosts.list()).map(({ spec, cluster }) => [spec.name, cluster]));
    // An address that both have tells nothing.
    const expected = { box: 'attic', web: 'home', said: 'attic', two: 'home', 'pve1.attic': 'attic' };
    expect(await of(both)).toMatchObject(expected);
    expect((await spec(both, 'pve1.attic')).port).toBe(2200);
    await expect(both.of('attic').ofNode('same')).rejects.toMatchObject({
      kind: 'misconfigured',
      message: 'same.attic is said to be at 192.0.2.2, and so is pve2, of home.',
    });
    expect(await of(hostsOfBoth(home, new Error('down')))).toMatchObject({ said: 'attic', box: 'home', pve1: 'home' });
  });
});

const sshConfig = (home: Home, text: string) => home.write('.ssh/config', text);
const inventory = (home: Home, hosts: unknown) =>
  home.write('.config/proxmox-ssh-mcp/hosts.json', JSON.stringify({ hosts }));
const spec = async (hosts: Inventory, name: string) => (await hosts.find(name)).spec;
const failure = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => expect.unreachable(),
    (e) => e,
  );

const NODES: ClusterNode[] = [
  { name: 'pve1', address: '192.0.2.1', local: true },
  { name: 'pve2', address: '192.0.2.2' },
];

describe('the main host', () => {
  it('is named after the node that answers the API when SSH goes to the same place', async () => {
    const hosts = hostsOf(new Home(), { PROXMOX_HOST: 'pve.example.com' }, NODES);
    const { spec: main, source } = await hosts.find('pve1');
    expect(source).toBe('settings');
    expect(main).toMatchObject({ name: 'pve1', address: 'pve.example.com', user: 'root', port: 22 });
    expect((await hosts.find('pve.example.com')).spec.name).toBe('pve1');
  });

  it('is not taken for the node that answers when several might have answered', async () => {
    const hosts = hostsOf(new Home(), { PROXMOX_HOST: 'pve2.example.com,pve1.example.com' }, NODES);
    expect((await hosts.list()).map(({ spec: { name, address }, source }) => [name, address, source])).toEqual([
      ['pve1', '192.0.2.1', 'node'],
      ['pve2', '192.0.2.2', 'node'],
      ['pve2.example.com', 'pve2.example.com', 'settings'],
    ]);
  });

  it('is named after the node whose address it is', async () => {
    const hosts = hostsOf(new Home(), { PROXMOX_HOST: 'vip.example.com', SSH_HOST: '192.0.2.2' }, NODES);
    expect((await hosts.list()).map(({ spec: { name, address }, source }) => [name, address, source])).toEqual([
      ['pve1', '192.0.2.1', 'node'],
      ['pve2', '192.0.2.2', 'settings'],
    ]);
  });

  it('is not taken for a node that is only called alike', async () => {
    const hosts = hostsOf(new Home(), { PROXMOX_HOST: 'vip', SSH_HOST: 'pve1.other-site.com' }, NODES);
    expect(await spec(hosts, 'pve1')).toMatchObject({ address: '192.0.2.1' });
    expect(await spec(hosts, 'pve1.other-site.com')).toMatchObject({ address: 'pve1.other-site.com' });
  });

  it('goes by its own name when no node is known, and by "main" when that is no name', async () => {
    expect((await hostsOf(new Home(), { SSH_HOST: '192.0.2.9' }, new Error('down')).list())[0]?.spec.name).toBe(
      '192.0.2.9',
    );
    expect((await hostsOf(new Home(), { SSH_HOST: '2001:db8::1' }).list())[0]?.spec.name).toBe('main');
    expect(await hostsOf(new Home()).list()).toEqual([]);
  });

  it('may be an alias, over which settings that were set win', async () => {
    const home = new Home();
    sshConfig(home, 'Host lab\n  HostName 192.0.2.1\n  Port 2222\n  User ops\n');
    expect(await spec(hostsOf(home, { SSH_HOST: 'lab' }), 'lab')).toMatchObject({
      address: '192.0.2.1',
      port: 2222,
      user: 'ops',
    });
    const env = { SSH_HOST: 'lab', SSH_USER: 'root', SSH_PORT: '22' };
    expect(await spec(hostsOf(home, env), 'lab')).toMatchObject({ address: '192.0.2.1', port: 22, user: 'root' });
    const hosts = hostsOf(home, env, NODES);
    expect((await hosts.list()).map(({ spec: { name }, source }) => [name, source])).toEqual([
      ['pve1', 'settings'],
      ['pve2', 'node'],
    ]);
    expect(await spec(hosts, 'lab')).toEqual(await spec(hosts, 'pve1'));
  });
});

describe('~/.ssh/config', () => {
  it('gives names that are spelt out; wildcards apply and are not listed', async () => {
    const home = new Home();
    const key = home.write('.ssh/web key', 'x');
    sshConfig(
      home,
      `Host web1 web2 !old *.lab\n  HostName %h.example.com\nHost web*\n  User deploy\n  IdentityFile ~/.ssh/missing\n  IdentityFile "~/.ssh/web key"\nHost *\n  Port 2200\n`,
    );
    const hosts = hostsOf(home, {});
    expect((await hosts.list()).map(({ spec: { name } }) => name)).toEqual(['web1', 'web2']);
    expect(await hosts.find('web1')).toMatchObject({
      source: 'ssh config',
      spec: { address: 'web1.example.com', user: 'deploy', port: 2200, keyPath: key },
    });
  });

  it('logs in as ssh(1) would, with the key of the settings but not with their passwords', async () => {
    const home = new Home();
    const key = home.write('.ssh/proxmox_mcp', 'x');
    home.write('.ssh/agent-only.pub', 'x');
    sshConfig(home, 'Host web1\n  IdentityFile ~/.ssh/agent-only.pub\n');
    const env = {
      SSH_HOST: 'pve',
      SSH_USER: 'ops',
      SSH_PASSWORD: 'p',
      SSH_SUDO_PASSWORD: 's',
      SSH_KEY_PASSPHRASE: 'k',
    };
    const hosts = hostsOf(home, env);
    const web = await spec(hosts, 'web1');
    expect(web).toMatchObject({ user: 'me', keyPath: key });
    expect(web.keyPassphrase?.reveal()).toBe('k');
    expect([web.password, web.sudoPassword]).toEqual([undefined, undefined]);
    const main = await spec(hosts, 'pve');
    expect([main.user, main.password?.reveal(), main.sudoPassword?.reveal()]).toEqual(['ops', 'p', 's']);
  });

  it('has the passphrase of the settings for their own key alone', async () => {
    const home = new Home();
    home.write('.ssh/proxmox_mcp', 'x');
    const own = home.write('.ssh/web', 'x');
    sshConfig(home, 'Host web1\n  IdentityFile ~/.ssh/web\n');
    const web = await spec(hostsOf(home, { SSH_KEY_PASSPHRASE: 'k' }), 'web1');
    expect([web.keyPath, web.keyPassphrase]).toEqual([own, undefined]);
  });

  it('resolves chains of ProxyJump, each hop by its own name', async () => {
    const home = new Home();
    sshConfig(
      home,
      `Host gate\n  HostName gate.example.com\n  User jump\n  Port 2022\nHost inner\n  HostName 10.0.0.1\n  ProxyJump gate\nHost deep\n  HostName 10.0.0.2\n  ProxyJump me@inner:23,[2001:db8::5]:24\nHost byhand\n  ProxyCommand ssh -q -W %h:%p gate\n`,
    );
    const hosts = hostsOf(home);
    const way = async (name: string) =>
      (await spec(hosts, name)).via?.map(({ user, address, port, via }) => `${user}@${address}:${port}${via ?? ''}`);
    expect(await way('inner')).toEqual(['jump@gate.example.com:2022']);
    expect(await way('deep')).toEqual(['jump@gate.example.com:2022', 'me@10.0.0.1:23', 'me@2001:db8::5:24']);
    expect(await way('byhand')).toEqual(['jump@gate.example.com:2022']);
    expect(await way('gate')).toBeUndefined();
  });

  it('tells circles and other proxy commands when such a host is asked for, and leaves it out of the list', async () => {
    const home = new Home();
    sshConfig(home, 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost c\n  ProxyCommand nc %h %p\nHost d\n');
    const hosts = hostsOf(home);
    expect((await hosts.list()).map(({ spec: { name } }) => name)).toEqual(['d']);
    expect(await failure(hosts.find('a'))).toMatchObject({
      kind: 'misconfigured',
      message: 'The way to a goes in a circle: a through b through a.',
    });
    expect((await failure(hosts.find('c'))).message).toBe(
      '~/.ssh/config reaches c by ProxyCommand (nc %h %p), which is never run.',
    );
  });

  it('follows Include, with the section going on after it', async () => {
    const home = new Home();
    home.write('.ssh/conf.d/10-web', 'Host web1\n  HostName 10.0.0.1\n');
    home.write('.ssh/conf.d/20-db', 'Host db1\n  HostName 10.0.0.2\n');
    home.write('.ssh/conf.d/.hidden', 'Host hidden\n');
    sshConfig(home, 'Include conf.d/*\nInclude ~/.ssh/none\nHost main1\n  Include conf.d/10-web\n  User ops\n');
    const hosts = hostsOf(home);
    expect((await hosts.list()).map(({ spec: each }) => `${each.user}@${each.address}`)).toEqual([
      'me@10.0.0.2',
      'ops@main1',
      'me@10.0.0.1',
    ]);
  });

  it('survives a loop of Includes and says what it cannot understand', async () => {
    const home = new Home();
    const path = sshConfig(home, 'Host a\nInclude config\nHost "b\n');
    const hosts = hostsOf(home, { SSH_HOST: 'pve' });
    expect((await hosts.list()).map(({ spec: { name } }) => name)).toEqual(['pve']);
    expect((await failure(hosts.find('a'))).hint).toContain(`The SSH configuration ${path} cannot be understood:`);
  });

  it('starts no program, whatever it says', async () => {
    const home = new Home();
    const proof = `${home.path}/proof`;
    const bin = home.write('bin/nslookup', `#!/bin/sh\ntouch ${proof}\n`, 0o755);
    vi.stubEnv('PATH', `${dirname(bin)}:${process.env.PATH}`);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    sshConfig(
      home,
      `CanonicalizeHostName yes\nCanonicalDomains example.com\nMatch exec "touch ${proof}"\n  User x\nHost web1\n  CanonicalizeHostName yes\n  CanonicalDomains example.com example.org\n`,
    );
    expect((await spec(hostsOf(home), 'web1')).user).toBe('me');
    expect(existsSync(proof)).toBe(false);
  });

  it('takes the agent it names, unless a setting says otherwise', async () => {
    const home = new Home();
    sshConfig(
      home,
      'Host a\n  IdentityAgent "~/one.sock"\nHost b\n  IdentityAgent none\nHost c\nHost d\n  IdentityAgent SSH_AUTH_SOCK\n',
    );
    const agents = async (env: Env) => {
      const hosts = hostsOf(home, { SSH_AUTH_SOCK: '/run/agent', ...env });
      return Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await spec(hosts, name)).agent));
    };
    expect(await agents({})).toEqual([`${home.path}/one.sock`, undefined, '/run/agent', '/run/agent']);
    expect(await agents({ SSH_AGENT: 'none' })).toEqual(Array(4).fill(undefined));
    expect(await agents({ SSH_AGENT: '/run/mine' })).toEqual(Array(4).fill('/run/mine'));
  });
});

describe('the names of ~/.ssh/config', () => {
  it('are hosts where a target can name them', async () => {
    const home = new Home();
    sshConfig(home, 'Host ok a/b -x x- [y] 192.0.2.7\n');
    expect((await hostsOf(home).list()).map(({ spec: { name } }) => name)).toEqual(['192.0.2.7', 'ok']);
  });

  it('are logged in to as the settings say where nobody is known to be here', async () => {
    const home = new Home();
    sshConfig(home, 'Host web1\n');
    const around = { ...ground(), home: home.path, localUser: undefined, nodes: async () => [] };
    const user = async (env: Env) => (await createHosts(home.load({ env }), around).find('web1')).spec.user;
    expect([await user({}), await user({ SSH_USER: 'ops' })]).toEqual(['root', 'ops']);
  });
});

describe('a host of ~/.ssh/config', () => {
  it('has its HostKeyAlias, IdentitiesOnly and the key that is there, be it the public half for an agent', async () => {
    const home = new Home();
    const own = home.write('.ssh/id_ed25519', 'x');
    const half = home.write('.ssh/half.pub', 'x');
    sshConfig(
      home,
      `Host a\n  HostKeyAlias A.Alias\n  IdentitiesOnly yes\n  IdentityFile ~/.ssh/half\nHost b\n  IdentityFile none\nHost c\n  IdentitiesOnly no\nHost d\n  IdentityFile ~/.ssh/half.pub\n  IdentityFile ~/.ssh/id_ed25519\nHost *\n  IdentityAgent /run/agent\n`,
    );
    const hosts = hostsOf(home);
    expect(await spec(hosts, 'a')).toMatchObject({ hostKeyAlias: 'a.alias', identitiesOnly: true, keyPath: half });
    expect(await spec(hosts, 'b')).toMatchObject({ keyPath: undefined, hostKeyAlias: undefined });
    expect(await spec(hosts, 'c')).toMatchObject({ keyPath: own, identitiesOnly: false });
    expect((await spec(hosts, 'd')).keyPath).toBe(own);
    expect((await spec(hostsOf(home, { SSH_AGENT: 'none' }), 'a')).keyPath).toBe(own);
  });

  it('has every hop of a chain with its own alias and key check', async () => {
    const home = new Home();
    sshConfig(
      home,
      `Host *.inner\n  ProxyJump one,two\nHost one\n  ProxyJump zero\n  HostKeyAlias first\nHost zero\n  User z\nHost two\n  ProxyJump never\n  IdentitiesOnly yes\nHost x.inner\n  HostName 127.0.0.1\n  Port 2222\n  HostKeyAlias x\n`,
    );
    const { via, ...inner } = await spec(hostsOf(home), 'x.inner');
    expect(inner).toMatchObject({ address: '127.0.0.1', port: 2222, hostKeyAlias: 'x' });
    expect(
      via?.map(({ name, user, hostKeyAlias, identitiesOnly }) => [name, user, hostKeyAlias, identitiesOnly]),
    ).toEqual([
      ['zero', 'z', undefined, undefined],
      ['one', 'me', 'first', undefined],
      ['two', 'me', undefined, true],
    ]);
  });

  it('says what of it is never evaluated, and which hosts cannot be used as they are described', async () => {
    const home = new Home();
    const path = sshConfig(
      home,
      'Match originalhost web1 exec "true"\n  User x\nHost web1 web2\nHost c\n  ProxyCommand nc %h %p\nHost a\n  ProxyJump a\n',
    );
    const hosts = hostsOf(home);
    expect((await spec(hosts, 'web1')).notes).toEqual([
      `Note: ~/.ssh/config decides by exec (${path}:1), which is never evaluated.`,
    ]);
    expect((await spec(hosts, 'web2')).notes).toEqual([]);
    expect(await hosts.unusable()).toEqual([
      { name: 'a', why: 'The way to a goes in a circle: a through a.' },
      { name: 'c', why: '~/.ssh/config reaches c by ProxyCommand (nc %h %p), which is never run.' },
    ]);
    expect(hosts.problems().map(({ cause }) => cause)).toEqual([
      `"Match exec" is never run, so it counts as not matching (${path}:1).`,
      `ProxyCommand is never run, so hosts that need it cannot be reached (${path}:5).`,
    ]);
    inventory(home, { c: { via: 'web1' } });
    expect((await spec(hosts, 'c')).via).toMatchObject([{ name: 'web1' }]);
  });
});

describe('the inventory file', () => {
  it('says of hosts what nothing else does', async () => {
    const home = new Home();
    const about = {
      displayName: 'The web server',
      default: true,
      webhook: 'https://example.com/hook?x=1',
      hostKeyAlias: 'nat-web',
      limits: { commandsPerMinute: 30, concurrent: 4, connectsPerMinute: 6 },
    };
    inventory(home, { web1: { address: '127.0.0.1', port: 2222, ...about } });
    expect(await hostsOf(home).find('web1')).toMatchObject({
      displayName: about.displayName,
      usual: true,
      webhook: about.webhook,
      spec: { hostKeyAlias: about.hostKeyAlias, limits: about.limits },
    });
  });

  it('describes hosts, which may be reached through one another', async () => {
    const home = new Home();
    inventory(home, {
      gate: { address: '198.51.100.1', user: 'jump' },
      web1: { address: '10.0.0.1', port: 2222, keyPath: '~/k', purpose: 'shop', tags: ['docker'], via: 'gate' },
    });
    expect(await hostsOf(home).find('web1')).toMatchObject({
      source: 'inventory',
      purpose: 'shop',
      tags: ['docker'],
      spec: {
        address: '10.0.0.1',
        port: 2222,
        user: 'root',
        keyPath: `${home.path}/k`,
        via: [{ name: 'gate', address: '198.51.100.1', user: 'jump' }],
      },
    });
  });

  it.each([
    [{ web1: { adress: 'x' } }, 'hosts.web1'],
    [{ web1: { address: '10.0.0.1', password: 'x' } }, 'hosts.web1: Unrecognized key: "password"'],
    [{ web1: { address: '10.0.0.1', port: 0 } }, 'hosts.web1.port'],
    [{ web1: { address: 'https://x' } }, 'hosts.web1.address'],
    [{ 'ct/100': { address: '10.0.0.1' } }, 'hosts.ct/100'],
    [{ web1: { address: 'a', limits: { concurrent: 0 } } }, 'hosts.web1.limits.concurrent'],
    [{ web1: { address: 'a', limits: { perHour: 1 } } }, 'hosts.web1.limits: Unrecognized key: "perHour"'],
    [{ web1: { address: 'a', hostKeyAlias: '*' } }, 'hosts.web1.hostKeyAlias'],
    [{ web1: { address: 'a', webhook: 'http://x' } }, 'hosts.web1.webhook: must be an https URL'],
    [{ a: { address: 'a', default: true }, b: { address: 'b', default: true } }, 'hosts.b.default: "a" is the default'],
  ])('is refused when a field is wrong: %j', async (hosts, where) => {
    const home = new Home();
    const path = inventory(home, hosts);
    const found = hostsOf(home);
    expect(found.problems()[0]?.cause).toContain(`The inventory file ${path} is not used: ${where}`);
    expect(await found.list()).toEqual([]);
  });

  it('is refused when it is not JSON, and then an unknown host says so', async () => {
    const home = new Home();
    const path = home.write('.config/proxmox-ssh-mcp/hosts.json', '{ hosts:');
    const problem = await failure(hostsOf(home).find('web1'));
    expect(problem.hint).toContain(`The inventory file ${path} is not used`);
  });
});

describe('the webhooks of hosts', () => {
  const [one, two] = ['https://example.com/1', 'https://example.com/2'];

  it('are those of the file, the main host’s by the name of its node too', async () => {
    const home = new Home();
    inventory(home, {
      lab: { webhook: one },
      web1: { address: '10.0.0.1', webhook: two },
      web2: { address: '10.0.0.2' },
    });
    sshConfig(home, 'Host lab\n  HostName 192.0.2.1\n');
    const hosts = hostsOf(home, { SSH_HOST: 'lab' }, NODES);
    expect([...hosts.webhooks()]).toEqual([
      ['lab', one],
      ['web1', two],
    ]);
    await hosts.find('lab');
    expect([...hosts.webhooks()]).toEqual([
      ['lab', one],
      ['web1', two],
      ['pve1', one],
    ]);
  });

  it('are none where the file has none, whatever the main host is called', async () => {
    const home = new Home();
    for (const env of [{}, { SSH_HOST: 'lab' }] as Env[]) {
      const hosts = hostsOf(home, env, NODES);
      expect([...hosts.webhooks()]).toEqual([]);
      await hosts.list();
      expect([...hosts.webhooks()]).toEqual([]);
    }
  });
});

describe('what is told of a host that cannot be had', () => {
  it('is why, and what to do', async () => {
    const home = new Home();
    sshConfig(home, 'Host a\n  ProxyJump a\nHost c\n  ProxyCommand nc %h %p\n');
    inventory(home, {
      bad: { address: '10.0.0.1', via: 'me@' },
      worse: { address: '10.0.0.1', via: 'a:b:c' },
      loop: { address: '10.0.0.1', via: 'loop' },
    });
    const hosts = hostsOf(home);
    const told = async (name: string) => {
      const { kind, message, hint } = await failure(hosts.find(name));
      return [kind, message, hint];
    };
    const jump = 'Write [user@]host[:port] in ProxyJump or "via".';
    const circle = 'Correct ProxyJump in ~/.ssh/config or "via" in the inventory file.';
    expect(await told('a')).toEqual(['misconfigured', 'The way to a goes in a circle: a through a.', circle]);
    expect(await told('loop')).toEqual([
      'misconfigured',
      'The way to loop goes in a circle: loop through loop.',
      circle,
    ]);
    expect(await told('c')).toEqual([
      'misconfigured',
      '~/.ssh/config reaches c by ProxyCommand (nc %h %p), which is never run.',
      'Use ProxyJump, or give the host a "via" in the inventory file.',
    ]);
    expect(await told('bad')).toEqual(['misconfigured', '"me@" is not a host to jump through.', jump]);
    expect(await told('worse')).toEqual(['misconfigured', '"a:b:c" is not a host to jump through.', jump]);
  });

  it('is the nearest three names, by their distance, and what is wrong with the files', async () => {
    const home = new Home();
    inventory(home, {
      web1: { address: 'a' },
      web12: { address: 'b' },
      web123: { address: 'c' },
      wen: { address: 'd' },
      WEB: { address: 'e' },
      far: { address: 'f' },
      'long-name-of-a-host': { address: 'g' },
    });
    const hosts = hostsOf(home);
    expect((await failure(hosts.find('web'))).facts).toEqual({ nearest: ['WEB', 'web1', 'wen'] });
    expect((await failure(hosts.find('long-name-of-XXXXXX'))).facts).toEqual({ nearest: ['long-name-of-a-host'] });
    expect((await failure(hosts.find('long-name-of-XXXXXXX'))).facts).toEqual({});
    const path = sshConfig(home, 'Host "b\n');
    expect((await failure(hosts.find('nowhere-near'))).hint).toBe(
      'ssh_host_list shows the hosts there are, and so does `proxmox-ssh-mcp hosts`. ' +
        `Also: The SSH configuration ${path} cannot be understood: ${path}:1 has a quote that is not closed.`,
    );
  });
});

describe('a host that is asked for by its address', () => {
  it('is the one that has it, and none where two have it', async () => {
    const home = new Home();
    inventory(home, { a: { address: '10.0.0.1' }, b: { address: '10.0.0.2' }, c: { address: '10.0.0.2' } });
    const hosts = hostsOf(home);
    expect((await spec(hosts, '10.0.0.1')).name).toBe('a');
    expect((await failure(hosts.find('10.0.0.2'))).kind).toBe('not-found');
  });
});

describe('a jump', () => {
  it('may be an address with a port, with ssh:// before it, and has its own name then', async () => {
    const home = new Home();
    inventory(home, {
      web: { address: '10.0.0.1', via: ['ssh://me@[2001:db8::1]:2222/', 'gate:23', 'ssh://ops@gate/'] },
      gate: { address: '10.0.0.9', user: 'jump', port: 24 },
    });
    const { via } = await spec(hostsOf(home), 'web');
    expect(via?.map(({ name, address, port, user }) => [name, address, port, user])).toEqual([
      ['[2001:db8::1]:2222', '2001:db8::1', 2222, 'me'],
      ['gate:23', '10.0.0.9', 23, 'jump'],
      ['gate', '10.0.0.9', 24, 'ops'],
    ]);
  });
});

describe('one list of all', () => {
  it('has each name once, the first source winning, sorted', async () => {
    const home = new Home();
    inventory(home, { pve2: { address: '10.9.9.9' }, a1: { address: '10.0.0.1' } });
    sshConfig(home, 'Host pve2 a1 zed\n  User x\n');
    const hosts = hostsOf(home, { PROXMOX_HOST: 'pve' }, [...NODES, { name: 'pve3', address: '192.0.2.3' }]);
    expect((await hosts.list()).map(({ spec: { name, address }, source }) => [name, source, address])).toEqual([
      ['a1', 'inventory', '10.0.0.1'],
      ['pve1', 'settings', 'pve'],
      ['pve2', 'inventory', '10.9.9.9'],
      ['pve3', 'node', '192.0.2.3'],
      ['zed', 'ssh config', 'zed'],
    ]);
  });

  it('jumps through the main host as the main host is logged in to', async () => {
    const home = new Home();
    inventory(home, { vm: { address: '10.0.0.9', via: '192.0.2.1' }, vm2: { address: '10.0.0.8', via: 'ops@pve1' } });
    const hosts = hostsOf(home, { SSH_HOST: '192.0.2.1', SSH_USER: 'admin', SSH_PORT: '2222' }, NODES);
    expect((await spec(hosts, 'vm')).via).toMatchObject([{ name: 'pve1', user: 'admin', port: 2222 }]);
    expect((await spec(hosts, 'vm2')).via).toMatchObject([{ name: 'pve1', user: 'ops', port: 2222 }]);
  });

  it('reaches nodes as it reaches the main host', async () => {
    const home = new Home();
    sshConfig(home, 'Host gate\n  HostName 198.51.100.1\nHost lab\n  HostName 192.0.2.1\n  ProxyJump gate\n');
    const env = { SSH_HOST: 'lab', SSH_USER: 'ops', SSH_PASSWORD: 'p' };
    const node = await spec(hostsOf(home, env, NODES), 'pve2');
    expect(node).toMatchObject({ address: '192.0.2.2', user: 'ops', via: [{ address: '198.51.100.1' }] });
    expect(node.password?.reveal()).toBe('p');
    expect(node.via?.[0]?.password).toBeUndefined();
  });

  it('offers the nearest names for an unknown one', async () => {
    const hosts = hostsOf(new Home(), { PROXMOX_HOST: 'pve' }, NODES);
    expect(await failure(hosts.find('pv1'))).toMatchObject({
      kind: 'not-found',
      message: 'There is no host called "pv1".',
      hint: 'Did you mean pve1 or pve2?',
      facts: { nearest: ['pve1', 'pve2'] },
    });
    expect((await failure(hosts.find('mailserver'))).hint).toBe(
      'ssh_host_list shows the hosts there are, and so does `proxmox-ssh-mcp hosts`.',
    );
  });
});

describe('the nodes of the cluster', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Hosts whose API answers by `answer`, and how often it was asked. */
  function asking(answer: () => Promise<readonly ClusterNode[]>) {
    const home = new Home();
    const seen = { asked: 0 };
    const nodes = () => {
      seen.asked += 1;
      return answer();
    };
    const loaded = home.load({ env: { SSH_HOST: 'pve', MCP_INVENTORY_FILE: 'none' } });
    return { seen, hosts: createHosts(loaded, { ...ground(), home: home.path, nodes }) };
  }
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('are waited for 3 seconds, and not again by who comes later', async () => {
    const { hosts, seen } = asking(() => new Promise(() => {}));
    let found: string | undefined;
    const first = hosts.find('pve').then(({ spec: { address } }) => {
      found = address;
    });
    await pass(2_999);
    expect(found).toBeUndefined();
    await pass(1);
    await first;
    expect(found).toBe('pve');
    const second = hosts.find('pve');
    await pass(0);
    expect((await second).spec.address).toBe('pve');
    await pass(60_000);
    const third = hosts.find('pve');
    await pass(0);
    await third;
    expect(seen.asked).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are not asked for again within 10 seconds where nobody answered', async () => {
    const { hosts, seen } = asking(() => Promise.reject(new Error('down')));
    for (let i = 0; i < 3; i += 1) expect((await hosts.find('pve')).spec.address).toBe('pve');
    await pass(10_000);
    await hosts.find('pve');
    expect(seen.asked).toBe(1);
    await pass(1);
    await hosts.find('pve');
    expect(seen.asked).toBe(2);
  });

  it('are asked for again after a minute, by a list or for a name that is not known', async () => {
    const known: ClusterNode[] = [{ name: 'pve1', address: '192.0.2.1' }];
    const { hosts, seen } = asking(async () => [...known]);
    const names = async () => (await hosts.list()).map(({ spec: { name } }) => name);
    expect(await names()).toEqual(['pve', 'pve1']);
    known.push({ name: 'pve2', address: '192.0.2.2' });
    await pass(60_000);
    expect(await names()).toEqual(['pve', 'pve1']);
    await pass(1);
    await hosts.find('pve1');
    expect(seen.asked).toBe(1);
    expect((await hosts.find('pve2')).spec.address).toBe('192.0.2.2');
    known.push({ name: 'pve3', address: '192.0.2.3' });
    await pass(60_001);
    expect(await names()).toEqual(['pve', 'pve1', 'pve2', 'pve3']);
    expect(seen.asked).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that were told once stay known while nobody answers', async () => {
    let up = true;
    const { hosts } = asking(async () => {
      if (up) return NODES;
      throw new Error('down');
    });
    await hosts.list();
    up = false;
    await pass(60_001);
    expect((await hosts.list()).map(({ spec: { name } }) => name)).toEqual(['pve', 'pve1', 'pve2']);
  });
});
