import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Connected, connect, eras, type Person } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';

let dc: Datacentre;
let client: Connected | undefined;
beforeAll(async () => {
  dc = await startDatacentre();
});
afterEach(async () => {
  await client?.close();
  client = undefined;
});
afterAll(() => dc.stop());

const own = () => join(dc.dir, '.config/proxmox-ssh-mcp/known_hosts');
const yes: Person = () => ({ action: 'accept', content: { confirm: true } });

describe('the hosts of a running server', () => {
  it('are looked at in read-only mode, by what the code itself has to run', async () => {
    client = await connect('v2-2026', await dc.launch({ MCP_MODE: 'read-only', MCP_TOOLSETS: 'full' }));
    const { isError, facts } = await client.call('ssh_host_get', { host: 'pve1' });
    expect(isError).toBe(false);
    expect(facts).toMatchObject({ capabilities: expect.arrayContaining(['pve', 'systemd']), state: 'connected' });
    expect(await client.call('ssh_host_set', { host: 'pve1', purpose: 'x' })).toMatchObject({ isError: true });
    expect((await client.call('ssh_host_list', { capability: 'pve' })).facts).toMatchObject({
      hosts: [{ host: 'pve1' }],
    });
  });

  it('are described anew by the server and by hand, without a restart', async () => {
    const opened = await connect('v2-2026', await dc.launch({ MCP_TOOLSETS: 'full' }));
    client = opened;
    const purposes = async () => {
      const { facts } = await opened.call('ssh_host_list', { query: 'pve1' });
      return (facts.hosts as { host: string; purpose?: string }[]).map(({ purpose }) => purpose);
    };
    await opened.call('ssh_host_set', { host: 'pve1', purpose: 'by the server' });
    expect(await purposes()).toEqual(['by the server']);
    const file = join(dc.dir, 'hosts.json');
    await writePrivate(file, (await readFile(file, 'utf8')).replace('by the server', 'by hand'));
    expect(await purposes()).toEqual(['by hand']);
  });

  it.each(eras)('are trusted after a human said yes, in trusted mode too (%s)', async (era) => {
    const empty = join(dc.dir, `none-${era}`);
    const asked: string[] = [];
    const person: Person = (message) => {
      asked.push(message);
      return asked.length === 1 ? { action: 'decline' } : yes(message);
    };
    const launch = await dc.launch(
      { MCP_MODE: 'trusted', MCP_TOOLSETS: 'full', SSH_KNOWN_HOSTS: empty },
      { XDG_CONFIG_HOME: join(dc.dir, `config-${era}`) },
    );
    client = await connect(era, launch, person);
    const trusted = join(dc.dir, `config-${era}`, 'proxmox-ssh-mcp/known_hosts');
    const run = { target: 'pve1', script: 'true' };
    expect(await client.call('ssh_exec', run)).toMatchObject({ isError: true, facts: { error: 'untrusted' } });
    expect(await client.call('ssh_host_trust', { host: 'pve1' })).toMatchObject({ isError: true });
    await expect(readFile(trusted, 'utf8')).rejects.toThrow('ENOENT');
    const accepted = await client.call('ssh_host_trust', { host: 'pve1' });
    expect(accepted).toMatchObject({ isError: false, facts: { key: `ssh-ed25519 ${dc.ssh.hostKeyFingerprint}` } });
    expect(asked[1]).toContain(dc.ssh.hostKeyFingerprint);
    expect(await readFile(trusted, 'utf8')).toBe(`${dc.ssh.hostKeyLine}\n`);
    expect(await client.call('ssh_exec', run)).toMatchObject({ isError: false });
  });

  it('are trusted in no other way', async () => {
    client = await connect(
      'v2-2026',
      await dc.launch({ MCP_MODE: 'trusted', MCP_TOOLSETS: 'full', SSH_KNOWN_HOSTS: join(dc.dir, 'none') }),
    );
    const { isError, text } = await client.call('ssh_host_trust', { host: 'pve1' });
    expect(isError).toBe(true);
    expect(text).toContain('proxmox-ssh-mcp trust HOST');
    await expect(readFile(own(), 'utf8')).rejects.toThrow('ENOENT');
  });
});
