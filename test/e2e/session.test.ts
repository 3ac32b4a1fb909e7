import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { convertInput } from '../../src/mcp/inputschema.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Connected, connect, eras, type Person } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

let dc: Datacentre;
const open: Connected[] = [];
beforeEach(async () => {
  dc = await startDatacentre();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
  await dc.stop();
});

const yes: Person = () => ({ action: 'accept', content: { confirm: true } });

describe.each(eras)('with a client of %s', (era) => {
  const session = async (settings: Record<string, string> = {}, person?: Person): Promise<Connected> => {
    const client = await connect(era, await dc.launch(settings), person);
    open.push(client);
    return client;
  };

  it('lists the tools in the order of their names, every hint explicit, and says how to use them', async () => {
    const client = await session();
    expect(client.protocol).toBe(era === 'v2-2026' ? '2026-07-28' : '2025-11-25');
    const tools = await client.tools();
    expect(tools.map(({ name }) => name)).toEqual(tools.map(({ name }) => name).toSorted());
    for (const { name, annotations, _meta, description } of tools) {
      expect(Object.keys(annotations ?? {}).sort(), name).toEqual(
        ['destructiveHint', 'idempotentHint', 'openWorldHint', 'readOnlyHint', 'title'].sort(),
      );
      expect(_meta?.['anthropic/searchHint'], name).toBeTypeOf('string');
      expect((description ?? '').length, name).toBeLessThan(2000);
    }
    const stop = tools.find(({ name }) => name === 'pve_guest_stop');
    expect(stop?.annotations).toMatchObject({ destructiveHint: true, readOnlyHint: false });
    expect(stop?._meta?.['anthropic/requiresUserInteraction']).toBe(true);
    expect(client.instructions.length).toBeGreaterThan(500);
    expect(client.instructions.length).toBeLessThan(2000);
  });

  it('tells of every tool’s input what its own schema says', async () => {
    const client = await session({ MCP_TOOLSETS: 'full' });
    const told = Object.fromEntries((await client.tools()).map(({ name, inputSchema }) => [name, inputSchema]));
    expect(told).toEqual(Object.fromEntries(tools.map((tool) => [tool.name, convertInput(tool)])));
  });

  it('plays the main job: look, start and wait, ask inside, restart and read, snapshot, stop after a yes', async () => {
    const asked: string[] = [];
    const client = await session({}, (message) => {
      asked.push(message);
      return { action: 'accept', content: { confirm: true } };
    });
    const ok = async (name: string, args: Record<string, unknown> = {}) => {
      const result = await client.call(name, args);
      expect(result.isError, result.text).toBe(false);
      return result;
    };
    const list = await ok('pve_guest_list', { kind: 'lxc' });
    expect(list.text).toContain('keycloak');
    expect((await ok('pve_overview')).text).toMatch(/pve1/);
    expect((await ok('pve_storage_list')).text).toContain('local-lvm');

    const progress: string[] = [];
    const started = await client.call(
      'pve_guest_power',
      { guest: 'keycloak', action: 'start' },
      { onProgress: (message) => progress.push(message) },
    );
    expect(started.isError, started.text).toBe(false);
    expect(dc.world.guest(400)?.status).toBe('running');

    const docker = await ok('pct_exec', { vmid: 400, script: 'docker ps' });
    expect(docker.text).toContain('quay.io/keycloak/keycloak');
    const log = await ok('ssh_exec', {
      target: 'pve1',
      script: 'systemctl restart webzfs\njournalctl -u webzfs -n 3 --no-pager',
    });
    expect(log.text).toMatch(/webzfs/i);
    await ok('pve_snapshot_create', { guest: 400, name: 'before_update' });
    expect(dc.world.guest(400)?.snapshots.map(({ name }) => name)).toContain('before_update');

    await ok('pve_guest_stop', { guest: 400, action: 'stop' });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/400.*keycloak/s);
    expect(dc.world.guest(400)?.status).toBe('stopped');
    expect(dc.writes().map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /nodes/pve1/lxc/400/status/start',
      'POST /nodes/pve1/lxc/400/snapshot',
      'POST /nodes/pve1/lxc/400/status/stop',
    ]);
  });

  it('refuses a protected guest by every spelling, 0 writes, and reads it', async () => {
    const client = await session({ MCP_PROTECTED_GUESTS: '400' }, yes);
    for (const guest of [400, '400', 'keycloak', 'Keycloak', ' 400']) {
      const result = await client.call('pve_guest_power', { guest, action: 'start' });
      expect(result.isError, String(guest)).toBe(true);
    }
    const exec = await client.call('pct_exec', { vmid: 400, script: 'true' });
    expect(exec).toMatchObject({ isError: true, facts: { error: 'refused' } });
    expect(dc.writes()).toEqual([]);
    expect((await client.call('pve_guest_get', { guest: 400 })).isError).toBe(false);
  });

  it('a yes for a guest with Proxmox’s own protection flag is not even asked for', async () => {
    const flagged = dc.world.guests.find(({ config }) => config.protection === 1);
    if (flagged) flagged.status = 'running';
    const client = await session({}, yes);
    const result = await client.call('pve_guest_stop', { guest: flagged?.vmid, action: 'stop' });
    expect(result).toMatchObject({ isError: true, facts: { error: 'refused' } });
    expect(result.text).toContain('protection');
    expect(dc.writes()).toEqual([]);
  });

  it('tells wrong arguments with the known ones, and an unknown guest with the nearest names', async () => {
    const client = await session();
    const wrong = await client.call('pve_guest_get', { gest: 400 });
    expect(wrong).toMatchObject({ isError: true, facts: { error: 'invalid-input' } });
    expect(wrong.text).toMatch(/unknown parameter gest/);
    const unknown = await client.call('pve_guest_get', { guest: 'keyclaok' });
    expect(unknown).toMatchObject({ isError: true, facts: { error: 'not-found' } });
    expect(unknown.text).toContain('keycloak');
  });

  it('starts without any settings, and says what is missing and how to set it', async () => {
    const launch = await dc.launch();
    const bare = { ...launch, args: launch.args.slice(0, 2) };
    const client = await connect(era, bare);
    open.push(client);
    expect((await client.tools()).length).toBeGreaterThan(10);
    const result = await client.call('pve_overview');
    expect(result).toMatchObject({ isError: true, facts: { error: 'misconfigured' } });
    expect(result.text).toContain('PROXMOX_HOST');
    const status = await client.call('server_status');
    expect(status.isError).toBe(false);
    expect(status.text).toContain('PROXMOX_HOST');
  });

  it('ends a command when the client cancels the call', async () => {
    const client = await session();
    const giveUp = new AbortController();
    const call = client.call('ssh_exec', { target: 'pve1', script: 'sleep 30' }, { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 300);
    await expect(call).rejects.toThrow();
    const next = await client.call('ssh_exec', { target: 'pve1', script: 'echo alive' });
    expect(next.text).toContain('alive');
  });
});
