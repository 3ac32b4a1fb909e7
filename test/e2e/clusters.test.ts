import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Connected, connect, type Era, eras, type Person } from './clients.ts';
import type { Datacentre } from './datacentre.ts';
import { initialize, startRaw } from './raw.ts';
import { BOTH, SHED, startTwoClusters, type TwoClusters, VAULT } from './two-clusters.ts';

let two: TwoClusters;
let home: Datacentre;
let attic: Datacentre;
let client: Connected | undefined;

beforeAll(async () => {
  two = await startTwoClusters();
  ({ home, attic } = two);
});
afterEach(async () => {
  await client?.close();
  client = undefined;
});
afterAll(() => two.stop());

interface Wish {
  readonly era?: Era;
  readonly attic?: Record<string, unknown>;
  readonly settings?: Record<string, string>;
  readonly person?: Person;
}

async function session({ era = 'v2-2026', attic: more, settings, person }: Wish = {}): Promise<Connected> {
  client = await connect(era, await two.launch(settings, more), person);
  return client;
}

const propertiesOf = (schema: Record<string, unknown>): Record<string, unknown> =>
  (schema.properties ?? {}) as Record<string, unknown>;

describe('with one cluster', () => {
  it('no tool has a parameter for clusters', async () => {
    client = await connect('v2-2026', await home.launch({ MCP_TOOLSETS: 'full' }));
    for (const { name, inputSchema } of await client.tools())
      expect(propertiesOf(inputSchema), name).not.toHaveProperty('cluster');
    expect((await client.call('pve_guest_get', { guest: BOTH, cluster: 'main' })).facts).toMatchObject({
      error: 'invalid-input',
    });
    expect((await client.call('ssh_exec', { target: `ct/${BOTH}@main`, script: 'true' })).facts).toMatchObject({
      error: 'not-found',
      cure: `Write ct/${BOTH}.`,
    });
  });
});

describe.each(eras)('with two clusters, a client of %s', (era) => {
  it('sees which tools are about one of them, and finds guests by what names them', async () => {
    const { tools, call } = await session({ era });
    const listed = await tools();
    const taking = listed.filter(({ inputSchema }) => 'cluster' in propertiesOf(inputSchema)).map(({ name }) => name);
    expect(taking).toEqual(
      expect.arrayContaining(['pve_guest_get', 'pct_exec', 'ssh_exec', 'vm_exec', 'pve_overview']),
    );
    expect(taking).not.toContain('server_status');
    expect(taking).not.toContain('ssh_session_run');
    const [one] = listed.filter(({ name }) => name === 'pve_guest_get');
    expect(propertiesOf(one?.inputSchema ?? {}).cluster).toMatchObject({ enum: ['home', 'attic'] });

    const vault = await call('pve_guest_get', { guest: 'vault' });
    expect(vault.facts).toMatchObject({ in_cluster: 'attic', vmid: VAULT });
    expect(vault.text).toContain('attic: ');
    for (const cluster of ['home', 'attic']) {
      expect((await call('pve_guest_get', { guest: BOTH, cluster })).facts).toMatchObject({
        in_cluster: cluster,
        vmid: BOTH,
      });
    }
    const unclear = await call('pve_guest_get', { guest: BOTH });
    expect(unclear.facts).toMatchObject({ error: 'ambiguous' });
    expect(unclear.text).toContain('home or attic');
    expect((await call('pve_guest_get', { guest: 'vaul' })).text).toContain('vault');
  });
});

