import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiSchema } from '../../src/pve/schema.ts';
import { readReference } from '../reference.ts';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

describe('pve_api_search', () => {
  it('finds calls by words', async () => {
    expect(
      await bench.call('pve_api_search', { query: 'snapshot rollback container', limit: 2 }),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "calls": [
            {
              "method": "POST",
              "path": "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback",
            },
            {
              "method": "POST",
              "needs": [
                "vmid",
                "ostemplate",
              ],
              "path": "/nodes/{node}/lxc",
            },
          ],
          "next": "Give path to see all parameters of a call.",
        },
        "headline": "9 calls of Proxmox VE 9.2.11 fit "snapshot rollback container", best POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback",
      }
    `);
  });

  it('shows the parameters of a path, concrete or not, and of those only what words ask for', async () => {
    const told = await bench.call('pve_api_search', { path: '/nodes/pve1/lxc/400/status/shutdown' });
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "calls": [
            {
              "method": "POST",
              "parameters": [
                {
                  "name": "forceStop",
                  "value": "boolean",
                },
                {
                  "name": "timeout",
                  "value": "integer 0-",
                },
              ],
            },
          ],
          "path": "/nodes/{node}/lxc/{vmid}/status/shutdown",
        },
        "headline": "/nodes/{node}/lxc/{vmid}/status/shutdown: POST",
      }
    `);
    expect(await bench.call('pve_api_search', { path: '/nodes/{node}/lxc/{vmid}/status/shutdown' })).toEqual(told);
    const config = await bench.call('pve_api_search', { path: '/nodes/pve1/qemu/200/config', query: 'memory' });
    const names = (config.facts as { calls: { method: string; parameters: { name: string }[] }[] }).calls.map(
      ({ method, parameters }) => [method, parameters.map(({ name }) => name)],
    );
    expect(names).toContainEqual(['PUT', ['memory']]);
  });

  it('shows what there is below a path, or below all', async () => {
    expect((await bench.call('pve_api_search', { path: '/nodes/{node}/lxc/{vmid}/status' })).facts).toMatchObject({
      below: expect.arrayContaining(['/nodes/{node}/lxc/{vmid}/status/start']),
    });
    expect((await bench.call('pve_api_search')).facts).toMatchObject({ below: expect.arrayContaining(['/version']) });
  });

  it('says which calls are barred to tokens', async () => {
    const { facts } = await bench.call('pve_api_search', { path: '/nodes/{node}/execute' });
    expect(facts).toMatchObject({ calls: [{ method: 'POST', barred: 'root@pam only' }] });
  });

  it('names the nearest paths of one that there is not', async () => {
    expect(await bench.fails('pve_api_search', { path: '/nodes/pve1/lxc/400/snapshots' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "/nodes/{node}/lxc/{vmid}/snapshot",
            "/nodes/{node}/lxc/{vmid}",
            "/nodes/{node}/lxc/{vmid}/template",
            "/nodes/{node}/lxc/{vmid}/interfaces",
          ],
        },
        "headline": "Proxmox VE 9.2.11 has no API path /nodes/pve1/lxc/400/snapshots.",
        "hint": "Nearest: /nodes/{node}/lxc/{vmid}/snapshot, /nodes/{node}/lxc/{vmid}, /nodes/{node}/lxc/{vmid}/template, /nodes/{node}/lxc/{vmid}/interfaces. pve_api_search finds paths by words.",
        "kind": "not-found",
      }
    `);
  });

  it('needs no privilege but that of a valid token', async () => {
    const pve = bench.as('mcp@pve!nothing');
    expect((await bench.call('pve_api_search', { query: 'version' }, { pve })).headline).toContain('best GET /version');
    expect(await bench.fails('pve_api_search', { query: 'x' }, { pve: bench.as('root@pam!expired') })).toMatchObject({
      kind: 'authentication',
      hint: expect.stringContaining('pveum user token list root@pam'),
    });
  });
});

describe('the words that find a call in the whole of the API', () => {
  const methods = readReference(process.env).methods('9');
  const schema = async (): Promise<ApiSchema> => ({ version: '9.2', methods });

  it.each([
    ['firewall rules of a container', 'GET /nodes/{node}/lxc/{vmid}/firewall/rules'],
    ['download iso from url', 'POST /nodes/{node}/storage/{storage}/download-url'],
    ['acl permissions', 'GET /access/acl'],
    ['create user', 'POST /access/users'],
    ['move disk of vm', 'POST /nodes/{node}/qemu/{vmid}/move_disk'],
    ['node reboot', 'POST /nodes/{node}/status'],
    ['create network bridge', 'POST /nodes/{node}/network'],
    ['delete pool', 'DELETE /pools/{poolid}'],
    ['replication job create', 'POST /cluster/replication'],
    ['wake on lan', 'POST /nodes/{node}/wakeonlan'],
    ['dns settings of node', 'GET /nodes/{node}/dns'],
    ['zfs pool create', 'POST /nodes/{node}/disks/zfs'],
    ['next free vmid', 'GET /cluster/nextid'],
    ['time zone', 'PUT /nodes/{node}/time'],
    ['pending updates', 'GET /nodes/{node}/apt/update'],
    ['storage add nfs', 'POST /storage'],
  ])('%s', async (query, call) => {
    const { facts } = await bench.call('pve_api_search', { query, limit: 3 }, { schema });
    const calls = (facts as { calls: { method: string; path: string }[] }).calls;
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toContain(call);
  });
});
