import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Connected, connect, eras } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

let dc: Datacentre;
let client: Connected;
/** What a human was asked, and said yes to. */
let asked: string[];
beforeEach(async () => {
  dc = await startDatacentre();
  asked = [];
});
afterEach(async () => {
  await client.close();
  await dc.stop();
});

async function ok(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { isError, text, facts } = await client.call(name, args);
  expect(isError, `${name}: ${text}`).toBe(false);
  return facts;
}

/** What the datacentre itself has of a guest. */
function world(vmid: number) {
  const guest = dc.world.guest(vmid);
  if (guest === undefined) return undefined;
  const { hostname, cores, memory, tags } = guest.config;
  return { status: guest.status, hostname, cores, memory, tags };
}

describe.each(eras)('a service and its clone, with a client of %s', (era) => {
  it('clone, configure, snapshot, break, roll back, back up, delete, restore to a new id', async () => {
    client = await connect(era, await dc.launch({ MCP_TOOLSETS: 'full' }), (message) => {
      asked.push(message);
      return { action: 'accept', content: { confirm: true } };
    });
    const original = world(400);

    await ok('pve_guest_clone', { guest: 'keycloak', new_vmid: 500, name: 'keycloak-next' });
    expect(world(500)).toEqual({ ...original, hostname: 'keycloak-next' });

    await ok('pve_guest_configure', { guest: 500, cores: 4, memory_mib: 6144, tags: ['sso', 'next'] });
    await ok('pve_guest_power', { guest: 500, action: 'start' });
    const good = { status: 'running', hostname: 'keycloak-next', cores: 4, memory: 6144, tags: 'sso;next' };
    expect(world(500)).toEqual(good);

    await ok('pve_snapshot_create', { guest: 'keycloak-next', name: 'works', description: 'before the update' });
    await ok('pve_guest_configure', { guest: 500, memory_mib: 64, set: { cpulimit: '0.1' }, delete: ['tags'] });
    expect(world(500)).toMatchObject({ memory: 64, tags: undefined });
    expect(asked).toEqual([]);

    await ok('pve_snapshot_rollback', { guest: 500, snapshot: 'works', start: true });
    expect(world(500)).toEqual(good);
    expect(dc.world.guest(500)?.config.cpulimit).toBeUndefined();

    const { backup } = await ok('pve_backup_create', { guest: 500, notes: 'the good one' });
    expect(String(backup)).toMatch(/^pbs:backup\/ct\/500\//);

    await ok('pve_guest_stop', { guest: 500, action: 'stop' });
    await ok('pve_guest_delete', { guest: 500 });
    expect(world(500)).toBeUndefined();
    expect((await client.call('pve_guest_get', { guest: 500 })).facts).toMatchObject({ error: 'not-found' });

    await ok('pve_backup_restore', { backup, new_vmid: 501, start: true });
    expect(world(501)).toEqual(good);
    expect(dc.world.guest(501)?.config.net0).not.toBe(dc.world.guest(400)?.config.net0);
    expect(world(400)).toEqual(original);

    // What cannot be undone was asked, each once, about the guest that was meant.
    expect(asked).toHaveLength(3);
    for (const question of asked) expect(question).toMatch(/CT 500 \(keycloak-next\)/);
    expect(dc.writes().map(({ method, path }) => `${method} ${path}`)).toMatchInlineSnapshot(`
      [
        "POST /nodes/pve1/lxc/400/clone",
        "PUT /nodes/pve1/lxc/500/config",
        "POST /nodes/pve1/lxc/500/status/start",
        "POST /nodes/pve1/lxc/500/snapshot",
        "PUT /nodes/pve1/lxc/500/config",
        "POST /nodes/pve1/lxc/500/snapshot/works/rollback",
        "POST /nodes/pve1/vzdump",
        "POST /nodes/pve1/lxc/500/status/stop",
        "DELETE /nodes/pve1/lxc/500",
        "POST /nodes/pve1/lxc",
        "POST /nodes/pve1/lxc/501/status/start",
      ]
    `);
  });
});