describe('a change', () => {
  it('reaches the cluster that it is about, and no other; where that is not said, none', async () => {
    const { call } = await session();
    const before = [home.writes().length, attic.writes().length];
    const wrote = () => [home.writes().length - (before[0] ?? 0), attic.writes().length - (before[1] ?? 0)];
    const unclear = await call('pve_guest_power', { guest: BOTH, action: 'reboot' });
    expect(unclear.facts).toMatchObject({ error: 'ambiguous' });
    expect(wrote()).toEqual([0, 0]);
    const there = await call('pve_guest_power', { guest: BOTH, action: 'reboot', cluster: 'attic' });
    expect(there).toMatchObject({ isError: false, facts: { in_cluster: 'attic' } });
    expect(wrote()).toEqual([0, 1]);
    const upid = String(there.facts.upid);
    expect((await call('pve_task_get', { upid, cluster: 'attic' })).facts).toMatchObject({ in_cluster: 'attic' });
    expect((await call('pve_task_get', { upid })).facts).toMatchObject({ error: 'ambiguous' });
    const lines = (await home.audit())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find(({ kind, tool }) => kind === 'intent' && tool === 'pve_guest_power')).toMatchObject({
      input: { cluster: 'attic', guest: BOTH },
    });
  });

  it('is asked about with the name of the cluster', async () => {
    const asked: string[] = [];
    const { call } = await session({
      person: (message) => {
        asked.push(message);
        return { action: 'decline' };
      },
    });
    expect((await call('pve_guest_delete', { guest: 'shed' })).facts).toMatchObject({ error: 'refused' });
    expect(asked).toEqual([expect.stringMatching(/^In the cluster attic:\n/)]);
    expect(asked[0]).toContain(`CT ${SHED}`);
  });

  it('goes by the mode and the protected guests of its cluster', async () => {
    const { tools, call } = await session({
      attic: { mode: 'read-only' },
      settings: { MCP_PROTECTED_GUESTS: String(BOTH) },
    });
    const before = [home.writes().length, attic.writes().length];
    expect((await tools()).map(({ name }) => name)).toContain('pve_guest_power');
    const refused = async (tool: string, args: Record<string, unknown>, says: string) => {
      const { facts, text } = await call(tool, args);
      expect(facts, tool).toMatchObject({ error: 'refused' });
      expect(text, tool).toContain(says);
    };
    await refused('pve_guest_power', { guest: 'vault', action: 'start' }, 'read-only');
    const cure = `The operator can set "mode": "guarded" of attic in the inventory file and restart the server.`;
    await refused('pve_guest_power', { guest: 'vault', action: 'start' }, cure);
    await refused('pct_exec', { vmid: VAULT, script: 'true' }, 'read-only');
    await refused('ssh_exec', { target: 'pve1.attic', script: 'true' }, 'read-only');
    await refused('ssh_exec', { target: `ct/${VAULT}`, script: 'true' }, 'read-only');
    await refused('ssh_session_open', { target: 'pve1.attic' }, 'read-only');
    await refused('ssh_file_write', { target: 'pve1.attic', path: '/tmp/x', content: 'x' }, 'read-only');
    await refused('pve_guest_power', { guest: BOTH, action: 'start', cluster: 'home' }, 'protected');
    expect([home.writes().length, attic.writes().length]).toEqual(before);
    expect((await call('pve_guest_get', { guest: 'vault' })).isError).toBe(false);
  });

  it('may be protected in one and not in the other', async () => {
    const { call } = await session({ attic: { protectedGuests: [BOTH] } });
    const there = await call('pve_guest_power', { guest: BOTH, action: 'reboot', cluster: 'attic' });
    expect(there.facts).toMatchObject({ error: 'refused' });
    expect(there.text).toContain('taking it out of "protectedGuests" of attic in the inventory file');
    expect((await call('pve_guest_power', { guest: BOTH, action: 'reboot', cluster: 'home' })).isError).toBe(false);
  });

  it('is no way round the mode of a host: what is on it is in its cluster', async () => {
    const { call } = await session({ attic: { mode: 'trusted' }, settings: { MCP_MODE: 'read-only' } });
    const { facts } = await call('ssh_exec', { target: 'pve1', script: 'true', cluster: 'attic' });
    expect(facts).toMatchObject({ error: 'invalid-input' });
    expect((await call('ssh_exec', { target: 'pve1', script: 'true' })).facts).toMatchObject({ error: 'refused' });
    expect((await call('ssh_exec', { target: 'pve1.attic', script: 'hostname' })).isError).toBe(false);
  });
});

