import { existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import { createHosts, type Inventory } from '../../src/config/inventory.ts';
import { Home } from './home.ts';

const FILE = '.config/proxmox-ssh-mcp/hosts.json';

function hostsOf(home: Home, env: Record<string, string> = {}): Inventory {
  const nodes = async () => [
    { name: 'pve1', address: '192.0.2.1' },
    { name: 'pve2', address: '192.0.2.2' },
  ];
  return createHosts(home.load({ env }), { ...ground(), home: home.path, localUser: 'me', nodes });
}

const TEXT = `{
  "hosts": {
    "web1": { "tags": ["a","b"],   "address": "10.0.0.1", "limits": {"concurrent": 3} },
    "101": {"address":"10.0.0.9"},
    "gate": {
      "address": "198.51.100.1",
      "default": true
    }
  }
}
`;

describe('a change of the inventory file', () => {
  it('changes the members that are given and not another byte, and shows at once', async () => {
    const home = new Home();
    const file = home.write(FILE, TEXT, 0o640);
    const hosts = hostsOf(home);
    expect((await hosts.find('web1')).purpose).toBeUndefined();
    const done = await hosts.change('web1', [
      { path: ['purpose'], value: 'shop' },
      { path: ['limits', 'concurrent'], value: 5 },
      { path: ['limits', 'commandsPerMinute'], value: 60 },
    ]);
    expect(done).toEqual({
      file,
      before: { tags: ['a', 'b'], address: '10.0.0.1', limits: { concurrent: 3 } },
      after: {
        tags: ['a', 'b'],
        address: '10.0.0.1',
        limits: { concurrent: 5, commandsPerMinute: 60 },
        purpose: 'shop',
      },
      formerDefault: undefined,
    });
    const text = readFileSync(file, 'utf8');
    const [head = '', tail = ''] = TEXT.split(/"limits".*\}/);
    expect(text.startsWith(head)).toBe(true);
    expect(text.endsWith(tail)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(await hosts.find('web1')).toMatchObject({ purpose: 'shop', spec: { limits: { concurrent: 5 } } });
    await hosts.change('web1', [
      { path: ['purpose'] },
      { path: ['limits', 'concurrent'] },
      { path: ['limits', 'commandsPerMinute'] },
    ]);
    expect(readFileSync(file, 'utf8')).toBe(
      TEXT.replace(/, {3}"address": "10.0.0.1", "limits".*\}/, ',   "address": "10.0.0.1" }'),
    );
    expect(readdirSync(dirname(file))).toEqual(['hosts.json']);
  });

  it('moves the mark of the default in one go', async () => {
    const home = new Home();
    const file = home.write(FILE, TEXT);
    const hosts = hostsOf(home);
    expect((await hosts.usual()).spec.name).toBe('gate');
    expect(await hosts.change('web1', [{ path: ['default'], value: true }])).toMatchObject({ formerDefault: 'gate' });
    expect((await hosts.usual()).spec.name).toBe('web1');
    expect(JSON.parse(readFileSync(file, 'utf8')).hosts.gate).toEqual({ address: '198.51.100.1' });
    await hosts.change('web1', [{ path: ['default'] }]);
    await expect(hosts.usual()).rejects.toMatchObject({ kind: 'invalid-input' });
  });

  it('takes the mark from no other where it gives none, and from the host itself not either', async () => {
    const home = new Home();
    const file = home.write(FILE, TEXT);
    const hosts = hostsOf(home);
    const mark = (value?: boolean) => ({ path: ['default'], value });
    for (const edit of [mark(false), mark(), { path: ['purpose'], value: 'x' }]) {
      expect(await hosts.change('web1', [edit])).toMatchObject({ formerDefault: undefined });
    }
    expect(await hosts.change('gate', [mark(true)])).toMatchObject({ formerDefault: undefined });
    expect((await hosts.usual()).spec.name).toBe('gate');
    const both = [{ path: ['purpose'], value: 'y' }, mark(true)];
    expect(await hosts.change('web1', both)).toMatchObject({ formerDefault: 'gate' });
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).hosts)).toEqual(['101', 'web1', 'gate']);
  });

  it('that changes nothing leaves the file itself alone, and makes none', async () => {
    const home = new Home();
    home.write('.ssh/config', 'Host lab\n');
    const hosts = hostsOf(home);
    expect(await hosts.change('lab', [{ path: ['purpose'] }])).toMatchObject({ before: undefined, after: {} });
    expect(existsSync(join(home.path, FILE))).toBe(false);
    const file = home.write(FILE, `\ufeff${TEXT}`);
    const { ino } = statSync(file);
    await hosts.change('gate', [{ path: ['default'], value: true }]);
    expect(statSync(file).ino).toBe(ino);
    await hosts.change('gate', [{ path: ['default'] }]);
    expect(statSync(file).ino).not.toBe(ino);
    expect(readFileSync(file, 'utf8')).toBe(`\ufeff${TEXT.replace(/,\s*"default": true/, '')}`);
  });

  it('cannot be made where the file cannot be read', async () => {
    const home = new Home();
    home.write('.ssh/config', 'Host lab\n');
    home.write(`${FILE}/x`, '');
    await expect(hostsOf(home).change('lab', [{ path: ['purpose'], value: 'x' }])).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(/^The inventory file \S+ cannot be read: EISDIR/),
      hint: 'Make it readable and writable for this user.',
      cause: { code: 'EISDIR' },
    });
  });

  it('notes something of a host that another source describes, which stays that one’s', async () => {
    const home = new Home();
    home.write('.ssh/config', 'Host lab\n  HostName 192.0.2.77\n  User ops\nHost db*\n  HostName %h.example.com\n');
    const hosts = hostsOf(home, { SSH_HOST: '192.0.2.1', SSH_PASSWORD: 'p' });
    for (const name of ['lab', 'pve1', 'pve2', '192.0.2.1'])
      await hosts.change(name, [{ path: ['purpose'], value: `that ${name}` }]);
    expect(Object.keys(JSON.parse(readFileSync(join(home.path, FILE), 'utf8')).hosts)).toEqual(['lab', 'pve1', 'pve2']);
    expect(statSync(join(home.path, FILE)).mode & 0o777).toBe(0o600);
    const told = (await hosts.list()).map(({ spec, source, purpose }) => [spec.name, spec.address, source, purpose]);
    expect(told).toEqual([
      ['lab', '192.0.2.77', 'ssh config', 'that lab'],
      ['pve1', '192.0.2.1', 'settings', 'that 192.0.2.1'],
      ['pve2', '192.0.2.2', 'node', 'that pve2'],
    ]);
    expect((await hosts.find('pve2')).spec.password?.reveal()).toBe('p');
    home.write(FILE, JSON.stringify({ hosts: { db7: { purpose: 'by a pattern' }, gone: { purpose: 'old' } } }));
    expect((await hosts.find('db7')).spec.address).toBe('db7.example.com');
    await expect(hosts.find('gone')).rejects.toMatchObject({
      message: expect.stringContaining('the inventory file says no address of it, and nothing else does now'),
    });
  });

  it('says where a host is that the file itself describes', async () => {
    const home = new Home();
    home.write(FILE, TEXT);
    const hosts = hostsOf(home);
    await hosts.change('web1', [{ path: ['address'], value: '10.0.0.2' }]);
    expect((await hosts.find('web1')).spec.address).toBe('10.0.0.2');
  });

  it('is one of the entry that is there, by whichever name of the main host that goes', async () => {
    const home = new Home();
    const file = home.write(FILE, '{ "hosts": { "192.0.2.1": { "tags": ["a"] } } }');
    const hosts = hostsOf(home, { SSH_HOST: '192.0.2.1' });
    await hosts.change('pve1', [{ path: ['purpose'], value: 'main' }]);
    expect(JSON.parse(readFileSync(file, 'utf8')).hosts).toEqual({ '192.0.2.1': { tags: ['a'], purpose: 'main' } });
    expect(await hosts.find('pve1')).toMatchObject({ tags: ['a'], purpose: 'main' });
  });

  it('needs a host that can be had, or an address for a new one', async () => {
    const home = new Home();
    home.write(FILE, '{ "hosts": { "web1": { "address": "10.0.0.1" }, "loop": { "address": "a", "via": "loop" } } }');
    const hosts = hostsOf(home);
    const purpose = { path: ['purpose'], value: 'x' };
    await expect(hosts.change('web', [purpose])).rejects.toMatchObject({
      kind: 'not-found',
      hint: 'Did you mean web1? With an address it would be added.',
      facts: { nearest: ['web1'] },
    });
    await expect(hosts.change('loop', [purpose, { path: ['address'], value: 'b' }])).rejects.toMatchObject({
      kind: 'misconfigured',
      message: 'The way to loop goes in a circle: loop through loop.',
    });
  });

  it.each([
    ['pve1', 'How pve1 is reached is what the settings say: SSH_HOST, SSH_PORT, SSH_USER, SSH_KEY_PATH;'],
    ['pve2', 'How pve2 is reached is what the cluster and the SSH_ settings say;'],
    ['lab', 'How lab is reached is what ~/.ssh/config says;'],
  ])('never says where %s is, to which passwords or another file lead', async (name, message) => {
    const home = new Home();
    home.write('.ssh/config', 'Host lab\n  HostName 192.0.2.77\n');
    const hosts = hostsOf(home, { SSH_HOST: '192.0.2.1' });
    for (const member of ['address', 'port', 'user', 'keyPath', 'via', 'hostKeyAlias']) {
      const change = hosts.change(name, [
        { path: ['purpose'], value: 'x' },
        { path: [member], value: 'evil.example.com' },
      ]);
      await expect(change).rejects.toMatchObject({
        kind: 'refused',
        message: `${message} nothing was changed.`,
        hint: 'Change it there. The rest can be set here: name, purpose, tags, default, webhook, limits.',
      });
    }
    expect(existsSync(join(home.path, FILE))).toBe(false);
  });

  it('adds a host when it is told where that is', async () => {
    const home = new Home();
    const hosts = hostsOf(home);
    await expect(hosts.change('new1', [{ path: ['purpose'], value: 'x' }])).rejects.toMatchObject({
      kind: 'not-found',
      hint: expect.stringContaining('With an address it would be added.'),
    });
    const edits = [
      { path: ['address'], value: '10.0.0.7' },
      { path: ['via'], value: ['gate', 'pve1'] },
    ];
    expect(await hosts.change('new1', edits)).toMatchObject({ before: undefined, after: { address: '10.0.0.7' } });
    expect(readFileSync(join(home.path, FILE), 'utf8')).toBe(
      '{\n  "hosts": {\n    "new1": {\n      "address": "10.0.0.7",\n      "via": [\n        "gate",\n        "pve1"\n      ]\n    }\n  }\n}\n',
    );
    await expect(hosts.change('ct/7', edits)).rejects.toMatchObject({
      kind: 'invalid-input',
      message: 'There is no host called "ct/7".',
      hint: 'A name has letters, digits, dots, - and _.',
    });
    await expect(hosts.change('new2', [{ path: ['address'] }])).rejects.toMatchObject({ kind: 'not-found' });
  });

  it.each([
    ['{ "hosts": { ', 'is not right as it is'],
    ['{ "hosts": { "web1": { "adress": "x" } } }', 'Unrecognized key: "adress"'],
    ['{ "hosts": {"web1": {"address":"a","default":true},"b":{"address":"b","default":true}} }', 'can be one'],
    ['{ "hosts": {"web1": {"address":"a"},"web1":{"address":"b"}} }', 'more than once'],
  ])('is not made in a file that is wrong: %s', async (text, why) => {
    const home = new Home();
    home.write('.ssh/config', 'Host web1\n');
    const file = home.write(FILE, text);
    const change = hostsOf(home).change('web1', [{ path: ['purpose'], value: 'x' }]);
    await expect(change).rejects.toMatchObject({ kind: 'misconfigured', message: expect.stringContaining(why) });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each([
    [['purpose'], 'x'.repeat(201), 'hosts.web1.purpose'],
    [['webhook'], 'http://example.com', 'hosts.web1.webhook: must be an https URL'],
    [['limits', 'concurrent'], 101, 'hosts.web1.limits.concurrent'],
    [['nonsense'], 1, 'Unrecognized key: "nonsense"'],
  ])('is refused when it would make the file wrong: %j', async (path, value, where) => {
    const home = new Home();
    const file = home.write(FILE, TEXT);
    await expect(hostsOf(home).change('web1', [{ path, value }])).rejects.toMatchObject({
      kind: 'invalid-input',
      message: expect.stringContaining(where),
      hint: 'Correct that value, and call again.',
    });
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
  });

  it('is refused in read-only mode and where there is no file to be', async () => {
    const home = new Home();
    const file = home.write(FILE, TEXT);
    const edits = [{ path: ['purpose'], value: 'x' }];
    await expect(hostsOf(home, { MCP_MODE: 'read-only' }).change('web1', edits)).rejects.toMatchObject({
      kind: 'refused',
      message: 'The inventory file is not changed in read-only mode.',
      hint: 'The operator can set MCP_MODE=guarded.',
    });
    await expect(hostsOf(home, { MCP_INVENTORY_FILE: 'none' }).change('pve1', edits)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: 'There is no inventory file: MCP_INVENTORY_FILE is none.',
      hint: 'Set it to a path.',
    });
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
  });

  it('is written through a symbolic link, which stays one', async () => {
    const home = new Home();
    const real = home.write('dotfiles/hosts.json', TEXT);
    const link = join(home.path, FILE);
    home.write('.config/proxmox-ssh-mcp/other', '');
    symlinkSync(real, link);
    await hostsOf(home).change('web1', [{ path: ['purpose'], value: 'x' }]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(real, 'utf8')).hosts.web1.purpose).toBe('x');
    expect(readdirSync(dirname(real))).toEqual(['hosts.json']);
  });
});

