import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseInput } from '../../src/gate/parse.ts';
import { type Bench, startBench, toolNamed } from './harness.ts';
import { siteOf } from './hosts.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const HOSTS = {
  web1: { address: '10.0.0.1', tags: ['old'], limits: { concurrent: 3 } },
  gate: { address: '198.51.100.1', default: true },
};

function siteAt(env?: Record<string, string>) {
  const site = siteOf(HOSTS, env);
  const file = join(site.home.path, '.config/proxmox-ssh-mcp/hosts.json');
  const set = async (input: Record<string, unknown>) => {
    const told = await bench.call('ssh_host_set', input, { ssh: site.ssh });
    return JSON.parse(JSON.stringify(told).replaceAll(file, '…/hosts.json'));
  };
  const fails = (input: Record<string, unknown>) => bench.fails('ssh_host_set', input, { ssh: site.ssh });
  return { ...site, set, fails, stored: () => JSON.parse(readFileSync(file, 'utf8')).hosts };
}

describe('ssh_host_set', () => {
  it('sets what is given, and shows what it was and is', async () => {
    const { set, stored, ssh } = siteAt();
    const input = {
      host: 'web1',
      display_name: 'Shop front',
      purpose: 'serves the shop',
      tags: ['docker', 'prod'],
      default: true,
      webhook: 'https://hooks.example.com/secret-path',
      commands_per_minute: 30,
      concurrent: 4,
    };
    expect(await set(input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "changed": [
            {
              "after": "Shop front",
              "before": "(none)",
              "what": "display_name",
            },
            {
              "after": "serves the shop",
              "before": "(none)",
              "what": "purpose",
            },
            {
              "after": [
                "docker",
                "prod",
              ],
              "before": [
                "old",
              ],
              "what": "tags",
            },
            {
              "after": true,
              "before": "(none)",
              "what": "default",
            },
            {
              "after": "https://hooks.example.com/…",
              "before": "(none)",
              "what": "webhook",
            },
            {
              "after": 30,
              "before": "(none)",
              "what": "commands_per_minute",
            },
            {
              "after": 4,
              "before": 3,
              "what": "concurrent",
            },
          ],
          "file": "…/hosts.json",
          "former_default": "gate",
          "host": "web1",
          "notes": [
            "Events are posted there once the operator has set MCP_WEBHOOK_SECRET.",
          ],
        },
        "headline": "web1 changed",
      }
    `);
    expect(stored()).toEqual({
      web1: {
        address: '10.0.0.1',
        tags: ['docker', 'prod'],
        limits: { concurrent: 4, commandsPerMinute: 30 },
        displayName: 'Shop front',
        purpose: 'serves the shop',
        default: true,
        webhook: 'https://hooks.example.com/secret-path',
      },
      gate: { address: '198.51.100.1' },
    });
    expect((await ssh.hosts.usual()).spec).toMatchObject({ name: 'web1', limits: { concurrent: 4 } });
  });

  it('clears what is given empty, and leaves the rest', async () => {
    const { set, stored } = siteAt();
    await set({ host: 'web1', purpose: 'x', user: 'ops', via: ['gate'] });
    await set({ host: 'web1', purpose: '', user: '', via: [], tags: [], concurrent: 0, port: 0 });
    await set({ host: 'gate', default: false });
    expect(stored()).toEqual({ web1: { address: '10.0.0.1' }, gate: { address: '198.51.100.1' } });
  });

  it('changes the way to a host of the inventory file, and adds one', async () => {
    const { set, ssh } = siteAt();
    await set({
      host: 'web1',
      address: '10.9.9.9',
      port: 2222,
      user: 'ops',
      key_path: '~/.ssh/web',
      host_key_alias: 'web',
    });
    expect((await ssh.hosts.find('web1')).spec).toMatchObject({
      address: '10.9.9.9',
      port: 2222,
      user: 'ops',
      hostKeyAlias: 'web',
      keyPath: expect.stringMatching(/^\/.*\/\.ssh\/web$/),
    });
    expect(await set({ host: 'web3', address: '127.0.0.1', port: 2223, via: ['jump@gate:22', 'web1'] })).toMatchObject({
      headline: 'web3 changed',
      facts: { changed: expect.arrayContaining([{ what: 'via', before: '(none)', after: ['jump@gate:22', 'web1'] }]) },
    });
    expect((await ssh.hosts.find('web3')).spec.via).toMatchObject([{ user: 'jump' }, { name: 'web1' }]);
  });

  it('notes something of a host that another source describes, and never how it is reached', async () => {
    const { set, fails, stored, ssh } = siteAt({ SSH_HOST: 'pve.example.com' });
    await set({ host: 'pve.example.com', purpose: 'the node', connects_per_minute: 5 });
    expect(stored()['pve.example.com']).toEqual({ purpose: 'the node', limits: { connectsPerMinute: 5 } });
    expect(await ssh.hosts.find('pve.example.com')).toMatchObject({
      source: 'settings',
      purpose: 'the node',
      spec: { limits: { connectsPerMinute: 5 } },
    });
    expect(await fails({ host: 'pve.example.com', address: 'evil.example.com' })).toMatchObject({
      kind: 'refused',
      headline: expect.stringContaining('How pve.example.com is reached is what the settings say'),
    });
  });

  it.each([
    [{ host: 'web1' }, 'invalid-input', 'Nothing was given to change.'],
    [{ host: 'nosuch', purpose: 'x' }, 'not-found', 'There is no host called "nosuch".'],
    [{ host: 'web1', webhook: 'http://example.com/' }, 'invalid-input', 'The webhook must begin with https://.'],
    [{ host: 'web1', webhook: 'https://2130706433/' }, 'invalid-input', 'The webhook must not lead to this machine'],
    [{ host: 'web1', webhook: 'https://a.localhost/' }, 'invalid-input', 'The webhook must not lead to this machine'],
    [{ host: 'web1', webhook: 'https://[::ffff:a9fe:a9fe]/' }, 'invalid-input', 'The webhook must not lead to a link'],
    [{ host: 'web1', webhook: 'https://me@example.com/' }, 'invalid-input', 'The webhook must have no user'],
    [{ host: 'web1', key_path: 'relative' }, 'invalid-input', 'hosts.web1.keyPath: must be absolute'],
    [{ host: 'web1', host_key_alias: '*' }, 'invalid-input', 'hosts.web1.hostKeyAlias: must be a name'],
  ])('says what is wrong with %j', async (input, kind, headline) => {
    const { fails, stored } = siteAt();
    expect(await fails(input)).toMatchObject({ kind, headline: expect.stringContaining(headline) });
    expect(stored()).toEqual(HOSTS);
  });

  it.each(['https://hooks.example.com/', ''])('lets a human decide of the webhook "%s"', async (webhook) => {
    const tool = toolNamed('ssh_host_set');
    const context = bench.context();
    expect(tool.alarm?.({ host: 'web1', webhook }, context)).toContain('its webhook');
    expect(tool.alarm?.({ host: 'web1', purpose: 'x' }, context)).toBeUndefined();
    const trusted = { ...context, setup: { ...context.setup, mode: 'trusted' as const } };
    expect(() => tool.alarm?.({ host: 'web1', webhook }, trusted)).toThrow('A webhook is for a human to decide');
    const site = siteAt();
    const over = { ssh: site.ssh, setup: trusted.setup };
    expect(await bench.fails('ssh_host_set', { host: 'web1', webhook }, over)).toMatchObject({ kind: 'refused' });
    expect(site.stored()).toEqual(HOSTS);
  });

  it.each([{ commands_per_minute: 1001 }, { concurrent: 101 }, { connects_per_minute: 601 }, { port: 65_536 }])(
    'takes no %j',
    (wish) => {
      expect(() => parseInput(toolNamed('ssh_host_set'), { host: 'web1', ...wish })).toThrow('Wrong arguments');
    },
  );
});
