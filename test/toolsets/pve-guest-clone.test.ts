import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const clone = (input: Record<string, unknown>) => bench.call('pve_guest_clone', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_guest_clone', input);
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeNq5b0u4nZ3cB3FJkzN0Cn0v5y4GqvJXW8r0nF2y0K me@laptop';
const sent = (end: RegExp) =>
  bench.world.requests.findLast((one) => one.method !== 'GET' && end.test(one.path))?.params;

describe('pve_guest_clone', () => {
  it('links to a template, sets up cloud-init, starts it and tells its address: three writes in turn', async () => {
    const told = await clone({
      guest: 'debian-13-template',
      name: 'web1',
      user: 'ops',
      ssh_keys: [key],
      ip: '192.168.2.150/24',
      gateway: '192.168.2.1',
      start: true,
    });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "address": "ip=192.168.2.150/24,gw=192.168.2.1",
          "clone": "linked",
          "guest": "VM 100 (web1) on pve1",
          "ip_addresses": [
            {
              "addresses": [
                "192.168.2.150/24",
              ],
              "interface": "ens18",
            },
          ],
          "node": "pve1",
          "source": "VM 9000 (debian-13-template) on pve1",
          "ssh_keys": 1,
          "status": "running",
          "steps": [
            {
              "step": "clone",
              "task_state": "ok",
              "upid": "UPID:pve1:…:qmclone:9000:root@pam!mcp:",
              "waited": "… s",
            },
            {
              "step": "configure",
              "task_state": "ok",
              "upid": "UPID:pve1:…:qmconfig:100:root@pam!mcp:",
              "waited": "… s",
            },
            {
              "step": "start",
              "task_state": "ok",
              "upid": "UPID:pve1:…:qmstart:100:root@pam!mcp:",
              "waited": "… s",
            },
          ],
          "user": "ops",
          "vmid": 100,
        },
        "headline": "VM 100 (web1) on pve1: linked clone of VM 9000 (debian-13-template) on pve1, running, up 1 s",
      }
    `);
    expect(bench.writes()).toEqual([
      'POST /nodes/pve1/qemu/9000/clone',
      'POST /nodes/pve1/qemu/100/config',
      'POST /nodes/pve1/qemu/100/status/start',
    ]);
    expect(sent(/\/clone$/)).toEqual({ newid: '100', name: 'web1' });
    expect(sent(/\/config$/)).toEqual({
      ciuser: 'ops',
      sshkeys: encodeURIComponent(key),
      ipconfig0: 'ip=192.168.2.150/24,gw=192.168.2.1',
      digest: expect.any(String),
    });
  });

  it('copies in full to another storage, with an id that is asked for: one write', async () => {
    const told = await clone({ guest: 9000, new_vmid: 901, storage: 'local-zfs' });
    expect(told).toMatchObject({
      headline:
        'VM 901 (Copy-of-VM-debian-13-template) on pve1: full clone of VM 9000 (debian-13-template) on pve1, stopped',
      facts: { clone: 'full', status: 'stopped' },
    });
    expect(sent(/\/clone$/)).toEqual({ newid: '901', full: '1', storage: 'local-zfs' });
    expect(bench.world.guest(901)?.config.scsi0).toBe('local-zfs:vm-901-disk-0,size=3G');
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/9000/clone']);
  });

  it('copies a snapshot of a running container, and gives its card an address of its own', async () => {
    Object.assign(bench.world.guest(400) ?? {}, { status: 'running' });
    const told = await clone({ guest: 400, name: 'kc2', snapshot: 'before-upgrade', ip: 'dhcp', start: true });
    expect(told.headline).toMatch(/^CT \d+ \(kc2\) on pve1: full clone of CT 400 .* at before-upgrade, running/);
    expect(told.facts).toMatchObject({ steps: [{ step: 'clone' }, { step: 'configure' }, { step: 'start' }] });
    expect(sent(/\/config$/)?.net0).toMatch(/^name=eth0,bridge=vmbr0,hwaddr=[0-9A-F:]{17},type=veth,ip=dhcp$/);
  });

  it('does not start a second guest with a static address that runs already, and warns of it where it is left off', async () => {
    const same = { guest: 400, snapshot: 'before-upgrade', name: 'twin' };
    expect(await fails({ ...same, start: true })).toMatchObject({
      kind: 'conflict',
      headline: expect.stringContaining('runs with the static address 192.168.2.70/24'),
    });
    expect(bench.writes()).toEqual([]);
    expect((await clone(same)).facts).toMatchObject({
      notes: [expect.stringContaining('192.168.2.70/24 is that of CT 400 (keycloak) on pve1 too')],
    });
  });

  it('links to a snapshot where a storage can', async () => {
    const told = await clone({ guest: 200, full: false, snapshot: 'clean', name: 'haos-test' });
    expect(told.facts).toMatchObject({ clone: 'linked' });
    expect(sent(/\/clone$/)).toMatchObject({ full: '0', snapname: 'clean' });
  });

  it('clones to another node what is on shared storage', async () => {
    Object.assign(bench.world.guest(300) ?? {}, { status: 'stopped' });
    const told = await clone({ guest: 'gitlab', node: 'pve1', name: 'gitlab2' });
    expect(told.headline).toMatch(/\(gitlab2\) on pve1: full clone of VM 300 \(gitlab\) on pve2, stopped$/);
    expect(sent(/\/clone$/)).toMatchObject({ target: 'pve1' });
  });

  it('makes a password that nobody is told', async () => {
    const told = await clone({ guest: 9000, name: 'pw', password: true });
    const password = bench.passwords.at(-1) ?? '';
    expect(sent(/\/config$/)?.cipassword).toBe(password);
    expect(told.facts).toMatchObject({ password_file: expect.stringContaining('/secrets/pw-') });
    expect(JSON.stringify([told, bench.world.guests, bench.world.tasks])).not.toContain(password);
  });

  it.each([
    [{ guest: 200, full: false }, 'conflict', 'is no template'],
    [{ guest: 9000, full: false, storage: 'nas' }, 'conflict', 'A linked clone stays on the storage'],
    [{ guest: 410 }, 'conflict', 'a running container is copied from a snapshot only'],
    [{ guest: 200, snapshot: 'nope' }, 'not-found', 'has no snapshot "nope"'],
    [{ guest: 9000, node: 'pve2' }, 'conflict', 'Only disks on shared storages can be cloned to another node'],
    [{ guest: 9000, node: 'pve9' }, 'not-found', 'There is no node "pve9"'],
    [{ guest: 9000, storage: 'pbs' }, 'not-found', 'Storage "pbs" cannot hold images on pve1'],
    [{ guest: 410, snapshot: 'nightly', user: 'x' }, 'invalid-input', 'is a container: user'],
    [{ guest: 200, ip: 'dhcp' }, 'conflict', 'has no cloud-init drive'],
    [{ guest: 9000, gateway: '10.0.0.1' }, 'invalid-input', 'A gateway goes with an address.'],
    [{ guest: 9000, new_vmid: 101 }, 'conflict', 'VM 101 already exists'],
    [{ guest: 'nobody' }, 'not-found', 'There is no guest "nobody"'],
  ])('refuses %o before anything is written', async (input, kind, headline) => {
    expect(await fails(input)).toMatchObject({ kind, headline: expect.stringContaining(headline) });
    expect(bench.writes()).toEqual([]);
  });

  it('shows cause and cure of a refusal', async () => {
    expect(await fails({ guest: 200, full: false })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 200 (homeassistant) on pve1 is no template, so that a clone cannot be linked to it as it is. Nothing was done.",
        "hint": "Leave full out for a full copy, name a snapshot (on a storage that can link to those), or make it a template first.",
        "kind": "conflict",
      }
    `);
  });

  it('says that the clone is there when it could not be configured', async () => {
    const pve = bench.as('root@pam!mcp', (wire) => ({
      ...wire,
      send: async (request) => {
        const hit = request.method === 'POST' && request.path.endsWith('/config');
        return hit ? { status: 500, statusText: 'VM is locked (backup)', body: '' } : wire.send(request);
      },
    }));
    const failed = await bench.fails('pve_guest_clone', { guest: 9000, name: 'half', user: 'x', start: true }, { pve });
    expect(failed).toMatchObject({
      kind: 'conflict',
      headline: expect.stringMatching(/^configure: .* Done before it, and still there: clone\. Not begun: start\.$/),
      facts: { failed_step: 'configure', clone: expect.stringMatching(/^VM \d+ \(half\) on pve1$/) },
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/9000/clone']);
  });

  it('hands back a clone that takes its time, and what was not begun', async () => {
    bench.world.switches.nextTask = 'hang';
    expect(await clone({ guest: 9000, name: 'slow', user: 'x', start: true, wait_s: 0 })).toMatchObject({
      facts: {
        steps: [{ step: 'clone', task_state: 'running' }],
        not_begun: ['configure', 'start'],
        next: expect.stringContaining('Then, by tools of their own: configure, start.'),
      },
    });
    bench.endTasks();
    expect(bench.writes()).toEqual(['POST /nodes/pve1/qemu/9000/clone']);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_clone', { guest: 9000 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('(/vms/9000, VM.Clone)'),
    });
  });

  it('is refused by the gate for a protected guest, and for a protected id that nobody has yet', async () => {
    const tool = tools.find(({ name }) => name === 'pve_guest_clone');
    if (!tool) throw new Error('there is no such tool');
    const context = bench.context({ setup: { ...setup, protectedGuests: [200, 777] } });
    await expect(refuseProtected(tool, { guest: 'homeassistant' }, context)).rejects.toThrow("operator's settings");
    await expect(refuseProtected(tool, { guest: 9000, new_vmid: 777 }, context)).rejects.toThrow('Guest 777');
  });
});
