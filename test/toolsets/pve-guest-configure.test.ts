import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { type Bench, bent, setup, startBench, toolNamed } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const configure = (input: Record<string, unknown>) => bench.call('pve_guest_configure', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_guest_configure', input);
const otherKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAeNq5b0u4nZ3cB3FJkzN0Cn0v5y4GqvJXW8r0nF2y0A z@y';
const config = (vmid: number) => bench.world.guest(vmid)?.config ?? {};
/** What the last write carried. */
const sent = () => bench.world.requests.findLast(({ method }) => method !== 'GET')?.params;

describe('pve_guest_configure', () => {
  it('changes a running container and tells each setting before and after, and what waits: one write', async () => {
    expect(
      await configure({
        guest: 101,
        cores: 2,
        memory_mib: 1024,
        tags: ['dns', 'home'],
        set: { nameserver: '192.168.2.1' },
      }),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "changes": [
            {
              "before": "1",
              "now": "2",
              "setting": "cores",
            },
            {
              "before": "512",
              "now": "1024",
              "setting": "memory",
            },
            {
              "before": "dns",
              "now": "dns;home",
              "setting": "tags",
            },
            {
              "after_restart": "192.168.2.1",
              "before": "not set",
              "now": "not set",
              "setting": "nameserver",
            },
          ],
          "guest": "CT 101 (pihole) on pve1",
          "restart_needed": true,
          "road": "api",
        },
        "headline": "CT 101 (pihole) on pve1: 4 settings changed, not all in force before a restart",
      }
    `);
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/101/config']);
  });

  it('changes a VM by a task, with cloud-init as the API wants it: one write', async () => {
    const keys = ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeNq5b0u4nZ3cB3FJkzN0Cn0v5y4GqvJXW8r0nF2y0K x@y'];
    const told = await configure({
      guest: 'gitlab',
      name: 'git',
      boot: ['scsi0'],
      ci_user: 'bob',
      ssh_keys: keys,
      ip: '192.168.2.90/24',
      gateway: '192.168.2.1',
    });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "changes": [
            {
              "before": "gitlab",
              "now": "git",
              "setting": "name",
            },
            {
              "after_restart": "order=scsi0",
              "before": "order=scsi0;net0",
              "now": "order=scsi0;net0",
              "setting": "boot",
            },
            {
              "after_restart": "bob",
              "before": "not set",
              "now": "not set",
              "setting": "ciuser",
            },
            {
              "after_restart": "set",
              "before": "not set",
              "now": "not set",
              "setting": "sshkeys",
            },
            {
              "after_restart": "ip=192.168.2.90/24,gw=192.168.2.1",
              "before": "not set",
              "now": "not set",
              "setting": "ipconfig0",
            },
          ],
          "guest": "VM 300 (gitlab) on pve2",
          "restart_needed": true,
          "road": "api",
          "task_state": "ok",
          "upid": "UPID:pve2:…:qmconfig:300:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "VM 300 (gitlab) on pve2: 5 settings changed, not all in force before a restart",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve2/qemu/300/config']);
    expect(decodeURIComponent(String(sent()?.sshkeys))).toBe(keys[0]);
    expect(sent()).toMatchObject({
      ipconfig0: 'ip=192.168.2.90/24,gw=192.168.2.1',
      boot: 'order=scsi0',
      ciuser: 'bob',
    });
  });

  it('keeps the other half of an address, and drops the gateway with dhcp', async () => {
    await configure({ guest: 300, ip: 'fd00::5/64' });
    expect(sent()?.ipconfig0).toBe('ip=192.168.2.90/24,gw=192.168.2.1,ip6=fd00::5/64');
    await configure({ guest: 300, ip: 'dhcp' });
    expect(sent()?.ipconfig0).toBe('ip=dhcp,ip6=fd00::5/64');
  });

  it('sends on what it read only: a configuration that changed meanwhile is a conflict', async () => {
    const stale = (body: string) => body.replace(/("key":"digest","value":")[^"]+/, `$1${'0'.repeat(40)}`);
    for (const guest of [101, 200]) {
      const pve = bench.as('root@pam!mcp', bent(/\/pending/, stale));
      const failure = await bench.fails('pve_guest_configure', { guest, onboot: false }, { pve });
      expect(failure).toMatchObject({ kind: 'conflict', hint: expect.stringContaining('Read it again') });
      expect(config(guest).onboot).toBe(1);
    }
  });

  it('leaves alone what is so already', async () => {
    expect(await configure({ guest: 101, cores: 2, onboot: true, delete: ['startup'] })).toMatchInlineSnapshot(`
      {
        "facts": {
          "changed": false,
          "guest": "CT 101 (pihole) on pve1",
        },
        "headline": "CT 101 (pihole) on pve1 is configured so already; nothing was done",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('puts keys back to their default, notes and tags by an empty value', async () => {
    const told = await configure({ guest: 102, tags: [], delete: ['features'], set: { cpulimit: '1' } });
    expect(told.facts).toMatchObject({
      changes: expect.arrayContaining([{ setting: 'tags', before: 'proxy', now: 'not set' }]),
    });
    expect(config(102)).toMatchObject({ cpulimit: 1 });
    await configure({ guest: 410, description: '' });
    expect(config(410).description).toBeUndefined();
  });

  it('lets no answer hold keys or what others wrote as if it were ours', async () => {
    const told = await configure({ guest: 101, description: 'new' });
    expect(JSON.stringify(told.facts)).toContain('"before":{"remote":');
    const again = await configure({ guest: 300, ssh_keys: [otherKey] });
    expect(again.facts).toMatchObject({ changes: [{ setting: 'sshkeys', now: 'not set', after_restart: 'set' }] });
  });

  it.each([
    [{ guest: 400, delete: ['mp0'] }, 'pve_disk_remove'],
    [{ guest: 200, delete: ['onboot', 'scsi0'] }, 'pve_disk_remove'],
    [{ guest: 200, delete: ['unused0'] }, 'pve_disk_remove'],
    [{ guest: 400, set: { lock: 'backup' } }, 'unlock'],
    [{ guest: 400, set: { template: '1' } }, 'pve_guest_template'],
    [{ guest: 200, set: { cipassword: 'secret' } }, 'ssh_keys'],
    [{ guest: 200, set: { digest: 'x1' } }, 'configuration keys'],
    [{ guest: 400, boot: ['scsi0'] }, 'pve_nic_set'],
    [{ guest: 200, swap_mib: 512 }, 'inside the VM'],
    [{ guest: 400, cores: 3, set: { cores: '4' } }, 'Say once'],
    [{ guest: 400 }, 'at least one setting'],
    [{ guest: 200, gateway: '192.168.2.1' }, 'Give ip'],
    [{ guest: 400, cores: 3, unlock: true }, 'guest and unlock only'],
  ])('refuses %j before anything is written', async (input, hint) => {
    expect(await fails(input)).toMatchObject({ kind: 'invalid-input', hint: expect.stringContaining(hint) });
    expect(bench.writes()).toEqual([]);
  });

  it.each(['onboot,protection', 'scsi0 ide2', 'mp0;net0'])('takes no list for one key: %s', async (key) => {
    expect(await fails({ guest: 200, delete: [key] })).toMatchObject({ kind: 'invalid-input' });
  });

  it.each([
    [{ cpulimt: '1' }, 'there is no parameter cpulimt (is it cpulimit?)'],
    [{ onboot: 'true' }, 'onboot'],
    [{ net0: 'name=eth0,colour=red' }, 'net0'],
  ])('refuses %j by the schema of the server, before anything is written', async (free, told) => {
    expect(await fails({ guest: 102, set: free })).toMatchObject({
      kind: 'invalid-input',
      headline: expect.stringContaining(told),
    });
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [201, { net1: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=5', scsi1: 'local-lvm:1,discard=on', agent: '1' }],
    [201, { boot: 'order=scsi0', startup: 'order=2,up=30', cpu: 'x86-64-v2-AES', vga: 'serial0' }],
    [400, { mp9: 'local-lvm:1,mp=/srv,backup=1', startup: 'order=1', cpulimit: '0.5', nameserver: '1.1.1.1 9.9.9.9' }],
  ])('lets %i have what the schema allows: %j', async (guest, free) => {
    const told = await configure({ guest, set: free });
    expect(told.facts).toMatchObject({ road: 'api', changes: { length: Object.keys(free).length } });
  });

  it('tells what Proxmox VE refuses when the schema cannot be read', async () => {
    const schema = () => Promise.reject(new Error('no schema'));
    const failure = await bench.fails('pve_guest_configure', { guest: 102, set: { nosuch: '1' } }, { schema });
    expect(failure).toMatchObject({
      kind: 'invalid-input',
      headline: expect.stringContaining('nosuch: property is not defined in schema'),
    });
  });

  it('waits for whoever holds the guest', async () => {
    Object.assign(bench.world.guest(102) ?? {}, { lock: 'backup' });
    expect(await fails({ guest: 102, cores: 2 })).toMatchObject({ kind: 'conflict' });
    Object.assign(bench.world.guest(102) ?? {}, { lock: undefined });
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_guest_configure', { guest: 101, cores: 1 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Config.CPU'),
    });
    expect(config(101).cores).toBe(2);
  });

  it('attaches no disk that another guest has', async () => {
    const disk = String(config(200).scsi0).split(',')[0];
    for (const value of [`${disk}`, `file=${disk},cache=none`]) {
      expect(await fails({ guest: 201, set: { scsi7: value } })).toMatchObject({
        kind: 'conflict',
        headline: `${disk} is a disk of VM 200 (homeassistant) on pve1 (scsi0). Nothing was done.`,
      });
    }
    expect(bench.writes()).toEqual([]);
  });

  it('asks before it opens the node to the guest', () => {
    const alarm = (set: object) => toolNamed('pve_guest_configure').alarm?.({ guest: 410, set });
    const reaching = [
      { hookscript: 'local:snippets/x.sh' },
      { args: '-device x' },
      { mp1: '/srv/data,mp=/data' },
      { dev0: '/dev/kvm' },
      { hostpci0: '0000:01:00.0' },
      { scsi1: '/dev/sda' },
      { virtio1: 'cache=none,file=/dev/sda' },
      { scsi1: 'local-lvm:0,import-from=/etc/shadow' },
      { mp1: 'mp=/data,volume=/etc' },
      { serial0: '/dev/ttyS0' },
      { usb0: 'host=1-1.2' },
    ];
    for (const set of reaching) expect(alarm(set)).toContain('reach its node');
    const inside = [
      { mp1: 'local-lvm:4,mp=/data' },
      { features: 'nesting=1' },
      { scsi1: 'local-lvm:8' },
      { serial0: 'socket' },
      { usb0: 'spice,usb3=1' },
    ];
    for (const set of inside) expect(alarm(set)).toBeUndefined();
  });

  it('asks before it lifts the protection, however that is written', () => {
    const alarm = (input: object) => toolNamed('pve_guest_configure').alarm?.({ guest: 410, ...input });
    for (const input of [{ protection: false }, { set: { protection: 'off' } }, { delete: ['protection'] }]) {
      expect(alarm(input)).toContain('protection');
    }
    for (const input of [{ protection: true }, { set: { protection: '1' } }, { cores: 1 }]) {
      expect(alarm(input)).toBeUndefined();
    }
  });

  it.each([
    { guest: 410, cores: 1 },
    { guest: 102, set: { mp1: 'local-lvm:vm-410-disk-0,mp=/x' } },
    { guest: 102, set: { mp1: '/dev/mapper/pve-vm--410--disk--0,mp=/x' } },
    { guest: 201, set: { scsi5: '/mnt/pve/nas/images/410/a.raw' } },
    { guest: 201, set: { args: '-drive file=/dev/pve/vm-0410-disk-0' } },
  ])('does nothing to or with a protected guest: %j', async (input) => {
    const context = bench.context({ setup: { ...setup, protectedGuests: [410] } });
    await expect(refuseProtected(toolNamed('pve_guest_configure'), input, context)).rejects.toThrow('is protected');
    const other = { ...setup, protectedGuests: [9999] };
    await refuseProtected(toolNamed('pve_guest_configure'), input, bench.context({ setup: other }));
  });

  it('does not take a size for a guest', async () => {
    const context = bench.context({ setup: { ...setup, protectedGuests: [410] } });
    const input = { guest: 102, set: { mp1: 'local-lvm:410,mp=/x' } };
    await refuseProtected(toolNamed('pve_guest_configure'), input, context);
  });

  it('can be asked about', async () => {
    expect(
      await bench.preview('pve_guest_configure', { guest: 201, cores: 6, delete: ['onboot'] }),
    ).toMatchInlineSnapshot(`
      {
        "message": "Change VM 201 (win11) on pve1:
      cores: 4 -> 6
      onboot: 0 -> removed",
        "state": {
          "before": [
            "cores: 4 -> 6",
            "onboot: 0 -> removed",
          ],
          "guest": "VM 201 (win11) on pve1",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });
});

describe('what no token may do goes over SSH', () => {
  it('as one command with all of it', async () => {
    expect(
      await configure({ guest: 102, cores: 2, set: { features: 'nesting=1,keyctl=1', mp0: "/tank/it's,mp=/srv" } }),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "changes": [
            {
              "before": "1",
              "now": "2",
              "setting": "cores",
            },
            {
              "after_restart": "nesting=1,keyctl=1",
              "before": "nesting=1",
              "now": "nesting=1",
              "setting": "features",
            },
            {
              "before": "not set",
              "now": "/tank/it's,mp=/srv",
              "setting": "mp0",
            },
          ],
          "guest": "CT 102 (webzfs-proxy) on pve1",
          "restart_needed": true,
          "road": "ssh: pct set",
        },
        "headline": "CT 102 (webzfs-proxy) on pve1: 3 settings changed, not all in force before a restart",
      }
    `);
    expect(bench.writes()).toEqual([]);
    expect(config(102)).toMatchObject({ cores: 2, mp0: "/tank/it's,mp=/srv" });
  });

  it('for a VM by qm set', async () => {
    const told = await configure({ guest: 201, set: { args: '-device "x; reboot" $(id)' } });
    expect(told.facts).toMatchObject({ road: 'ssh: qm set', restart_needed: true });
    expect(bench.world.guest(201)?.pending.args).toBe('-device "x; reboot" $(id)');
    expect(bench.writes()).toEqual([]);
  });

  it('and takes no such road for what a token may do', async () => {
    const told = await configure({ guest: 400, set: { features: 'keyctl=1,nesting=0' } });
    expect(told.facts).toMatchObject({ road: 'api' });
  });

  it('on the condition that nothing changed since it was read', async () => {
    const stale = (body: string) => body.replace(/("key":"digest","value":")[^"]+/, `$1${'0'.repeat(40)}`);
    const pve = bench.as('root@pam!mcp', bent(/\/pending/, stale));
    const failure = await bench.fails(
      'pve_guest_configure',
      { guest: 102, set: { hookscript: 'local:snippets/x' } },
      { pve },
    );
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "road": "ssh: pct set",
          "stderr": {
            "remote": "detected modified configuration - file changed by other user? Try again.
      ",
          },
        },
        "headline": "pct set 102 on pve1 ended with exit code 255: detected modified configuration - file changed by other user? Try again.",
        "hint": "Somebody changed the configuration meanwhile. Read it again, then decide again.",
        "kind": "conflict",
      }
    `);
    expect(config(102).hookscript).toBeUndefined();
  });

  it('tells what pct refuses', async () => {
    const schema = () => Promise.reject(new Error('no schema'));
    const input = { guest: 102, set: { dev0: '/dev/net/tun,mode=9' } };
    expect(await bench.fails('pve_guest_configure', input, { schema })).toMatchObject({
      kind: 'invalid-input',
      facts: { stderr: { remote: expect.stringContaining('400 Parameter verification failed.') } },
    });
  });

  it('but not half by the one road and half by the other', async () => {
    expect(await fails({ guest: 201, ssh_keys: [otherKey], set: { args: '-x' } })).toMatchObject({
      kind: 'invalid-input',
      hint: 'Set sshkeys in a call of its own.',
    });
    expect(bench.writes()).toEqual([]);
  });

  it('says of both roads why they are closed', async () => {
    expect(await fails({ guest: 300, set: { args: '-x' } })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 300 (git) on pve2: the option args is for root@pam itself, which no API token is, and the other road, qm over SSH, is closed: no SSH host is known for pve2. Nothing was done.",
        "hint": "Name pve2 in the hosts file or in ~/.ssh/config with a login as root, or make the change in the web interface as root@pam.",
        "kind": "permission",
      }
    `);
    const { ssh } = bench.context();
    const [host] = await ssh.hosts.list();
    if (!host) throw new Error('no host');
    const closed = async (over: Parameters<Bench['fails']>[2]) =>
      (await bench.fails('pve_guest_configure', { guest: 102, set: { dev0: '/dev/null' } }, over)).headline;
    const user = { ...host, spec: { ...host.spec, user: 'admin' } };
    const hosts = { ...ssh.hosts, list: async () => [user], ofNode: async () => user };
    expect(await closed({ ssh: { ...ssh, hosts } })).toContain('SSH logs in to pve1 as admin');
    const nowhere = { ...ssh, hosts: { ...ssh.hosts, ofNode: () => ssh.hosts.find('nowhere') } };
    expect(await closed({ ssh: nowhere, setup: { ...setup, cluster: 'attic' } })).toContain('known for pve1.attic');
    expect(await closed({ setup: { ...setup, toolsets: ['pve'] } })).toContain('SSH is not among the chosen tools');
    expect(bench.writes()).toEqual([]);
    expect(config(102).dev0).toBeUndefined();
  });

  it('and only to the machine that calls itself the node', async () => {
    const { ssh } = bench.context();
    const [host] = await ssh.hosts.list();
    if (!host) throw new Error('no host');
    const wrong = { ...ssh, hosts: { ...ssh.hosts, list: async () => [host], ofNode: async () => host } };
    const failure = await bench.fails('pve_guest_configure', { guest: 300, set: { args: '-x' } }, { ssh: wrong });
    expect(failure).toMatchObject({
      kind: 'misconfigured',
      headline: expect.stringContaining('does not call itself pve2'),
    });
  });
});

