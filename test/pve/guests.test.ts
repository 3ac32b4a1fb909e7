import { describe, expect, it } from 'vitest';
import { readCluster } from '../../src/pve/cluster.ts';
import { findGuest, type Guest, listGuests, readGuest } from '../../src/pve/guests.ts';
import { path } from '../../src/pve/path.ts';
import { readResources } from '../../src/pve/resources.ts';
import { answer, type Behaviour, json, refusal, route } from '../rig/tls.ts';
import { anything, failureOf, rigged } from './rigged.ts';

const rows = [
  { type: 'qemu', vmid: 101, name: 'web', node: 'pve2', status: 'running', id: 'qemu/101', template: 0, maxcpu: '2' },
  {
    type: 'lxc',
    vmid: 400,
    name: 'keycloak',
    node: 'pve1',
    status: 'running',
    id: 'lxc/400',
    template: 0,
    cpu: 0.25,
    maxcpu: 2,
    mem: 1024,
    maxmem: 2048,
    disk: 1,
    maxdisk: 2,
    uptime: 50,
    tags: 'prod;auth',
    pool: 'p1',
    lock: 'backup',
    hastate: 'started',
  },
  { type: 'lxc', vmid: '205', node: 'pve1', id: 'lxc/205' },
  { type: 'qemu', vmid: 900, name: 'tmpl', node: 'pve1', status: 'stopped', template: '1' },
  { type: 'qemu', vmid: 301, name: 'twin', node: 'pve1', status: 'stopped', template: 0 },
  { type: 'lxc', vmid: 302, name: 'twin', node: 'pve2', status: 'stopped', template: 0 },
];

describe('listGuests', () => {
  it('asks once and sorts by VMID', async () => {
    const { rig, pve } = await rigged(json({ data: rows }));
    const guests = await listGuests(pve);
    expect(guests.map(({ label }) => label)).toEqual([
      'VM 101 (web) on pve2',
      'CT 205 on pve1',
      'VM 301 (twin) on pve1',
      'CT 302 (twin) on pve2',
      'CT 400 (keycloak) on pve1',
      'VM 900 (tmpl) on pve1',
    ]);
    expect(rig.requests.map(({ target }) => target)).toEqual(['/api2/json/cluster/resources?type=vm']);
  });

  it('reads every field, and a fresh guest that has hardly any', async () => {
    const { pve } = await rigged(json({ data: rows }));
    const guests = await listGuests(pve);
    expect(guests.find(({ vmid }) => vmid === 400)).toEqual({
      vmid: 400,
      name: 'keycloak',
      kind: 'lxc',
      node: 'pve1',
      status: 'running',
      template: false,
      cpu: 0.25,
      maxcpu: 2,
      mem: 1024,
      maxmem: 2048,
      disk: 1,
      maxdisk: 2,
      uptime: 50,
      tags: ['prod', 'auth'],
      pool: 'p1',
      lock: 'backup',
      hastate: 'started',
      label: 'CT 400 (keycloak) on pve1',
    });
    const fresh = guests.find(({ vmid }) => vmid === 205);
    expect(JSON.parse(JSON.stringify(fresh))).toEqual({
      vmid: 205,
      name: 'CT 205',
      kind: 'lxc',
      node: 'pve1',
      status: 'unknown',
      template: false,
      tags: [],
      label: 'CT 205 on pve1',
    });
    expect(guests.find(({ vmid }) => vmid === 900)?.template).toBe(true);
    expect(guests.find(({ vmid }) => vmid === 101)?.maxcpu).toBe(2);
  });
});

describe('findGuest', () => {
  it.each([400, '400', 'keycloak', 'KEYCLOAK', ' keycloak '])('%j is CT 400', async (ref) => {
    const { pve } = await rigged(json({ data: rows }));
    expect((await findGuest(pve, ref)).label).toBe('CT 400 (keycloak) on pve1');
  });

  it('lists the guests of one name', async () => {
    const { pve } = await rigged(json({ data: rows }));
    const failure = await failureOf(findGuest(pve, 'twin'));
    expect(failure.kind).toBe('ambiguous');
    expect(failure.message).toContain('VM 301 (twin) on pve1, CT 302 (twin) on pve2');
    expect(failure.facts.candidates).toEqual(['VM 301 (twin) on pve1', 'CT 302 (twin) on pve2']);
  });

  it.each([
    ['keyclaok', 'CT 400 (keycloak) on pve1'],
    ['cloak', 'CT 400 (keycloak) on pve1'],
    ['wep', 'VM 101 (web) on pve2'],
    [401, 'CT 400 (keycloak) on pve1'],
  ])('offers the nearest for %j', async (ref, nearest) => {
    const { pve } = await rigged(json({ data: rows }));
    const failure = await failureOf(findGuest(pve, ref));
    expect(failure.kind).toBe('not-found');
    expect(failure.hint).toMatch(new RegExp(`^Nearest: ${nearest.replace(/[()]/g, '\\$&')}`));
  });

  it('says so when the token sees no guest', async () => {
    const { pve } = await rigged(json({ data: [] }));
    expect((await failureOf(findGuest(pve, 400))).hint).toContain('VM.Audit');
  });
});

