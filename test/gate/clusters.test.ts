import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createChoosing } from '../../src/gate/clusters.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import type { Pve } from '../../src/pve/client.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { KnownHost, Setup, Tool } from '../../src/toolsets/tool.ts';
import { setup } from './harness.ts';

type Row = Record<string, unknown>;
const lxc = (vmid: number, name: string, node = 'pve1'): Row => ({ type: 'lxc', vmid, name, node, status: 'running' });
const node = (name: string): Row => ({ type: 'node', node: name, status: 'online' });

/** Answers every look with these rows, or with that failure. */
const pveOf = (rows: readonly Row[] | Failure): Pve =>
  ({
    get: async () => {
      if (rows instanceof Failure) throw rows;
      return rows;
    },
  }) as unknown as Pve;

const home = [node('pve1'), node('pve2'), lxc(100, 'web'), lxc(101, 'db'), lxc(103, '200')];
const attic = [node('pve1'), node('pve9'), lxc(100, 'mail'), lxc(200, 'vault'), lxc(201, 'db')];
const DOWN = new Failure('unreachable', 'Nobody there.', 'Start it.');

const hosts: readonly KnownHost[] = [
  {
    spec: { name: 'pve1', address: '192.0.2.1', port: 22, user: 'root' },
    source: 'node',
    cluster: 'home',
    tags: ['all'],
  },
  {
    spec: { name: 'pve9.attic', address: '192.0.2.9', port: 22, user: 'root' },
    source: 'node',
    cluster: 'attic',
    tags: ['all', 'up'],
  },
  { spec: { name: 'nas', address: '192.0.2.5', port: 22, user: 'root' }, source: 'inventory' },
];

const settings = (over: Partial<Setup> = {}): Setup =>
  setup({
    toolsets: ['full'],
    clusters: [
      { name: 'home', mode: 'guarded' },
      { name: 'attic', mode: 'guarded' },
    ],
    ...over,
  });
const { find } = createRegistry(tools, settings());

interface World {
  readonly home?: readonly Row[] | Failure;
  readonly attic?: readonly Row[] | Failure;
}

/** The cluster of such a call; `undefined` for all, `kind: message` for a failure. */
async function chosen(tool: string, input: Record<string, unknown>, world: World = {}): Promise<unknown> {
  const choose = createChoosing({
    clusters: [
      { name: 'home', pve: pveOf(world.home ?? home) },
      { name: 'attic', pve: pveOf(world.attic ?? attic) },
    ],
    hosts: {
      list: async () => hosts,
      find: async (name) => {
        const host = hosts.find(({ spec }) => spec.name === name);
        if (host) return host;
        throw new Failure('not-found', 'No such host.', 'Name another.');
      },
      usual: async () => hosts[1] as KnownHost,
    },
    sessions: { peek: (id) => (id === 's1' ? ({ plan: { target: 'ct/100@attic' } } as never) : undefined) },
  });
  return choose(await find(tool), input, new AbortController().signal).catch((error: unknown) =>
    error instanceof Failure ? `${error.kind}: ${error.message}` : error,
  );
}

