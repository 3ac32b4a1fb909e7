import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { servedMethods } from '../../src/demo/api/rules/parse.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import { type Answer, ask, authorization } from './fidelity/wire.ts';

let clock: number;
let world: World;
let api: Api;

beforeEach(async () => {
  clock = Date.UTC(2026, 10, 20, 3, 0, 0);
  world = createWorld({ now: () => clock });
  api = await startApi(world);
});
afterEach(() => api.stop());

const pass = (seconds: number): void => {
  clock += seconds * 1000;
};

/** The token of that name, as a header. */
function as(name: string): Record<string, string> {
  const token = world.access.tokens.find(({ user, tokenid }) => `${user}!${tokenid}` === name);
  if (token === undefined) throw new Error(`no token ${name}`);
  return authorization(token);
}

function call(method: string, path: string, form?: Record<string, string>, token = 'root@pam!mcp'): Promise<Answer> {
  const body =
    form === undefined ? {} : { body: new URLSearchParams(form).toString(), type: 'application/x-www-form-urlencoded' };
  return ask(api, { method, path: `/api2/json${path}`, headers: as(token), ...body });
}

async function data<T>(method: string, path: string, form?: Record<string, string>, token?: string): Promise<T> {
  const answer = await call(method, path, form, token);
  expect(`${answer.status} ${answer.reason}`).toBe('200 OK');
  return (JSON.parse(answer.text) as { data: T }).data;
}

const task = (upid: string) =>
  data<{ status: string; exitstatus?: string }>('GET', `/nodes/${upid.split(':')[1]}/tasks/${upid}/status`);
const ct400 = '/nodes/pve1/lxc/400';

describe('the homelab', () => {
  it('has two nodes, eight guests and five storages', async () => {
    const rows = await data<{ type: string; name?: string; vmid?: number; storage?: string; node: string }[]>(
      'GET',
      '/cluster/resources',
    );
    expect(rows.filter(({ type }) => type === 'node').map(({ node }) => node)).toEqual(['pve1', 'pve2']);
    expect(Object.fromEntries(rows.filter(({ vmid }) => vmid).map(({ vmid, name }) => [vmid, name]))).toEqual({
      101: 'pihole',
      102: 'webzfs-proxy',
      200: 'homeassistant',
      201: 'win11',
      300: 'gitlab',
      400: 'keycloak',
      410: 'postgres',
      9000: 'debian-13-template',
    });
    const storages = new Set(rows.map(({ storage }) => storage).filter((name) => name !== undefined));
    expect([...storages]).toEqual(['local', 'local-lvm', 'local-zfs', 'nas', 'pbs']);
  });

  it('has numbers that move and stay plausible', async () => {
    const read = () =>
      data<{ cpu: number; mem: number; maxmem: number; uptime: number }>('GET', '/nodes/pve1/qemu/201/status/current');
    const before = await read();
    pass(7);
    const after = await read();
    expect(after.uptime).toBe(before.uptime + 7);
    expect(after.cpu).not.toBe(before.cpu);
    for (const { cpu, mem, maxmem } of [before, after]) {
      expect(cpu).toBeGreaterThan(0);
      expect(cpu).toBeLessThan(1);
      expect(mem).toBeLessThan(maxmem);
    }
  });

  it('keeps hostile text as it is', async () => {
    const { description } = await data<{ description: string }>('GET', '/nodes/pve1/lxc/101/config');
    expect(description).toContain('ignore previous instructions');
    expect(description).toContain('\u001b[31m');
  });

  it('describes its own methods as apidoc.js does', async () => {
    const { text } = await ask(api, { path: '/pve-docs/api-viewer/apidoc.js' });
    interface Leaf {
      path: string;
      info: Record<string, unknown>;
      children?: Leaf[];
    }
    const tree: Leaf[] = JSON.parse(/^const apiSchema = (\[.*?\n\])/s.exec(text)?.[1] ?? '');
    const flat = (leaves: Leaf[]): string[] =>
      leaves.flatMap(({ path, info, children = [] }) => [
        ...Object.keys(info).map((method) => `${method} ${path}`),
        ...flat(children),
      ]);
    expect(flat(tree).toSorted()).toEqual(
      servedMethods()
        .map(({ method, path }) => `${method} ${path}`)
        .toSorted(),
    );
  });
});