describe('readGuest', () => {
  const config = (node: string) => path`/nodes/${node}/lxc/${400}/config`;

  const known: Guest = {
    vmid: 400,
    name: 'keycloak',
    kind: 'lxc',
    node: 'pve1',
    status: 'running',
    template: false,
    tags: [],
    label: 'CT 400 (keycloak) on pve1',
  };

  /** Reads a guest of pve1, whose node answers as `first` does; a second look finds `after`. */
  const begin = async (first: Behaviour, after: readonly unknown[]) => {
    const { rig, pve } = await rigged(
      route(({ target }) => {
        if (target.includes('/cluster/resources')) return json({ data: after });
        return target.includes('/pve1/') ? first : json({ data: 'config' });
      }),
    );
    return { rig, reading: readGuest(pve, known, ({ node }) => pve.get(config(node), anything)) };
  };
  const missing = refusal(500, "Configuration file 'nodes/pve1/lxc/400.conf' does not exist");

  it.each([
    ['does not know it', missing],
    ['does not answer', answer(595, 'No route to host')],
    ['answers too late', answer(596, 'Connection timed out')],
  ])('follows a guest that moved when its node %s', async (_, first) => {
    const { reading } = await begin(first, [{ ...rows[1], node: 'pve2' }]);
    const { guest: now, value, movedFrom } = await reading;
    expect(value).toBe('config');
    expect(movedFrom).toBe('pve1');
    expect(now.label).toBe('CT 400 (keycloak) on pve2');
  });

  it('tells the failure of a guest that is where it was, without reading again', async () => {
    const { rig, reading } = await begin(missing, [rows[1]]);
    expect((await failureOf(reading)).message).toContain('400.conf');
    expect(rig.requests.filter(({ target }) => target.includes('/config'))).toHaveLength(1);
  });

  it('says that a guest is gone', async () => {
    const { reading } = await begin(missing, []);
    const failure = await failureOf(reading);
    expect(failure.kind).toBe('not-found');
    expect(failure.message).toContain('CT 400 (keycloak) on pve1 is no longer there');
  });

  it('does not look again when the token was refused', async () => {
    const { rig, reading } = await begin(refusal(403, 'Permission check failed (/vms/400, VM.Audit)'), []);
    expect((await failureOf(reading)).kind).toBe('permission');
    expect(rig.requests).toHaveLength(1);
  });
});

describe('readResources', () => {
  it('reads guests, nodes and storages from one answer, offline nodes and odd types too', async () => {
    const data = [
      ...rows,
      { type: 'node', node: 'pve3', id: 'node/pve3', status: 'offline', maxcpu: 1, maxmem: '2594635776', level: '' },
      { type: 'node', node: 'pve2', id: 'node/pve2', status: 'online', cpu: 0.2, maxcpu: 1, mem: 5, uptime: 659 },
      {
        type: 'storage',
        storage: 'local',
        node: 'pve2',
        status: 'available',
        shared: 0,
        content: 'iso,backup',
        plugintype: 'dir',
        disk: 1,
        maxdisk: 2,
      },
      {
        type: 'storage',
        storage: 'nas',
        node: 'pve3',
        status: 'unknown',
        shared: 1,
        content: 'images',
        plugintype: 'nfs',
      },
      { type: 'sdn', sdn: 'localnetwork', node: 'pve2', status: 'ok' },
      { type: 'network', network: 'x', cpu: 'junk' },
    ];
    const { rig, pve } = await rigged(json({ data }));
    const { guests, nodes, storages } = await readResources(pve);
    expect(guests).toHaveLength(6);
    expect(JSON.parse(JSON.stringify(nodes))).toEqual([
      { node: 'pve2', status: 'online', cpu: 0.2, maxcpu: 1, mem: 5, uptime: 659 },
      { node: 'pve3', status: 'offline', maxcpu: 1, maxmem: 2594635776 },
    ]);
    expect(JSON.parse(JSON.stringify(storages))).toEqual([
      {
        storage: 'local',
        node: 'pve2',
        status: 'available',
        plugin: 'dir',
        content: ['iso', 'backup'],
        shared: false,
        disk: 1,
        maxdisk: 2,
      },
      { storage: 'nas', node: 'pve3', status: 'unknown', plugin: 'nfs', content: ['images'], shared: true },
    ]);
    expect(rig.requests).toHaveLength(1);
  });
});

it('readCluster tells the cluster, and of its nodes names, addresses and which one answered', async () => {
  const data = [
    { name: 'lab', type: 'cluster', version: 2, quorate: 1, nodes: 2, id: 'cluster' },
    { id: 'node/pve3', name: 'pve3', local: 0, nodeid: 2, type: 'node', ip: '10.10.10.3', online: 0 },
    { ip: '10.10.10.2', online: 1, type: 'node', id: 'node/pve2', local: '1', name: 'pve2', nodeid: 1 },
  ];
  const { pve } = await rigged(json({ data }));
  expect(await readCluster(pve)).toEqual({
    cluster: { kind: 'cluster', name: 'lab', quorate: true },
    nodes: [
      { name: 'pve2', address: '10.10.10.2', local: true },
      { name: 'pve3', address: '10.10.10.3', local: false },
    ],
  });
});