describe('a lock that was left behind', () => {
  const lock = (vmid: number, word: string | undefined) => Object.assign(bench.world.guest(vmid) ?? {}, { lock: word });

  it('is removed over SSH', async () => {
    lock(102, 'snapshot');
    expect(await configure({ guest: 102, unlock: true })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "CT 102 (webzfs-proxy) on pve1",
          "removed_lock": "snapshot",
          "road": "ssh: pct unlock",
          "status": "running",
        },
        "headline": "CT 102 (webzfs-proxy) on pve1: the lock snapshot was removed",
      }
    `);
    expect(bench.world.guest(102)?.lock).toBeUndefined();
    expect(bench.writes()).toEqual([]);
    expect(await configure({ guest: 102, unlock: true })).toMatchObject({ facts: { changed: false } });
  });

  it('stays where it guards the memory of a suspended VM', async () => {
    lock(201, 'suspended');
    expect(await fails({ guest: 201, unlock: true })).toMatchObject({
      kind: 'conflict',
      hint: expect.stringContaining('resume'),
    });
    expect(bench.world.guest(201)?.lock).toBe('suspended');
    lock(201, undefined);
  });

  it.each([
    ['its own task', 'qmsnapshot', '201'],
    ['a backup of several guests', 'vzdump', ''],
    ['a clone of another guest', 'qmclone', '9000'],
  ])('stays while %s runs', async (_, type, id) => {
    lock(201, 'backup');
    bench.world.switches.nextTask = 'hang';
    bench.world.begin({ node: 'pve1', type, id, by: { user: 'root@pam' }, steps: [{ seconds: 9 }] });
    expect(await fails({ guest: 201, unlock: true })).toMatchObject({
      kind: 'conflict',
      facts: { running_tasks: [{ type, state: 'running' }] },
    });
    expect(bench.world.guest(201)?.lock).toBe('backup');
    bench.endTasks();
    lock(201, undefined);
  });

  it('stays where the tasks of others cannot be seen', async () => {
    lock(201, 'backup');
    const line = { type: 'token', ugid: 'mcp@pve!nothing', roleid: 'PVEVMAdmin', propagate: true } as const;
    bench.world.access.acl.push({ ...line, path: '/vms' });
    const pve = bench.as('mcp@pve!nothing');
    expect(await bench.fails('pve_guest_configure', { guest: 201, unlock: true }, { pve })).toMatchObject({
      kind: 'permission',
      hint: expect.stringContaining('Sys.Audit on /nodes/pve1'),
    });
    expect(bench.world.guest(201)?.lock).toBe('backup');
    bench.world.access.acl.pop();
    lock(201, undefined);
  });

  it('stays while a container is mounted on its node', async () => {
    lock(102, 'mounted');
    expect(await fails({ guest: 102, unlock: true })).toMatchObject({
      kind: 'conflict',
      hint: expect.stringContaining('pct unmount 102'),
    });
    lock(102, undefined);
  });

  it('can be asked about', async () => {
    lock(201, 'backup');
    expect((await bench.preview('pve_guest_configure', { guest: 201, unlock: true })).message).toBe(
      'Remove the lock of VM 201 (win11) on pve1: backup.',
    );
    lock(201, undefined);
  });
});