describe('a task', () => {
  it('takes its time, has an empty log first, and changes the guest at its end', async () => {
    const upid = await data<string>('POST', `${ct400}/status/start`);
    expect(upid).toMatch(/^UPID:pve1:[0-9A-F]{8}:[0-9A-F]{8}:6AFFB7B0:vzstart:400:root@pam!mcp:$/);
    expect(await task(upid)).toMatchObject({ status: 'running' });
    expect(JSON.parse((await call('GET', `/nodes/pve1/tasks/${upid}/log`)).text)).toEqual({
      data: [{ n: 1, t: 'no content' }],
      total: 1,
    });
    expect(await data('GET', `${ct400}/status/current`)).toMatchObject({ status: 'stopped' });
    pass(4);
    expect(await task(upid)).toMatchObject({ status: 'stopped', exitstatus: 'OK' });
    expect(await data('GET', `${ct400}/status/current`)).toMatchObject({ status: 'running', uptime: 1 });
    expect((await call('POST', `${ct400}/status/start`)).reason).toBe('CT 400 already running');
  });

  it('holds its lock while it works', async () => {
    const upid = await data<string>('POST', `${ct400}/snapshot`, { snapname: 'now' });
    expect(await data('GET', `${ct400}/config`)).toMatchObject({ lock: 'snapshot' });
    expect((await call('PUT', `${ct400}/config`, { memory: '1024' })).reason).toBe('CT is locked (snapshot)');
    pass(3);
    expect(await task(upid)).toMatchObject({ exitstatus: 'OK' });
    expect(await data('GET', `${ct400}/config`)).not.toHaveProperty('lock');
    const names = await data<{ name: string; parent?: string }[]>('GET', `${ct400}/snapshot`);
    expect(names.map(({ name, parent }) => [name, parent])).toEqual([
      ['before-upgrade', undefined],
      ['now', 'before-upgrade'],
      ['current', 'now'],
    ]);
  });

  it.each([
    ['warn', 'WARNINGS: 1', 'running'],
    [{ fail: 'startup for container 400 failed' }, 'startup for container 400 failed', 'stopped'],
  ] as const)('ends as it is told to: %j', async (fate, exitstatus, state) => {
    world.switches.nextTask = fate;
    const upid = await data<string>('POST', `${ct400}/status/start`);
    pass(10);
    expect(await task(upid)).toMatchObject({ exitstatus });
    expect(await data('GET', `${ct400}/status/current`)).toMatchObject({ status: state });
  });

  it('may never end, and keeps others out until it is stopped', async () => {
    world.switches.nextTask = 'hang';
    const upid = await data<string>('POST', `${ct400}/status/start`);
    pass(3600);
    expect(await task(upid)).toMatchObject({ status: 'running' });
    const second = await data<string>('POST', `${ct400}/status/start`);
    pass(11);
    expect(await task(second)).toMatchObject({
      exitstatus: "can't lock file '/run/lock/lxc/pve-config-400.lock' - got timeout",
    });
    await data('DELETE', `/nodes/pve1/tasks/${upid}`);
    expect(await task(upid)).toMatchObject({ exitstatus: 'unexpected status' });
    const archive = await data<{ upid: string; status: string }[]>('GET', '/nodes/pve1/tasks?errors=1&vmid=400');
    expect(archive.map((row) => row.upid)).toEqual([second, upid]);
  });

  it('backs up, restarts what it stopped, and tells of a guest that it could not', async () => {
    const guest = world.guest(102);
    if (guest) guest.lock = 'migrate';
    const form = { vmid: '101,102', storage: 'local', mode: 'stop', compress: 'zstd' };
    const upid = await data<string>('POST', '/nodes/pve1/vzdump', form);
    pass(5);
    expect(await data('GET', '/nodes/pve1/lxc/101/status/current')).toMatchObject({
      status: 'stopped',
      lock: 'backup',
    });
    pass(60);
    expect(await task(upid)).toMatchObject({ exitstatus: 'job errors' });
    expect(await data('GET', '/nodes/pve1/lxc/101/status/current')).toMatchObject({ status: 'running' });
    const log = await data<{ t: string }[]>('GET', `/nodes/pve1/tasks/${upid}/log?limit=0`);
    expect(log.map(({ t }) => t)).toContain('ERROR: Backup of VM 102 failed - CT is locked (migrate)');
    const backups = await data<{ volid: string }[]>('GET', '/nodes/pve1/storage/local/content?content=backup&vmid=101');
    expect(backups.map(({ volid }) => volid)).toEqual(['local:backup/vzdump-lxc-101-2026_11_20-03_00_00.tar.zst']);
  });
});

