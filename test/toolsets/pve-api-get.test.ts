import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bent, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

const get = (input: Record<string, unknown>) => bench.call('pve_api_get', input);

describe('pve_api_get', () => {
  it('reads rows, cut down to what is wished for', async () => {
    const input = { path: '/nodes/pve1/services', fields: ['name', 'state'], match: 'pve', limit: 2 };
    expect(await get(input)).toMatchInlineSnapshot(`
      {
        "facts": {
          "rows": [
            {
              "name": "pve-cluster",
              "state": "running",
            },
            {
              "name": "pve-firewall",
              "state": "running",
            },
          ],
          "rows_in_all": 12,
          "rows_not_shown": 10,
        },
        "headline": "GET /nodes/pve1/services: 12 rows",
      }
    `);
  });

  it('reads one object; what its users wrote is remote text', async () => {
    expect(
      await get({ path: '/nodes/pve1/lxc/400/config', fields: ['hostname', 'description'] }),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "data": {
            "description": {
              "remote": "Identity provider (Docker).
      ",
            },
            "hostname": "keycloak",
          },
        },
        "headline": "GET /nodes/pve1/lxc/400/config: one object",
      }
    `);
  });

  it('reads what is neither', async () => {
    expect(await get({ path: '/api2/json/cluster/nextid/' })).toEqual({
      headline: 'GET /cluster/nextid: one value',
      facts: { data: '100' },
    });
    expect(await get({ path: '/nodes/pve1/lxc/400/interfaces' })).toEqual({
      headline: 'GET /nodes/pve1/lxc/400/interfaces: nothing',
      facts: { data: 'none' },
    });
  });

  it.each([
    ['/pools', '1 row', [{ poolid: 'lab', comment: { remote: 'Things to try' } }]],
    ['/cluster/ha/resources', '0 rows', []],
    ['/nodes/pve1/lxc/102/firewall/rules', '2 rows', [{ dport: '80' }, { dport: '443' }]],
  ])('reads %s, which no other tool does', async (path, told, rows) => {
    expect(await get({ path })).toMatchObject({ headline: `GET ${path}: ${told}`, facts: { rows } });
  });

  it('says which fields there are when one is unknown', async () => {
    const { facts } = await get({ path: '/version/', fields: ['relase'] });
    expect(facts).toEqual({ data: {}, notes: ['There is no relase; there are release, repoid, version.'] });
  });

  it('shows no secret that the API keeps for others', async () => {
    const secrets = { password: 'hunter2', 'client-key': 'k3y', 'x.token': 't0ken', tokenid: 'mcp' };
    const pve = bench.as(
      'root@pam!mcp',
      bent(/^\/access\/permissions/, () => JSON.stringify({ data: secrets })),
    );
    expect((await bench.call('pve_api_get', { path: '/access/permissions' }, { pve })).facts).toEqual({
      data: { password: '[hidden]', 'client-key': '[hidden]', 'x.token': '[hidden]', tokenid: 'mcp' },
    });
  });

  it.each([
    ['/cluster/acme/plugins', { plugin: 'dns', data: 'CF_Token=abc' }, { plugin: 'dns', data: '[hidden]' }],
    ['/storage', { storage: 'pbs', 'encryption-key': 'abc' }, { storage: 'pbs', 'encryption-key': '[hidden]' }],
    ['/cluster/notifications/targets', { name: 'x', secret: ['abc'] }, { name: 'x', secret: ['[hidden]'] }],
  ])('hides the secrets of %s, from match too', async (path, row, shown) => {
    const send = async () => ({ status: 200, statusText: 'OK', body: JSON.stringify({ data: [row] }) });
    const pve = bench.as('root@pam!mcp', (wire) => ({ ...wire, send }));
    const method = { path, method: 'GET' as const, parameters: {}, allowtoken: true, rootOnly: false };
    const over = { pve, schema: async () => ({ version: '9.2.11', methods: [method] }) };
    expect((await bench.call('pve_api_get', { path }, over)).facts).toMatchObject({ rows: [shown] });
    expect((await bench.call('pve_api_get', { path, match: 'abc' }, over)).facts).toMatchObject({ rows_in_all: 0 });
  });

  it('names the nearest paths, and sends nothing', async () => {
    await bench.call('pve_api_search');
    bench.forget();
    const failure = await bench.fails('pve_api_get', { path: '/nodes/pve1/lxc/400/confg' });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "/nodes/{node}/lxc/{vmid}/config",
            "/nodes/{node}/lxc/{vmid}/clone",
            "/nodes/{node}/lxc/{vmid}",
            "/nodes/{node}/lxc/{vmid}/pending",
          ],
        },
        "headline": "Proxmox VE 9.2.11 has no API path /nodes/pve1/lxc/400/confg.",
        "hint": "Nearest: /nodes/{node}/lxc/{vmid}/config, /nodes/{node}/lxc/{vmid}/clone, /nodes/{node}/lxc/{vmid}, /nodes/{node}/lxc/{vmid}/pending. pve_api_search finds paths by words.",
        "kind": "not-found",
      }
    `);
    expect(bench.world.requests.at(-1)?.path).toBe('/version');
  });

  it.each([
    ['nodes/pve1', 'does not begin with a slash'],
    ['/nodes/pve1/tasks?limit=1', 'has a ? or # in it'],
    ['/nodes/../version', 'a part of it is ".."'],
    ['/nodes/%2e%2e/version', 'a part of it is ".."'],
    ['/nodes//version', 'a part of it is ""'],
    ['/nodes/%zz', 'percent-encoding is broken'],
    ['/nodes/p\u202eve1', 'hidden characters'],
  ])('%j is no path', async (path, why) => {
    expect(await bench.fails('pve_api_get', { path })).toMatchObject({
      kind: 'invalid-input',
      headline: expect.stringContaining(why),
    });
  });

  it('tells every wrong parameter at once, before anything is sent', async () => {
    const params = { lmit: 2, errors: 'true', source: 'archived', start: -1, vmid: [100, 101], node: 'pve2' };
    const failure = await bench.fails('pve_api_get', { path: '/nodes/pve1/tasks', params });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "problems": [
            "there is no parameter lmit (is it limit?)",
            "errors must be true or false",
            "source must be one of archive, active, all",
            "start must be at least 0",
            "vmid must be a single value",
            "node stands in the path already",
          ],
        },
        "headline": "GET /nodes/{node}/tasks was not sent: there is no parameter lmit (is it limit?); errors must be true or false; source must be one of archive, active, all; start must be at least 0; vmid must be a single value; node stands in the path already.",
        "hint": "pve_api_search with path /nodes/{node}/tasks describes its parameters.",
        "kind": "invalid-input",
      }
    `);
    expect(bench.world.requests.at(-1)?.path).toBe('/version');
  });

  it('says what there is where nothing can be read', async () => {
    const failure = await bench.fails('pve_api_get', { path: '/nodes/pve1/lxc/400/status/start' });
    expect(failure).toMatchObject({
      kind: 'invalid-input',
      headline: '/nodes/{node}/lxc/{vmid}/status/start has no GET.',
      hint: expect.stringContaining('It has POST;'),
    });
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!nothing');
    expect(await bench.fails('pve_api_get', { path: '/nodes/pve1/lxc/400/config' }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Audit'),
      hint: expect.stringContaining('pveum acl modify /vms/400'),
    });
  });
});