describe('a command', () => {
  it('runs in the container of the cluster that is meant, by the node of that cluster', async () => {
    const { call } = await session();
    const ran = await call('pct_exec', { vmid: VAULT, script: 'hostname' });
    expect(ran.facts).toMatchObject({ in_cluster: 'attic', ran_on: expect.stringContaining('of attic') });
    expect(ran.text).toContain('vault');
    expect((await call('ssh_exec', { target: `ct/${VAULT}@attic`, script: 'hostname' })).text).toContain('vault');
    expect((await call('ssh_exec', { target: `ct/${VAULT}@home`, script: 'hostname' })).facts).toMatchObject({
      error: 'not-found',
    });
    expect((await call('ssh_exec', { target: `ct/${BOTH}`, script: 'hostname' })).facts).toMatchObject({
      error: 'ambiguous',
    });
    expect((await call('ssh_exec', { target: `ct/${BOTH}@cellar`, script: 'hostname' })).text).toContain(
      'There is no cluster cellar',
    );
  });

  it('stays in its cluster in a session and as a job', async () => {
    const { call } = await session({ attic: { protectedGuests: [VAULT] } });
    const job = await call('ssh_exec', { target: `ct/${BOTH}@attic`, script: 'sleep 30', wait_s: 0 });
    expect(job.facts).toMatchObject({
      in_cluster: 'attic',
      job: expect.stringMatching(new RegExp(`@ct/${BOTH}@attic$`)),
    });
    expect((await call('ssh_job_read', { job: job.facts.job })).isError).toBe(false);
    expect((await call('ssh_job_kill', { job: job.facts.job })).text).toContain('of attic');
    const many = await call('ssh_exec_many', { targets: [`ct/${BOTH}@attic`, `ct/${BOTH}@home`], script: 'hostname' });
    expect(many.facts).toMatchObject({ error: 'invalid-input' });
    expect(many.text).toContain('Make a call for each');
    expect((await call('pct_exec', { vmid: VAULT, script: 'true' })).facts).toMatchObject({ error: 'refused' });
  });
});

describe('a resource', () => {
  it('is called by its cluster too, so that two guests of one VMID are two', async () => {
    const raw = startRaw(await two.launch());
    await initialize(raw);
    const { result } = await raw.request('resources/list');
    const { resources } = result as { resources: { uri: string; name: string }[] };
    const uris = resources.map(({ uri }) => uri);
    expect(new Set(uris).size).toBe(uris.length);
    const at = (vmid: number, cluster: string) => `pve://guest/${vmid}%40${cluster}`;
    expect(uris).toEqual(
      expect.arrayContaining([at(BOTH, 'home'), at(BOTH, 'attic'), at(VAULT, 'attic'), 'pve://node/pve1%40attic']),
    );
    const read = async (uri: string) => JSON.stringify((await raw.request('resources/read', { uri })).result);
    expect(await read(at(BOTH, 'attic'))).toContain('attic: ');
    expect(await read('pve://node/pve1@home')).toContain('home: ');
    raw.child.stdin?.end();
    await raw.gone;
  });
});

