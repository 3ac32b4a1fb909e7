import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const move = (input: Record<string, unknown>) => bench.call('pve_guest_migrate', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_guest_migrate', input);
const guest = (vmid: number) => {
  const found = bench.world.guest(vmid);
  if (found === undefined) throw new Error(`no guest ${vmid}`);
  return found;
};
/** What the last write carried. */
const sent = () => bench.world.requests.findLast(({ method }) => method !== 'GET')?.params;

describe('pve_guest_migrate', () => {
  it('moves a running VM on shared storage without interruption, and finds it there: one write', async () => {
    expect(await move({ guest: 'gitlab', node: 'pve1' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "from": "pve2",
          "guest": "VM 300 (gitlab) on pve2",
          "node": "pve1",
          "status": "running",
          "task_state": "ok",
          "to": "pve1",
          "upid": "UPID:pve2:…:qmigrate:300:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 300 (gitlab) is on pve1 now, running, up 42 min",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve2/qemu/300/migrate']);
    expect(sent()).toMatchObject({ target: 'pve1', online: '1' });
    expect(sent()).not.toHaveProperty('with-local-disks');
  });

  it('copies the disks of a running VM that are on its node only', async () => {
    expect((await move({ guest: 201, node: 'pve2', storage: 'nas' })).facts).toMatchObject({
      copied: '1 volume (64 GiB)',
      node: 'pve2',
      status: 'running',
    });
    expect(sent()).toMatchObject({ online: '1', 'with-local-disks': '1', targetstorage: 'nas' });
    expect(guest(201).config.scsi0).toMatch(/^nas:/);
  });

  it('counts what another storage takes from a shared one', async () => {
    await move({ guest: 300, node: 'pve2', storage: 'local-zfs' });
    expect(sent()).toMatchObject({ online: '1', 'with-local-disks': '1', targetstorage: 'local-zfs' });
  });

  it('moves a running container by a restart, when that may be: one write', async () => {
    expect(await fails({ guest: 101, node: 'pve2' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "CT 101 (pihole) on pve1 is running, and a running container can only be stopped, moved and started again.",
        "hint": "Call with restart: true when that is wanted, or shut it down first.",
        "kind": "conflict",
      }
    `);
    expect(bench.writes()).toEqual([]);
    expect((await move({ guest: 101, node: 'pve2', restart: true })).headline).toContain(
      'CT 101 (pihole) is on pve2 now, running',
    );
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/101/migrate']);
  });

  it('moves a stopped container without a word of restarting', async () => {
    expect((await move({ guest: 400, node: 'pve2' })).facts).toMatchObject({ status: 'stopped', node: 'pve2' });
    expect(sent()).not.toHaveProperty('restart');
  });

  it('hands back the task of a long one', async () => {
    bench.world.switches.nextTask = 'hang';
    expect((await move({ guest: 400, node: 'pve1', wait_s: 0 })).facts).toMatchObject({ task_state: 'running' });
    bench.endTasks();
    expect(bench.writes()).toEqual(['POST /nodes/pve2/lxc/400/migrate']);
  });

  it.each([
    [{ guest: 200, node: 'pve1' }, 'conflict', 'It can go to: pve2.'],
    [{ guest: 200, node: 'pve9' }, 'not-found', 'It can go to: pve2.'],
    [{ guest: 200, node: 'pve2', storage: 'pbs' }, 'conflict', 'Give storage, one of'],
  ])('refuses %j before anything is written', async (input, kind, hint) => {
    expect(await fails(input)).toMatchObject({ kind, hint: expect.stringContaining(hint) });
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    ['a folder of its node', 102, { mp0: '/tank/media,mp=/media' }, '/tank/media'],
    ['a device of its node', 200, { hostpci0: '0000:01:00.0' }, 'hostpci0'],
    ['a CD of its node', 200, { ide2: 'local:iso/debian-13.1.0-amd64-netinst.iso,media=cdrom' }, 'netinst.iso'],
  ])('tells of %s first', async (_, vmid, config, told) => {
    Object.assign(guest(vmid).config, config);
    const failure = await fails({ guest: vmid, node: 'pve2', restart: true });
    expect(failure).toMatchObject({ kind: 'conflict', headline: expect.stringContaining(told) });
    for (const key of Object.keys(config)) delete guest(vmid).config[key];
    expect(bench.writes()).toEqual([]);
  });

  it('takes a folder that is said to be everywhere along', async () => {
    Object.assign(guest(102).config, { mp0: '/mnt/pve/nas/media,mp=/media,shared=1' });
    await expect(
      bench.preview('pve_guest_migrate', { guest: 102, node: 'pve2', restart: true }),
    ).resolves.toBeDefined();
    delete guest(102).config.mp0;
  });

  it('tells what the server itself says is in the way', async () => {
    const told = { pve2: { unavailable_storages: ['tank'], 'blocking-ha-resources': [{ sid: 'vm:300', cause: 'x' }] } };
    const pve = bench.as(
      'root@pam!mcp',
      bent(/qemu\/200\/migrate/, (body) =>
        body.replace('"not_allowed_nodes":{}', `"not_allowed_nodes":${JSON.stringify(told)}`),
      ),
    );
    expect(await bench.fails('pve_guest_migrate', { guest: 200, node: 'pve2' }, { pve })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining('storage tank is not there; HA keeps it apart from vm:300'),
    });
    expect(bench.writes()).toEqual([]);
  });

  it('does without the question that PVE 8 does not know for containers', async () => {
    const { version, methods } = await bench.context().schema();
    const asks = ({ method, path }: { method: string; path: string }) => method === 'GET' && /lxc.*migrate$/.test(path);
    expect(methods.some(asks)).toBe(true);
    const schema = async () => ({ version, methods: methods.filter((one) => !asks(one)) });
    const input = { guest: 410, node: 'pve2', restart: true };
    expect((await bench.call('pve_guest_migrate', input, { schema })).facts).toMatchObject({ node: 'pve2' });
    expect(bench.world.requests.some(({ method, path }) => asks({ method, path }) && path.includes('410'))).toBe(false);
  });

  it('does not go to a node that is away', async () => {
    bench.world.switches.offline.add('pve2');
    expect(await fails({ guest: 200, node: 'pve2' })).toMatchObject({
      kind: 'conflict',
      headline: 'Node pve2 is offline.',
    });
    bench.world.switches.offline.clear();
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_migrate', { guest: 200, node: 'pve2' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Migrate'),
    });
  });

  it('can be asked about', async () => {
    expect(await bench.preview('pve_guest_migrate', { guest: 200, node: 'pve2' })).toMatchInlineSnapshot(`
      {
        "message": "Move VM 200 (homeassistant) on pve1 to pve2. It goes on running meanwhile. To be copied: 1 volume (32 GiB).",
        "state": {
          "guest": "VM 200 (homeassistant) on pve1",
          "status": "running",
          "to": "pve2",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });
});
