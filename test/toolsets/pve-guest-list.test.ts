import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pve_guest_list', () => {
  it('lists every guest by VMID, with one request', async () => {
    expect(await bench.call('pve_guest_list')).toMatchInlineSnapshot(`
      {
        "facts": {
          "by_status": {
            "running": 6,
            "stopped": 1,
            "template": 1,
          },
          "guests": [
            {
              "cpu": "1.3 %",
              "kind": "lxc",
              "memory": "139 MiB of 512 MiB (27 %)",
              "name": "pihole",
              "node": "pve1",
              "status": "running",
              "tags": [
                "dns",
              ],
              "uptime": "40 d 23 h",
              "vmid": 101,
            },
            {
              "cpu": "1.4 %",
              "kind": "lxc",
              "memory": "62.8 MiB of 512 MiB (12 %)",
              "name": "webzfs-proxy",
              "node": "pve1",
              "status": "running",
              "tags": [
                "proxy",
              ],
              "uptime": "55 min",
              "vmid": 102,
            },
            {
              "cpu": "7 %",
              "kind": "qemu",
              "memory": "2.4 GiB of 4 GiB (59 %)",
              "name": "homeassistant",
              "node": "pve1",
              "status": "running",
              "tags": [
                "automation",
              ],
              "uptime": "12 d",
              "vmid": 200,
            },
            {
              "cpu": "23 %",
              "kind": "qemu",
              "memory": "6.3 GiB of 8 GiB (79 %)",
              "name": "win11",
              "node": "pve1",
              "status": "running",
              "uptime": "6 h",
              "vmid": 201,
            },
            {
              "cpu": "26 %",
              "kind": "qemu",
              "memory": "9.4 GiB of 12 GiB (78 %)",
              "name": "gitlab",
              "node": "pve2",
              "status": "running",
              "tags": [
                "git",
                "ci",
              ],
              "uptime": "42 min",
              "vmid": 300,
            },
            {
              "kind": "lxc",
              "memory": "4 GiB",
              "name": "keycloak",
              "node": "pve1",
              "status": "stopped",
              "tags": [
                "docker",
                "sso",
              ],
              "vmid": 400,
            },
            {
              "cpu": "8.7 %",
              "kind": "lxc",
              "memory": "3.1 GiB of 8 GiB (38 %)",
              "name": "postgres",
              "node": "pve1",
              "status": "running",
              "tags": [
                "db",
                "important",
              ],
              "uptime": "20 d",
              "vmid": 410,
            },
            {
              "kind": "qemu",
              "memory": "2 GiB",
              "name": "debian-13-template",
              "node": "pve1",
              "status": "template",
              "vmid": 9000,
            },
          ],
          "total": 8,
        },
        "headline": "8 guests: 6 running, 1 stopped, 1 template",
      }
    `);
    expect(bench.requests()).toBe(1);
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    [{ kind: 'lxc' }, [101, 102, 400, 410]],
    [{ status: 'stopped' }, [400]],
    [{ status: 'template' }, [9000]],
    [{ node: 'pve2' }, [300]],
    [{ name: 'KEY' }, [400]],
    [{ tag: 'docker' }, [400]],
    [{ tag: 'dock' }, []],
    [{ pool: 'none' }, []],
  ])('keeps to %o', async (filter, vmids) => {
    const { facts } = await bench.call('pve_guest_list', filter);
    expect((facts as { guests: { vmid: number }[] }).guests.map(({ vmid }) => vmid)).toEqual(vmids);
  });

  it('tells the nodes there are when there is none of that name', async () => {
    const { facts } = await bench.call('pve_guest_list', { node: 'pve9' });
    expect(facts).toMatchObject({ notes: ['No guest is on a node named pve9; guests are on pve1, pve2.'] });
  });

  it('stays small with 10,000 guests, and counts them all', async () => {
    const [model] = bench.world.guests;
    if (!model) throw new Error('no guest');
    const many = Array.from({ length: 10_000 }, (_, i) => ({ ...model, vmid: 10_000 + i }));
    bench.world.guests.push(...many);
    const told = await bench.call('pve_guest_list');
    bench.world.guests.splice(-many.length);
    expect(told.headline).toMatch(/^10008 guests: .*, the first 100 shown$/);
    expect(told.facts).toMatchObject({ total: 10_008, not_shown: 9908 });
    expect(JSON.stringify(told.facts).length).toBeLessThan(20_000);
    expect(bench.requests()).toBe(1);
  });

  it('says that a token may see none', async () => {
    const told = await bench.call('pve_guest_list', {}, { pve: bench.as('mcp@pve!nothing') });
    expect(told).toEqual({
      headline: '0 guests',
      facts: {
        total: 0,
        by_status: {},
        guests: [],
        notes: ['The token sees no guest at all: there are none, or it lacks VM.Audit on /vms.'],
      },
    });
  });

  it('says what is wrong with an expired token', async () => {
    const failure = await bench.fails('pve_guest_list', {}, { pve: bench.as('root@pam!expired') });
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "status": 401,
          "token": "root@pam!expired",
        },
        "headline": "127.0.0.1:… did not accept the API token root@pam!expired: Authentication failed!",
        "hint": "Its user, name or secret is wrong, or the token or its user is expired or disabled. On the host, \`pveum user token list root@pam\` shows the tokens and when they expire; a lost secret cannot be read again: \`pveum user token remove root@pam expired\`, then \`pveum user token add root@pam expired\`, and set PROXMOX_TOKEN_VALUE.",
        "kind": "authentication",
      }
    `);
  });
});
