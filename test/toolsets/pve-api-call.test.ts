import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseProtected } from '../../src/gate/protect.ts';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, bent, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const call = (method: string, path: string, params?: Record<string, unknown>) =>
  bench.call('pve_api_call', { method, path, params });
const fails = (method: string, path: string, params?: Record<string, unknown>) =>
  bench.fails('pve_api_call', { method, path, params });

describe('pve_api_call', () => {
  it('makes one write and waits for its task', async () => {
    const said = await call('POST', '/nodes/pve1/lxc/400/status/start');
    expect(said).toMatchInlineSnapshot(`
      {
        "facts": {
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzstart:400:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "POST /nodes/pve1/lxc/400/status/start: its task is done",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/status/start']);
    expect(bench.world.guest(400)?.status).toBe('running');
  });

  it('tells what is done without a task', async () => {
    expect(await call('PUT', '/nodes/pve1/lxc/102/config', { memory: 768, net1: 'name=eth1,bridge=vmbr0' })).toEqual({
      headline: 'PUT /nodes/pve1/lxc/102/config: done',
      facts: {},
    });
    expect(bench.writes()).toEqual(['PUT /nodes/pve1/lxc/102/config']);
    expect(bench.world.guest(102)?.config).toMatchObject({ memory: 768 });
  });

  it('hands back a task that is not to be waited for', async () => {
    bench.world.switches.nextTask = 'hang';
    const input = { method: 'POST', path: '/nodes/pve1/services/sshd/restart', wait_s: 0 };
    expect((await bench.call('pve_api_call', input)).facts).toMatchObject({ task_state: 'running' });
    bench.endTasks();
  });

  it('addresses a volume with slashes in it as one part of the path', async () => {
    const volid = bench.world.storage('local')?.volumes.find(({ content }) => content === 'iso')?.volid ?? '';
    expect(volid).toContain('/');
    await call('PUT', `/nodes/pve1/storage/local/content/${volid}`, { notes: 'Ünïcode = “quoted”' });
    expect(bench.writes()).toEqual([`PUT /nodes/pve1/storage/local/content/${volid}`]);
  });

  it('shows a human the call, what the server says of it, its parameters, and whom it concerns', async () => {
    const described = (body: string) =>
      body
        .replace('"allowtoken": 1,', '"allowtoken": 1,')
        .replace(/"method": "POST"/g, '"description": "Do it. At once.", "method": "POST"');
    const pve = bench.as('root@pam!mcp', bent(/apidoc\.js$/, described));
    const { createSchema } = await import('../../src/pve/schema.ts');
    const over = { pve, schema: createSchema(pve, '/nonexistent/cache') };
    const tool = tools.find(({ name }) => name === 'pve_api_call');
    const params = { timeout: 30, forceStop: true };
    const shown = await tool?.confirm?.(
      { method: 'POST', path: '/nodes/pve1/lxc/101/status/shutdown', params },
      bench.context(over),
    );
    expect(shown).toMatchInlineSnapshot(`
      {
        "message": "POST /nodes/pve1/lxc/101/status/shutdown
      Proxmox VE says of it: Do it.
        timeout = 30
        forceStop = true
      Guests concerned: CT 101 (pihole) on pve1, running.
      What it does cannot be foreseen here, and may not be undone.",
        "state": {
          "guests": [
            "CT 101 (pihole) on pve1, running",
          ],
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the guests that run on a node that is to be rebooted', async () => {
    const shown = await bench.preview('pve_api_call', {
      method: 'POST',
      path: '/nodes/pve2/status',
      params: { command: 'reboot' },
    });
    expect(shown).toMatchInlineSnapshot(`
      {
        "message": "POST /nodes/pve2/status
        command = reboot
      Guests concerned: VM 300 (gitlab) on pve2, running.
      What it does cannot be foreseen here, and may not be undone.",
        "state": {
          "guests": [
            "VM 300 (gitlab) on pve2, running",
          ],
        },
      }
    `);
  });

  it('never shows a password that is to be set', async () => {
    const params = { vmid: 500, ostemplate: 'local:vztmpl/x.tar.zst', password: 'correct horse' };
    const { message } = await bench.preview('pve_api_call', { method: 'POST', path: '/nodes/pve1/lxc', params });
    expect(message).toContain('password = [hidden]');
  });

  it('tells what is wrong before anything is sent, or anybody asked', async () => {
    const params = { memory: 'lots', cores: 0, net1: 'bridge=vmbr0,foo=1', nosuch: 1, onboot: 'yes', tags: 'a,b c!' };
    expect(await fails('PUT', '/nodes/pve1/lxc/102/config', params)).toMatchInlineSnapshot(`
      {
        "facts": {
          "problems": [
            "memory must be a whole number",
            "cores must be at least 1",
            "net1 has no part foo: it has bridge, firewall, gw6, gw, host-managed, hwaddr, ip6, ip, link_down, mtu, name, rate, tag, trunks, type",
            "there is no parameter nosuch",
            "onboot must be true or false",
            "tags "c!" in it is not a pve-tag",
          ],
        },
        "headline": "PUT /nodes/{node}/lxc/{vmid}/config was not sent: memory must be a whole number; cores must be at least 1; net1 has no part foo: it has bridge, firewall, gw6, gw, host-managed, hwaddr, ip6, ip, link_down, mtu, name, rate, tag, trunks, type; there is no parameter nosuch; onboot must be true or false; tags "c!" in it is not a pve-tag.",
        "hint": "pve_api_search with path /nodes/{node}/lxc/{vmid}/config describes its parameters.",
        "kind": "invalid-input",
      }
    `);
    await expect(
      bench.preview('pve_api_call', { method: 'PUT', path: '/nodes/pve1/lxc/102/config', params }),
    ).rejects.toThrow('was not sent');
    expect(await fails('POST', '/nodes/pve1/lxc/102/snapshot')).toMatchObject({
      headline: expect.stringContaining('snapname is missing'),
    });
    expect(await fails('POST', '/nodes/pve1/lxc/0102/status/start')).toMatchObject({
      headline: expect.stringContaining('vmid is not a pve-vmid'),
    });
    expect(await fails('PUT', '/nodes/pve1/lxc/102/status/start')).toMatchObject({ kind: 'invalid-input' });
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [30, 'and 10 more'],
    [10_000, 'it has 10000 parameters'],
  ])('tells of %d wrong parameters in few words', async (many, told) => {
    const params = Object.fromEntries(Array.from({ length: many }, (_, i) => [`nosuch-${i}`, 1]));
    const { headline } = await fails('POST', '/nodes/pve1/lxc/102/status/start', params);
    expect(headline).toContain(told);
    expect(headline.length).toBeLessThan(1_500);
  });

  it('is not held up by a pattern of the server that takes for ever', async () => {
    const rule = { type: 'string', pattern: '(?:[a-z]+)*(?:x|y)?[a-z]*:[0-9]+' };
    const method = { path: '/cluster/tasks', method: 'POST' as const, parameters: { reference: rule } };
    const methods = [{ ...method, allowtoken: true, rootOnly: false }];
    const input = { method: 'POST', path: '/cluster/tasks', params: { reference: `${'a'.repeat(60)}!` } };
    const over = { schema: async () => ({ version: '9.2.11', methods }) };
    const began = performance.now();
    await bench.preview('pve_api_call', input, over);
    expect(performance.now() - began).toBeLessThan(5_000);
    await expect(bench.preview('pve_api_call', { ...input, params: { reference: 'a!' } }, over)).rejects.toThrow(
      'reference must match',
    );
  });

  it('knows what no token may do', async () => {
    expect(await fails('POST', '/nodes/pve1/execute', { commands: '[]' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "No API token may call POST /nodes/{node}/execute: only root@pam itself may make it.",
        "hint": "No privilege changes it. Do it over SSH as root with pvesh, or in the web interface.",
        "kind": "permission",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const input = { method: 'POST', path: '/nodes/pve1/lxc/102/status/reboot' };
    const failure = await bench.fails('pve_api_call', input, { pve: bench.as('mcp@pve!auditor') });
    expect(failure).toMatchObject({ kind: 'permission', headline: expect.stringContaining('VM.PowerMgmt') });
  });

  it('is told why a task failed', async () => {
    bench.world.switches.nextTask = { fail: 'no space left on device' };
    expect(await fails('POST', '/nodes/pve1/lxc/102/snapshot', { snapname: 'x1' })).toMatchObject({
      kind: 'task-failed',
      headline: expect.stringContaining('no space left on device'),
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/102/snapshot']);
  });
});

describe('pve_api_call and protected guests', () => {
  const tool = tools.find(({ name }) => name === 'pve_api_call');
  const admit = async (input: Record<string, unknown>, protectedGuests: number[] = []) => {
    if (!tool) throw new Error('no pve_api_call');
    await refuseProtected(tool, input, bench.context({ setup: { ...setup, protectedGuests } }));
  };

  it.each([
    [{ method: 'POST', path: '/nodes/pve1/lxc/400/status/stop' }],
    [{ method: 'POST', path: '/nodes/pve2/qemu/400/status/stop' }],
    [{ method: 'POST', path: '/nodes/pve1/lxc/%34%30%30/status/stop' }],
    [{ method: 'POST', path: '/nodes/pve1/vzdump', params: { vmid: '101,400' } }],
    [{ method: 'POST', path: '/nodes/pve1/lxc/101/clone', params: { newid: 400 } }],
    [{ method: 'POST', path: '/nodes/pve1/stopall', params: { vms: [101, 400] } }],
    [{ method: 'DELETE', path: '/cluster/ha/resources/ct:400' }],
    [{ method: 'DELETE', path: '/nodes/pve1/storage/local-lvm/content/local-lvm:vm-400-disk-0' }],
  ])('%o names one that is listed', async (input) => {
    await expect(admit(input, [400])).rejects.toThrow('protected by the operator');
    await admit(input, []);
  });

  it('counts the protection flag of Proxmox VE too', async () => {
    const input = { method: 'PUT', path: '/nodes/pve1/lxc/410/config', params: { protection: 0 } };
    await expect(admit(input)).rejects.toThrow("has Proxmox's protection flag set");
  });

  it.each([
    [{ path: '/nodes/pve1/stopall' }, 'reaches guests that it does not name'],
    [{ path: '/nodes/pve1/stopall', params: { vms: ',' } }, 'reaches guests that it does not name'],
    [{ path: '/nodes/pve1/vzdump', params: { all: true, mode: 'stop' } }, 'reaches guests that it does not name'],
    [{ path: '/nodes/localhost/status', params: { command: 'shutdown' } }, 'VM 300 (gitlab) on pve2 is protected'],
    [{ path: '/nodes/pve2/status', params: { command: 'shutdown' } }, 'VM 300 (gitlab) on pve2 is protected'],
  ])('%o reaches all, and is refused before anybody is asked', async (input, why) => {
    const over = { setup: { ...setup, protectedGuests: [300] } };
    const given = { method: 'POST', ...input };
    await expect(tool?.confirm?.(given, bench.context(over))).rejects.toThrow(why);
    expect(await bench.fails('pve_api_call', given, over)).toMatchObject({ kind: 'refused' });
    expect(bench.writes()).toEqual([]);
  });
});

describe('pve_api_call and whole nodes', () => {
  it('stops the guests that are listed', async () => {
    expect(await call('POST', '/nodes/pve1/stopall', { vms: [101, 201] })).toMatchObject({
      headline: 'POST /nodes/pve1/stopall: its task is done',
    });
    expect([101, 201, 102].map((vmid) => bench.world.guest(vmid)?.status)).toEqual(['stopped', 'stopped', 'running']);
  });

  it('reboots a node', async () => {
    expect((await call('POST', '/nodes/pve2/status', { command: 'reboot' })).headline).toBe(
      'POST /nodes/pve2/status: done',
    );
    expect(bench.writes()).toEqual(['POST /nodes/pve2/status']);
    expect(await fails('POST', '/nodes/pve2/status', { command: 'halt' })).toMatchObject({
      headline: 'POST /nodes/{node}/status was not sent: command must be one of reboot, shutdown.',
    });
  });
});