describe('the cluster that a call is about', () => {
  it.each<readonly [string, Record<string, unknown>, string | undefined]>([
    ['pve_guest_get', { guest: 100, cluster: 'attic' }, 'attic'],
    ['pve_guest_get', { guest: 101 }, 'home'],
    ['pve_guest_get', { guest: 'VAULT ' }, 'attic'],
    ['pve_guest_get', { guest: 'mail' }, 'attic'],
    ['pve_node_get', { node: 'pve2' }, 'home'],
    ['pve_node_get', { node: 'pve9' }, 'attic'],
    ['pve_task_get', { upid: 'UPID:pve9:0004F2A1:0183BC2E:68AF3C11:vzstart:400:root@pam!mcp:' }, 'attic'],
    ['pve_api_get', { path: '/nodes/pve9/status' }, 'attic'],
    ['pve_volume_delete', { volume: 'local-lvm:vm-200-disk-0', node: 'pve2' }, 'home'],
    ['pve_api_call', { method: 'POST', path: '/nodes/pve9/lxc/200/status/start' }, 'attic'],
    ['pct_exec', { vmid: 201, script: 'x' }, 'attic'],
    ['ssh_exec', { target: 'ct/201', script: 'x' }, 'attic'],
    ['ssh_exec', { target: 'ct/100@home', script: 'x' }, 'home'],
    ['ssh_exec', { target: 'pve9.attic', script: 'x' }, 'attic'],
    ['ssh_exec', { target: 'nas', script: 'x' }, 'home'],
    ['ssh_exec', { target: 'nowhere', script: 'x' }, 'home'],
    ['ssh_exec', { script: 'x' }, 'attic'],
    ['ssh_exec_many', { tag: 'up', script: 'x' }, 'attic'],
    ['ssh_exec_many', { targets: ['pve1', 'nas', 'ct/101'], script: 'x' }, 'home'],
    ['ssh_session_run', { session: 's1', script: 'x' }, 'attic'],
    ['ssh_session_run', { session: 'gone', script: 'x' }, 'home'],
    ['ssh_job_kill', { job: 'jaaaaaa@ct/100@attic' }, 'attic'],
    ['ssh_job_kill', { job: 'jaaaaaa@pve9.attic' }, 'attic'],
    ['ssh_host_list', {}, 'home'],
    ['pve_overview', {}, undefined],
    ['pve_overview', { cluster: 'attic' }, 'attic'],
    ['server_status', {}, undefined],
  ])('of %s %j is %s', async (tool, input, cluster) => {
    expect(await chosen(tool, input)).toBe(cluster);
  });

  it.each<readonly [string, Record<string, unknown>, RegExp]>([
    ['pve_guest_get', { guest: 100 }, /^ambiguous: .*home or attic/],
    ['pve_guest_get', { guest: 'db' }, /^ambiguous/],
    // A VMID here is a name there.
    ['pve_guest_get', { guest: 200 }, /^ambiguous/],
    ['pve_node_get', { node: 'pve1' }, /^ambiguous/],
    ['pve_guest_list', {}, /^ambiguous/],
    // What tells a guest in one cluster only may as well be left of one, or meant for one, in the other.
    ['pve_backup_delete', { backup: 'nas:backup/vzdump-lxc-200-2026_11_20-03_00_00.tar.zst' }, /^ambiguous/],
    ['pve_volume_delete', { volume: 'local-lvm:vm-200-disk-0', node: 'pve1' }, /^ambiguous/],
    ['pve_ct_create', { new_vmid: 200, template: 'x', hostname: 'x' }, /^ambiguous/],
    ['pve_api_call', { method: 'DELETE', path: '/nodes/pve1/storage/nas/content/vm-200-disk-0' }, /^ambiguous/],
    // A tag of guests is none of hosts.
    ['pve_guest_list', { tag: 'up' }, /^ambiguous/],
    ['pve_ct_create', { vmid: 555 }, /^ambiguous/],
    ['pve_guest_clone', { guest: 100, new_vmid: 900 }, /^ambiguous/],
    ['pve_guest_get', { guest: 'vualt' }, /^not-found: .*vualt/],
    ['ssh_exec', { target: 'ct/100', script: 'x' }, /^ambiguous/],
    ['ssh_exec', { target: 'ct/100@cellar', script: 'x' }, /^not-found: There is no cluster cellar/],
    ['ssh_exec', { target: 'ct/100@attic', cluster: 'home', script: 'x' }, /^invalid-input: .*more than one/],
    ['ssh_exec', { target: 'pve1', cluster: 'attic', script: 'x' }, /^invalid-input: .*more than one/],
    ['ssh_exec_many', { targets: ['pve1', 'pve9.attic'], script: 'x' }, /^invalid-input/],
    ['ssh_exec_many', { targets: ['pve1', 'ct/200'], script: 'x' }, /^ambiguous/],
    ['ssh_exec_many', { targets: ['pve1', 'ct/100'], script: 'x' }, /^ambiguous/],
    // A host here, and a container that is there alone.
    ['ssh_exec_many', { targets: ['pve1', 'ct/201'], script: 'x' }, /^ambiguous/],
    ['ssh_exec_many', { tag: 'all', script: 'x' }, /^invalid-input/],
  ])('of %s %j is told as not known', async (tool, input, says) => {
    expect(await chosen(tool, input)).toMatch(says);
  });

  it('is not guessed for a change while one does not answer; a read goes on with what is known', async () => {
    const silent = /^unreachable: attic did not answer/;
    const down = { attic: DOWN };
    expect(await chosen('pve_guest_power', { guest: 101, action: 'start' }, down)).toMatch(silent);
    expect(await chosen('pct_exec', { vmid: 101, script: 'x' }, down)).toMatch(silent);
    expect(await chosen('pve_guest_power', { guest: 101, action: 'start', cluster: 'home' }, down)).toBe('home');
    expect(await chosen('pve_guest_get', { guest: 101 }, down)).toBe('home');
    expect(await chosen('pve_guest_get', { guest: 'vault' }, down)).toMatch(silent);
    expect(await chosen('pve_guest_get', { guest: 101 }, { home: DOWN, attic: DOWN })).toMatch(/home, attic did not/);
    expect(await chosen('ssh_exec', { target: 'pve1', script: 'x' }, { home: DOWN, attic: DOWN })).toBe('home');
  });
});

describe('the tools', () => {
  it('are those that any cluster allows, and ask where any of them does', async () => {
    const modes = (a: Setup['mode'], b: Setup['mode']): Setup =>
      settings({
        mode: a,
        clusters: [
          { name: 'home', mode: a },
          { name: 'attic', mode: b },
        ],
      });
    const names = (made: Setup) => createRegistry(tools, made).listed.map(({ name }) => name);
    expect(names(modes('read-only', 'guarded'))).toEqual(names(modes('guarded', 'guarded')));
    expect(names(modes('read-only', 'read-only')).length).toBeLessThan(names(modes('guarded', 'read-only')).length);
  });

  it('are the same as with one cluster, but for the parameter', async () => {
    const one: readonly Tool[] = createRegistry(tools, setup({ toolsets: ['full'] })).listed;
    for (const tool of one) {
      const many = await find(tool.name);
      const { cluster, ...rest } = many.schema.shape;
      expect(Object.keys(rest), tool.name).toEqual(Object.keys(tool.schema.shape));
      const named = ['target', 'targets', 'guest', 'vmid'].some((name) => name in tool.schema.shape);
      expect(cluster !== undefined, tool.name).toBe(tool.toolset === 'pve' || named);
      expect([tool.effect, tool.human, tool.confirm === undefined, tool.touches === undefined]).toEqual([
        many.effect,
        many.human,
        many.confirm === undefined,
        many.touches === undefined,
      ]);
    }
  });
});
