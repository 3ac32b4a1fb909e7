import { describe, expect, it } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import { createHosts } from '../../src/config/inventory.ts';
import { Home } from './home.ts';

const FILE = '.config/proxmox-ssh-mcp/hosts.json';

function hostsWith(content: unknown) {
  const home = new Home();
  const write = (what: unknown) => home.write(FILE, typeof what === 'string' ? what : JSON.stringify(what));
  if (content !== undefined) write(content);
  const around = { ...ground(), home: home.path, nodes: async () => [] };
  return { write, hosts: createHosts(home.load({ env: {} }), around) };
}

describe('rules for commands', () => {
  it('of every place and of a host are put together, the stricter word for the rest', async () => {
    const { hosts } = hostsWith({
      commands: { deny: ['zpool destroy *'], otherwise: 'ask' },
      hosts: {
        web: { address: '192.0.2.1', commands: { deny: ['rm *'], allow: ['df *'], otherwise: 'deny' } },
        db: { address: '192.0.2.2' },
      },
    });
    expect(hosts.rules()?.everywhere).toEqual({ deny: ['zpool destroy *'], otherwise: 'ask' });
    expect((await hosts.find('web')).rules).toEqual({
      deny: ['zpool destroy *', 'rm *'],
      allow: ['df *'],
      otherwise: 'deny',
    });
    expect((await hosts.find('db')).rules).toEqual({ deny: ['zpool destroy *'], otherwise: 'ask' });
  });

  it('hold for the address by another name too', async () => {
    const { hosts } = hostsWith({
      hosts: { web: { address: '192.0.2.1', commands: { deny: ['rm *'] } }, web2: { address: '192.0.2.1' } },
    });
    expect((await hosts.find('web2')).rules).toEqual({ deny: ['rm *'] });
  });

  it.each([
    [{ address: '10.0.0.5' }, { address: '::ffff:10.0.0.5' }],
    [{ address: '10.0.0.5' }, { address: '::ffff:a00:5' }],
    [{ address: '10.0.0.5' }, { address: '10.5' }],
    [{ address: '10.0.0.5' }, { address: '0x0a000005' }],
    [{ address: '10.0.0.5' }, { address: '10.0.0.5', port: 2222, via: 'gate', user: 'other' }],
    [{ address: 'Web.example.com' }, { address: 'web.EXAMPLE.com.' }],
    [{ address: 'fd00::1' }, { address: 'FD00:0:0::0001' }],
    [{ address: '10.0.0.5' }, { address: 'web.example.com', hostKeyAlias: '10.0.0.5' }],
    [
      { address: '10.0.0.5', hostKeyAlias: 'web' },
      { address: '127.0.0.1', via: 'ruled', hostKeyAlias: 'web' },
    ],
    [{}, { address: '192.0.2.7' }],
  ])('hold for %j by another spelling or the name of its key: %j', async (ruled, other) => {
    const content = { hosts: { ruled: { ...ruled, commands: { deny: ['rm *'] } }, other } };
    const nodes = async () => [{ name: 'ruled', address: '192.0.2.7' }];
    const home = new Home();
    home.write(FILE, JSON.stringify(content));
    const hosts = createHosts(home.load({ env: {} }), { ...ground(), home: home.path, nodes });
    expect((await hosts.find('other')).rules).toEqual({ deny: ['rm *'] });
  });

  it('do not hold for others', async () => {
    const ruled = { address: '10.0.0.5', hostKeyAlias: 'web', commands: { deny: ['rm *'] } };
    for (const other of [{ address: '10.0.0.50' }, { address: '::a00:6' }, { address: 'db', hostKeyAlias: 'db' }]) {
      expect((await hostsWith({ hosts: { ruled, other } }).hosts.find('other')).rules).toBeUndefined();
    }
  });

  it('are none where the file has none, or is not there', () => {
    expect(hostsWith({ hosts: { web: { address: '192.0.2.1' } } }).hosts.rules()).toBeUndefined();
    expect(hostsWith(undefined).hosts.rules()).toBeUndefined();
  });

  it('count from the moment at which they are written', async () => {
    const { hosts, write } = hostsWith({ hosts: { web: { address: '192.0.2.1' } } });
    expect((await hosts.find('web')).rules).toBeUndefined();
    write({ hosts: { web: { address: '192.0.2.1', commands: { ask: ['reboot *'] } } } });
    expect(hosts.rules()).toMatchObject({ everywhere: {} });
    expect((await hosts.find('web')).rules).toEqual({ ask: ['reboot *'] });
  });

  it.each([
    [{ commands: { denny: ['rm *'] }, hosts: {} }, 'commands: Unrecognized key: "denny"'],
    [{ commands: { deny: [' '] }, hosts: {} }, 'commands.deny.0: must be a command'],
    [{ commands: { otherwise: 'allow' }, hosts: {} }, 'commands.otherwise:'],
    ['{ "commands": { "deny": ["rm *"] }, "hosts": {}, }', 'hosts.json is not used:'],
  ])('that are not right let no command run: %j', (content, why) => {
    const { hosts } = hostsWith(content);
    expect(() => hosts.rules()).toThrow(why);
    expect(() => hosts.rules()).toThrow('It may have rules for commands, so none is run.');
  });

  it('are not needed for a wrong file that surely has none', () => {
    expect(hostsWith('{ "hosts": nonsense }').hosts.rules()).toBeUndefined();
  });

  it('keep a tool from changing how the host is reached, and from nothing else', async () => {
    const { hosts } = hostsWith({ hosts: { web: { address: '192.0.2.1', commands: { deny: ['rm *'] } } } });
    await expect(hosts.change('web', [{ path: ['address'], value: '192.0.2.9' }])).rejects.toMatchObject({
      kind: 'refused',
      message: 'There are rules for commands on web, so how it is reached is not changed by a tool.',
    });
    await hosts.change('web', [{ path: ['purpose'], value: 'Web' }]);
    expect((await hosts.find('web')).rules).toEqual({ deny: ['rm *'] });
  });
});
