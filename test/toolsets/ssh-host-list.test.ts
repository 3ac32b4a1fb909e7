import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Learned } from '../../src/toolsets/tool.ts';
import { type Bench, startBench } from './harness.ts';
import { siteOf } from './hosts.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const HOSTS = {
  web1: {
    address: '10.0.0.1',
    displayName: 'Shop front',
    purpose: 'serves the shop',
    tags: ['docker', 'prod'],
    default: true,
    limits: { commandsPerMinute: 30, concurrent: 4 },
  },
  web2: { address: '10.0.0.2', purpose: 'serves the blog', tags: ['prod'], via: 'gate' },
  gate: { address: '198.51.100.1', port: 2222, user: 'jump', tags: ['shopping'] },
  'db-main': { address: '10.0.0.3', purpose: 'database of shop and blog', tags: ['prod', 'db'] },
};

/** The names that are listed, in their order. */
async function names(input: Record<string, unknown>, site = siteOf(HOSTS)): Promise<string[]> {
  const { facts } = await bench.call('ssh_host_list', input, { ssh: site.ssh });
  return (facts as { hosts: { host: string }[] }).hosts.map(({ host }) => host);
}

describe('ssh_host_list', () => {
  it('lists the hosts there are, and how they were when last used', async () => {
    expect(await bench.call('ssh_host_list')).toMatchObject({
      facts: { hosts: [{ host: 'pve1', state: 'not used yet' }] },
    });
    await bench.call('ssh_exec', { target: 'pve1', script: 'true' });
    expect(await bench.call('ssh_host_list')).toMatchInlineSnapshot(`
      {
        "facts": {
          "hosts": [
            {
              "host": "pve1",
              "known_from": "node",
              "login": "root@127.0.0.1:…",
              "state": "connected",
            },
          ],
        },
        "headline": "1 host",
      }
    `);
    expect(bench.requests()).toBe(0);
  });

  it('tells what the inventory says of each, and connects to none', async () => {
    const { ssh } = siteOf(HOSTS);
    expect(await bench.call('ssh_host_list', {}, { ssh })).toMatchInlineSnapshot(`
      {
        "facts": {
          "hosts": [
            {
              "host": "db-main",
              "known_from": "inventory",
              "login": "root@10.0.0.3",
              "purpose": "database of shop and blog",
              "state": "not used yet",
              "tags": [
                "prod",
                "db",
              ],
            },
            {
              "host": "gate",
              "known_from": "inventory",
              "login": "jump@198.51.100.1:2222",
              "state": "not used yet",
              "tags": [
                "shopping",
              ],
            },
            {
              "default": true,
              "display_name": "Shop front",
              "host": "web1",
              "known_from": "inventory",
              "limits": "30 commands a minute, 4 at once",
              "login": "root@10.0.0.1",
              "purpose": "serves the shop",
              "state": "not used yet",
              "tags": [
                "docker",
                "prod",
              ],
            },
            {
              "host": "web2",
              "known_from": "inventory",
              "login": "root@10.0.0.2",
              "purpose": "serves the blog",
              "state": "not used yet",
              "tags": [
                "prod",
              ],
              "via": [
                "gate",
              ],
            },
          ],
        },
        "headline": "4 hosts",
      }
    `);
    for (const { spec } of await ssh.hosts.list()) expect(ssh.connection(spec).connectsLastMinute).toBe(0);
  });

  it.each([
    [{ query: 'shop' }, ['web1', 'gate', 'db-main']],
    [{ query: 'the shop database' }, ['db-main', 'web1', 'web2', 'gate']],
    [{ query: 'web2' }, ['web2']],
    [{ query: 'main' }, ['db-main']],
    [{ query: '10.0.0.3' }, ['db-main']],
    [{ query: 'nothing like it' }, []],
    [{ tags: ['prod'] }, ['db-main', 'web1', 'web2']],
    [{ tags: ['prod', 'db'] }, ['db-main']],
    [{ purpose: 'BLOG' }, ['db-main', 'web2']],
    [{ purpose: 'blog', tags: ['prod'], query: 'web' }, ['web2']],
    [{ online_only: true }, []],
    [{ limit: 1 }, ['db-main']],
  ])('finds by %j the hosts %j', async (input, expected) => {
    expect((await names(input)).slice(0, expected.length)).toEqual(expected);
    if (!('query' in input) || expected.length < 2) expect(await names(input)).toEqual(expected);
  });

  it('finds by what was learned of hosts, also by a process before this one', async () => {
    const site = siteOf(HOSTS);
    const learn = async (name: string, ...capabilities: string[]) => {
      const learned: Learned = { at: Date.now(), capabilities };
      site.ssh.memory.keep((await site.ssh.hosts.find(name)).spec, learned);
    };
    await learn('web1', 'docker', 'systemd');
    await learn('web2', 'systemd');
    expect(await names({ capability: 'docker' }, site)).toEqual(['web1']);
    expect(await names({ capability: 'systemd' }, site)).toEqual(['web1', 'web2']);
    expect(await bench.call('ssh_host_list', { capability: 'zfs' }, { ssh: site.ssh })).toMatchObject({
      facts: { hosts: [], notes: ['What 2 hosts can do is not known: ssh_host_get finds out.'] },
    });
    site.home.write(
      '.config/proxmox-ssh-mcp/hosts.json',
      JSON.stringify({ hosts: { web1: { address: '10.0.0.99' } } }),
    );
    expect(await names({ capability: 'docker' }, site)).toEqual([]);
  });

  it('says which cannot be used as they are described', async () => {
    const site = siteOf({
      a: { address: '10.0.0.1', via: 'b' },
      b: { address: '10.0.0.2', via: 'a' },
      c: { address: 'c' },
    });
    expect((await bench.call('ssh_host_list', {}, { ssh: site.ssh })).facts).toMatchObject({
      hosts: [{ host: 'c' }],
      cannot_be_used: [
        { host: 'a', why: 'The way to a goes in a circle: a through b through a.' },
        { host: 'b', why: 'The way to b goes in a circle: b through a through b.' },
      ],
    });
  });

  it('says when there is none', async () => {
    expect(await bench.call('ssh_host_list', {}, { ssh: siteOf({}).ssh })).toEqual({
      headline: '0 hosts',
      facts: { hosts: [], notes: ['None is known: set SSH_HOST, or list hosts in the inventory file.'] },
    });
  });

  it('tells a host that failed from one that is up', async () => {
    const site = siteOf({ down: { address: '127.0.0.1', port: 1 } });
    const over = { ssh: site.ssh };
    await bench.fails('ssh_exec', { target: 'down', script: 'true' }, over);
    expect((await bench.call('ssh_host_list', {}, over)).facts).toMatchObject({
      hosts: [{ host: 'down', state: 'failed 0 s ago', last_error: { remote: expect.stringContaining('refused') } }],
    });
    expect(await names({ online_only: true }, site)).toEqual([]);
  });
});