describe('the host that is meant where none is named', () => {
  it('is the only one there is, or nobody', async () => {
    const alone = new Home();
    const only = createHosts(alone.load({ env: { SSH_HOST: 'pve' } }), {
      ...ground(),
      home: alone.path,
      nodes: async () => [],
    });
    expect((await only.usual()).spec.name).toBe('pve');
    const many = hostsOf(alone);
    await expect(many.usual()).rejects.toMatchObject({
      kind: 'invalid-input',
      message: 'No host was named, 2 are known, and none of them is the default.',
      hint: 'Name one (pve1, pve2), or make one the default: ssh_host_set with its name and default true.',
    });
    const none = createHosts(alone.load(), { ...ground(), home: alone.path, nodes: async () => [] });
    await expect(none.usual()).rejects.toMatchObject({
      kind: 'not-found',
      message: 'No host is known.',
      hint: 'Set SSH_HOST, or describe hosts in the inventory file.',
    });
    const crowd = new Home();
    const names = ['f', 'e', 'd', 'c', 'b'];
    const of = (all: string[]) => {
      crowd.write(FILE, JSON.stringify({ hosts: Object.fromEntries(all.map((name) => [name, { address: name }])) }));
      return createHosts(crowd.load(), { ...ground(), home: crowd.path, nodes: async () => [] });
    };
    await expect(of(names).usual()).rejects.toMatchObject({
      hint: expect.stringMatching(/^Name one \(b, c, d, e, f\), or/),
    });
    await expect(of([...names, 'a']).usual()).rejects.toMatchObject({
      hint: expect.stringMatching(/^Name one \(a, b, c, d, e, …\), or/),
    });
  });
});
