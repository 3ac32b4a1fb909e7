import { readFile, stat } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Wire } from '../../src/pve/wire.ts';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const create = (input: Record<string, unknown>) => bench.call('pve_ct_create', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_ct_create', input);
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeNq5b0u4nZ3cB3FJkzN0Cn0v5y4GqvJXW8r0nF2y0K me@laptop';

/** What the API was sent, by the last word of its path. */
const sent = (path: string) =>
  bench.world.requests.filter((one) => one.method === 'POST' && one.path.endsWith(path)).at(-1)?.params;

describe('pve_ct_create', () => {
  it('finds template, node, storage and VMID, makes a password, starts it and tells its address: two writes', async () => {
    expect(await create({ template: 'debian-13', name: 'web' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "disk": "local-zfs, 8 GiB",
          "guest": "CT 100 (web) on pve1",
          "ip_addresses": [
            {
              "addresses": [
                "192.168.2.100/24",
              ],
              "interface": "eth0",
            },
          ],
          "net": "name=eth0,bridge=vmbr0,ip=dhcp",
          "node": "pve1",
          "password_file": "…/secrets/web-100-root-….txt",
          "status": "running",
          "steps": [
            {
              "step": "create",
              "task_state": "ok",
              "upid": "UPID:pve1:…:vzcreate:100:root@pam!mcp:",
              "waited": "… s",
            },
            {
              "step": "start",
              "task_state": "ok",
              "upid": "UPID:pve1:…:vzstart:100:root@pam!mcp:",
              "waited": "… s",
            },
          ],
          "template": "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
          "vmid": 100,
        },
        "headline": "CT 100 (web) on pve1: created, running, up 1 s",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc', 'POST /nodes/pve1/lxc/100/status/start']);
  });

  it('keeps the password in a file that only its owner may read, and tells it to the API alone', async () => {
    const told: string[] = [];
    const context = { progress: (line: string) => told.push(line) };
    const answer = await bench.call('pve_ct_create', { template: 'debian-13', name: 'secret' }, context);
    const password = bench.passwords.at(-1) ?? '';
    expect(sent('/lxc')?.password).toBe(password);
    expect(password).toMatch(/^\w{24}$/);
    expect(JSON.stringify([answer, told])).not.toContain(password);
    const files = await bench.secretFiles();
    const held = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(held).toContain(`${password}\n`);
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('takes everything that is given, and no password with a key', async () => {
    const made = bench.passwords.length;
    const told = await create({
      template: 'local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst',
      name: 'db.home',
      new_vmid: 555,
      node: 'pve2',
      storage: 'local-lvm',
      cores: 4,
      memory_mib: 2048,
      disk_gib: 20,
      mounts: [{ storage: 'local-zfs', size_gib: 100, path: '/srv' }],
      ip: '192.168.2.55/24',
      gateway: '192.168.2.1',
      vlan: 7,
      ssh_keys: [key],
      nesting: false,
      onboot: true,
      tags: ['db', 'test'],
      start: false,
    });
    expect(sent('/lxc')).toEqual({
      vmid: '555',
      ostemplate: 'local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst',
      hostname: 'db.home',
      cores: '4',
      memory: '2048',
      rootfs: 'local-lvm:20',
      mp0: 'local-zfs:100,mp=/srv',
      net0: 'name=eth0,bridge=vmbr0,tag=7,ip=192.168.2.55/24,gw=192.168.2.1',
      'ssh-public-keys': key,
      unprivileged: '1',
      onboot: '1',
      tags: 'db;test',
    });
    expect(told).toMatchObject({
      headline: 'CT 555 (db.home) on pve2: created, stopped',
      facts: { status: 'stopped' },
    });
    expect(bench.passwords).toHaveLength(made);
    expect(bench.writes()).toEqual(['POST /nodes/pve2/lxc']);
  });

  it('downloads a template that no storage has, first, and says so', async () => {
    const told = await create({ template: 'Alpine 3', name: 'tiny', ssh_keys: [key] });
    expect(told.facts).toMatchObject({
      template: 'local:vztmpl/alpine-3.23-default_20260116_amd64.tar.xz',
      template_downloaded_to: 'local',
      steps: [{ step: 'download template' }, { step: 'create' }, { step: 'start' }],
    });
    expect(bench.writes()).toEqual([
      'POST /nodes/pve1/aplinfo',
      'POST /nodes/pve1/lxc',
      expect.stringMatching(/^POST \/nodes\/pve1\/lxc\/\d+\/status\/start$/),
    ]);
  });

  it('names the nearest templates where there is none of that name', async () => {
    expect(await fails({ template: 'debain-13', name: 'x' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "debian-13-standard_13.1-2_amd64.tar.zst",
            "debian-12-standard_12.12-1_amd64.tar.zst",
            "alpine-3.22-default_20250617_amd64.tar.xz",
            "alpine-3.23-default_20260116_amd64.tar.xz",
            "ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
          ],
        },
        "headline": "There is no container template "debain-13" that this token may use.",
        "hint": "Nearest: debian-13-standard_13.1-2_amd64.tar.zst, debian-12-standard_12.12-1_amd64.tar.zst, alpine-3.22-default_20250617_amd64.tar.xz, alpine-3.23-default_20260116_amd64.tar.xz, ubuntu-24.04-standard_24.04-2_amd64.tar.zst. \`pveam update\` on the node renews the list of what can be downloaded.",
        "kind": "not-found",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [{ new_vmid: 400 }, 'conflict', 'VM 400 already exists'],
    [{ node: 'pve9' }, 'not-found', 'There is no node "pve9" that'],
    [{ storage: 'pbs' }, 'not-found', 'No online node has both debian-13'],
    [{ node: 'pve1', storage: 'nope' }, 'not-found', 'Node pve1 has not what it needs'],
    [
      { mounts: [{ storage: 'pbs', size_gib: 1, path: '/x' }] },
      'not-found',
      'Storage "pbs" cannot hold rootdir on pve1',
    ],
    [{ gateway: '192.168.2.1' }, 'invalid-input', 'With DHCP the gateway comes from DHCP.'],
    [{ ip: 'fd00::5/64', gateway: '192.168.2.1' }, 'invalid-input', 'is not of the kind of fd00::5/64'],
    [{ password: false }, 'invalid-input', 'nobody could log in'],
  ])('refuses %o before anything is written', async (more, kind, headline) => {
    const failed = await fails({ template: 'debian-13', name: 'x', ...more });
    expect(failed).toMatchObject({ kind, headline: expect.stringContaining(headline) });
    expect(bench.writes()).toEqual([]);
  });

  it('sets what only root may over SSH, after the making and before the start', async () => {
    const told = await create({ template: 'debian-13', name: 'feat', node: 'pve1', features: ['keyctl', 'fuse'] });
    expect(told.facts).toMatchObject({
      features: 'nesting=1,keyctl=1,fuse=1',
      features_road: 'ssh: pct set',
      status: 'running',
      steps: [{ step: 'create' }, { step: 'features' }, { step: 'start' }],
    });
    const made = bench.world.guests.find(({ config }) => config.hostname === 'feat');
    expect(made?.config.features).toBe('nesting=1,keyctl=1,fuse=1');
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc', `POST /nodes/pve1/lxc/${made?.vmid}/status/start`]);
  });

  it('sets nesting of a privileged container by the same road', async () => {
    const wish = { name: 'priv', node: 'pve1', nesting: true, unprivileged: false, start: false };
    expect((await create({ template: 'debian-13', ...wish })).facts).toMatchObject({ features: 'nesting=1' });
    expect(sent('/lxc')).not.toHaveProperty('features');
  });

  it('makes nothing, and no password, when that road is closed', async () => {
    const closed = { setup: { ...setup, toolsets: ['pve'] as const } };
    const wish = { template: 'debian-13', name: 'x', node: 'pve1', features: ['keyctl'] };
    expect(await bench.fails('pve_ct_create', wish, closed)).toMatchObject({
      kind: 'permission',
      headline: expect.stringMatching(/for root@pam itself.*Nothing was done\.$/),
      hint: expect.stringContaining('MCP_TOOLSETS'),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('takes no address without its prefix, and no name that is none', async () => {
    await expect(create({ template: 'debian-13', name: 'x', ip: '192.168.2.5' })).rejects.toThrow('ip');
    await expect(create({ template: 'debian-13', name: 'no name' })).rejects.toThrow('name');
  });

  it('says what is there already when the start fails', async () => {
    const pve = bench.as('root@pam!mcp', failingStart);
    const failed = await bench.fails('pve_ct_create', { template: 'debian-13', name: 'half' }, { pve });
    expect(failed).toMatchObject({
      kind: 'conflict',
      headline: expect.stringMatching(/^start: .*is locked \(backup\).* Done before it, and still there: create\.$/),
      facts: { failed_step: 'start', steps: [{ step: 'create', task_state: 'ok' }], password_file: expect.any(String) },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc']);
  });

  it('creates nothing when the download fails', async () => {
    bench.world.switches.nextTask = { fail: '503 Service Unavailable' };
    const failed = await fails({ template: 'rockylinux', name: 'x' });
    expect(failed).toMatchObject({
      kind: 'task-failed',
      headline: expect.stringMatching(/^download template: .* Not begun: create, start\.$/),
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/aplinfo']);
  });

  it('hands back a task that goes on, and what was not begun', async () => {
    bench.world.switches.nextTask = 'hang';
    const told = await create({ template: 'debian-13', name: 'slow', wait_s: 0 });
    expect(told).toMatchObject({
      headline: expect.stringMatching(/^CT \d+ \(slow\) on pve1: not all is done yet; a task goes on$/),
      facts: {
        steps: [{ step: 'create', task_state: 'running' }],
        not_begun: ['start'],
        next: expect.stringContaining('Then, by tools of their own: start.'),
      },
    });
    bench.endTasks();
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc']);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!operator');
    const failed = await bench.fails('pve_ct_create', { template: 'debian-13', name: 'x' }, { pve });
    expect(failed).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('Permission check failed (/storage/local-zfs, Datastore.AllocateSpace)'),
      hint: expect.stringContaining('pveum acl modify /storage/local-zfs'),
    });
    const auditor = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_ct_create', { template: 'debian-13', name: 'x' }, { pve: auditor })).toMatchObject({
      kind: 'permission',
      hint: expect.stringContaining('VM.Allocate'),
    });
  });
});

/** A wire over which every start is answered as that of a locked container. */
const failingStart = (wire: Wire): Wire => ({
  ...wire,
  send: async (request) =>
    request.method === 'POST' && request.path.endsWith('/status/start')
      ? {
          status: 500,
          statusText: 'CT is locked (backup)',
          headers: {},
          body: '{"message":"CT is locked (backup)\\n"}',
        }
      : wire.send(request),
});