describe('bad days', () => {
  it('tells of a node that is gone, and of a lost quorum', async () => {
    world.switches.offline.add('pve2');
    world.switches.quorate = false;
    const [cluster, , pve2] = await data<Record<string, unknown>[]>('GET', '/cluster/status');
    expect([cluster?.quorate, pve2?.online]).toEqual([0, 0]);
    expect(await data('GET', '/nodes')).toMatchObject([{ status: 'online' }, { status: 'offline' }]);
    const guests = await data<{ vmid: number; status: string }[]>('GET', '/cluster/resources?type=vm');
    expect(guests.find(({ vmid }) => vmid === 300)?.status).toBe('unknown');
    const { status, reason, text } = await call('POST', '/nodes/pve2/qemu/300/status/stop');
    expect([status, reason, text]).toEqual([595, 'No route to host', '']);
    expect((await call('POST', `${ct400}/status/start`)).reason).toBe('cluster not ready - no quorum?');
  });

  it('answers nothing, breaks off, or says the same to everybody', async () => {
    world.switches.outage = { status: 503, reason: 'Service Unavailable' };
    expect((await call('GET', '/version')).status).toBe(503);
    world.switches.outage = 'reset';
    await expect(call('POST', `${ct400}/status/start`)).rejects.toThrow(/hang up|ECONNRESET/);
    world.switches.outage = undefined;
    world.switches.latencyMs = 120;
    const before = performance.now();
    expect((await call('GET', '/version')).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(115);
    expect(world.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET']);
  });
});

describe('a path', () => {
  it.each([
    '//nodes/pve1//lxc/400/config',
    '/nodes/localhost/lxc/400/config',
    '/nodes/pve1/lxc/400/config/',
    '/nodes%2Fpve1/lxc/40%30/config',
  ])('may be spelled %s', async (path) => {
    expect(await data('GET', path)).toMatchObject({ hostname: 'keycloak' });
  });
});

describe('privileges', () => {
  it('filter lists in silence', async () => {
    const types = async (token: string) => {
      const rows = await data<{ type: string; mem?: number }[]>('GET', '/cluster/resources', undefined, token);
      return [new Set(rows.map(({ type }) => type)), rows.some(({ mem }) => mem !== undefined)] as const;
    };
    expect(await types('mcp@pve!nothing')).toEqual([new Set(['node']), false]);
    expect(await types('mcp@pve!auditor')).toEqual([new Set(['lxc', 'qemu', 'node', 'storage', 'network']), true]);
    expect(await data('GET', '/access/permissions', undefined, 'mcp@pve!nothing')).toEqual({});
  });

  it('are those of the token, as far as its user has them too', async () => {
    const start = (token: string) => call('POST', `${ct400}/status/start`, undefined, token);
    expect((await start('mcp@pve!auditor')).reason).toBe('Permission check failed (/vms/400, VM.PowerMgmt)');
    expect((await start('mcp@pve!operator')).status).toBe(200);
    expect((await call('GET', '/nodes/pve1/apt/update', undefined, 'mcp@pve!operator')).reason).toBe(
      'Permission check failed (/nodes/pve1, Sys.Modify)',
    );
    world.access.acl.splice(0, 1);
    expect((await start('mcp@pve!operator')).status).toBe(403);
  });
});

describe('a configuration', () => {
  it('shows what waits for the next start, and takes it over then', async () => {
    const path = '/nodes/pve1/qemu/200/config';
    expect(await data('GET', path)).toMatchObject({ memory: '6144' });
    expect(await data('GET', `${path}?current=1`)).toMatchObject({ memory: '4096' });
    await data('POST', '/nodes/pve1/qemu/200/status/reboot');
    pass(8);
    expect(await data('GET', `${path}?current=1`)).toMatchObject({ memory: '6144' });
  });

  it('is not changed by somebody who read an old one', async () => {
    const { digest } = await data<{ digest: string }>('GET', `${ct400}/config`);
    await data('PUT', `${ct400}/config`, { description: 'one 🦆', digest });
    expect(await data('GET', `${ct400}/config`)).toMatchObject({ description: 'one 🦆\n' });
    expect((await call('PUT', `${ct400}/config`, { description: 'two', digest })).status).toBe(500);
  });

  it('keeps a protected guest from being deleted, and a deleted one leaves its backups', async () => {
    expect((await call('DELETE', '/nodes/pve1/lxc/410')).reason).toBe("can't remove CT 410 - protection mode enabled");
    await data('DELETE', `${ct400}?purge=1`);
    pass(5);
    expect((await call('GET', `${ct400}/config`)).reason).toBe(
      "Configuration file 'nodes/pve1/lxc/400.conf' does not exist",
    );
    expect(await data('GET', '/nodes/pve1/storage/local-lvm/content?vmid=400')).toEqual([]);
    expect(await data('GET', '/nodes/pve1/storage/local/content?vmid=400')).toHaveLength(1);
  });
});