describe('the overview', () => {
  it('spans all clusters, and can be of one', async () => {
    const { call } = await session();
    const { facts, text } = await call('pve_overview');
    expect(facts.clusters).toMatchObject([{ in_cluster: 'home' }, { in_cluster: 'attic' }]);
    expect(facts).not.toHaveProperty('notes');
    expect(text).toMatch(/home: Cluster homelab.*attic: Cluster homelab/s);
    const one = await call('pve_overview', { cluster: 'attic' });
    expect(one.facts).toMatchObject({ in_cluster: 'attic', nodes: expect.any(Array) });
    expect((await call('pve_dashboard')).facts.clusters).toMatchObject([
      { in_cluster: 'home', guest_list: expect.any(Array) },
      { in_cluster: 'attic' },
    ]);
    expect((await call('ssh_host_list')).facts.hosts).toMatchObject([
      { host: 'pve1', in_cluster: 'home' },
      { host: 'pve1.attic', in_cluster: 'attic' },
      { host: 'pve2', in_cluster: 'home' },
    ]);
    expect((await call('server_status')).facts.clusters).toMatchObject([
      { cluster: 'home', mode: 'guarded', state: 'connected' },
      { cluster: 'attic', mode: 'guarded', state: 'connected' },
    ]);
  });

  it('has a note of one that is down; reads go on, and a change has to say where', async () => {
    const { call } = await session({ attic: { host: '127.0.0.1:1' } });
    const { facts, isError } = await call('pve_overview');
    expect(isError).toBe(false);
    expect(facts.clusters).toMatchObject([{ in_cluster: 'home' }]);
    expect(facts.notes).toEqual([expect.stringMatching(/^attic: .*127\.0\.0\.1:1/)]);
    expect((await call('pve_guest_get', { guest: BOTH })).facts).toMatchObject({ in_cluster: 'home' });
    const before = home.writes().length;
    const unclear = await call('pve_guest_power', { guest: BOTH, action: 'reboot' });
    expect(unclear.facts).toMatchObject({ error: 'unreachable' });
    expect(unclear.text).toContain('attic did not answer');
    expect(home.writes().length).toBe(before);
    expect((await call('pve_guest_power', { guest: BOTH, action: 'reboot', cluster: 'home' })).isError).toBe(false);
  });
});

describe('the token of a cluster', () => {
  it('is shown nowhere, and goes to its own cluster alone', async () => {
    const { call, stderr } = await session();
    const secret = attic.api.token.value;
    const said = [
      ...[await call('pve_overview'), await call('server_status'), await call('pve_guest_list', { cluster: 'attic' })],
      await call('ssh_exec', { target: 'pve1', script: `echo ${secret}` }),
    ].map(({ text, facts }) => text + JSON.stringify(facts));
    expect([...said, stderr(), await home.audit()].filter((one) => one.includes(secret))).toEqual([]);
    // Where it is no token, a request with it would not be let in.
    expect(home.world.requests.filter(({ who }) => who === undefined)).toEqual([]);
  });

  it('is a problem of that cluster alone where it is not to be had', async () => {
    client = await connect('v2-2026', await two.launch({}, {}, ''));
    expect((await client.call('pve_guest_list', { cluster: 'home' })).isError).toBe(false);
    const wrong = await client.call('pve_guest_list', { cluster: 'attic' });
    expect(wrong.facts).toMatchObject({ error: 'misconfigured' });
    expect(wrong.text).toContain('ATTIC_TOKEN is not set');
    expect((await client.call('server_status')).text).toContain('ATTIC_TOKEN is not set');
  });
});

describe('proxmox-ssh-mcp', () => {
  const run = async (...args: string[]) => {
    const { command, args: serve, env } = await two.launch();
    const [bin = '', , ...flags] = serve;
    const child = spawn(command, [bin, ...args, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    return text(child.stdout);
  };

  it('doctor looks at each cluster, and says of which it speaks', async () => {
    const { checks } = JSON.parse(await run('doctor', '--json')) as { checks: { name: string; state: string }[] };
    const of = (name: string) => checks.filter((check) => check.name === name).map(({ state }) => state);
    expect([of('home: API token'), of('attic: API token')]).toEqual([['ok'], ['ok']]);
  });

  it('hosts lists the nodes of all clusters, those of further ones with their name behind', async () => {
    const names = (JSON.parse(await run('hosts', '--json')) as { name: string }[]).map(({ name }) => name);
    // Both say the same address of a pve2, so that of the attic has to be described.
    expect(names).toEqual(['pve1', 'pve1.attic', 'pve2']);
  });

  it('dashboard has both on one page', async () => {
    const file = `${home.dir}/dashboard.html`;
    await run('dashboard', '--output', file);
    expect(await readFile(file, 'utf8')).toContain('"in_cluster":"attic"');
  });
});
