import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createPve, type Pve, type PveParams } from '../../src/pve/client.ts';
import type { PvePath } from '../../src/pve/path.ts';
import { json } from '../rig/tls.ts';
import { anything, failureOf, rigged } from './rigged.ts';

/** A path as somebody might type it, which the tag would never make. */
const raw = (text: string): PvePath => text as PvePath;

const write = (pve: Pve, path: string, params?: PveParams): Promise<unknown> => pve.post(raw(path), params);

describe('a read-only client', () => {
  it.each(['post', 'put', 'delete'] as const)('refuses %s before anything connects', async (method) => {
    const { rig, pve } = await rigged(json({ data: null }), { readOnly: true });
    expect((await failureOf(pve[method](raw('/access/users/x')))).kind).toBe('refused');
    expect(rig.connections).toBe(0);
    await pve.get(raw('/version'), anything);
    expect(rig.requests).toHaveLength(1);
  });
});

describe('protected guests', () => {
  const protectedGuests = new Set([400, 999]);

  it.each<[string, PveParams?]>([
    ['/nodes/pve1/lxc/400/status/stop'],
    ['/nodes/pve1/qemu/400/config'],
    ['/nodes/pve1/lxc/%34%30%30'],
    ['//nodes//pve1//lxc//400//'],
    ['/nodes/pve1/lxc/%2534%2530%2530'],
    ['/nodes/pve1/lxc/0400'],
    ['/nodes/lxc/lxc/400'],
    ['/nodes/pve1/storage/lxc/content/lxc:400%2Fvm-400-disk-0.raw'],
    ['/nodes/pve1/storage/local/content/local:backup%2Fvzdump-lxc-400-2026_11_20-03_20_50.tar.zst'],
    ['/nodes/pve1/tasks/UPID:pve1:00000352:00001F5E:6AFFBBDD:vzdump:400:root@pam!mcp:'],
    ['/cluster/ha/resources/ct:400'],
    ['/cluster/ha/resources/vm%3A400'],
    ['/cluster/replication/400-0'],
    ['/nodes/pve1/vzdump', { vmid: 400 }],
    ['/nodes/pve1/vzdump', { vmid: '100,400' }],
    ['/nodes/pve1/vzdump', { vmid: '100;400 200' }],
    ['/nodes/pve1/vzdump', { vmid: [100, 400] }],
    ['/nodes/pve1/vzdump', { VMID: '400' }],
    ['/nodes/pve1/vzdump', { vmid: ' 400' }],
    ['/nodes/pve1/vzdump', { vmid: '４００' }],
    ['/nodes/pve1/vzdump', { vmid: '%34%30%30' }],
    ['/nodes/pve1/lxc', { vmid: 400, restore: 1, force: true }],
    ['/nodes/pve1/lxc/101/clone', { newid: 400 }],
    ['/nodes/pve1/qemu/101/move_disk', { 'target-vmid': 400 }],
    ['/nodes/pve1/qemu/101/config', { scsi1: 'local-lvm:vm-400-disk-0' }],
    ['/pools', { poolid: 'p', vms: '100,400' }],
    ['/cluster/ha/resources', { sid: 'ct:400' }],
    ['/cluster/ha/rules', { resources: 'vm:100,ct:400' }],
    ['/access/acl', { path: '/vms/400', roles: 'NoAccess' }],
    ['/nodes/pve1/stopall'],
    ['/nodes/pve1/stopall', { vms: '' }],
    ['/nodes/pve1/stopall', { vms: ',' }],
    ['/nodes/pve1/migrateall', { target: 'pve2', vms: ' ; ' }],
    ['/cluster/bulk-action/guest/suspend', { vms: ['', ','] }],
    ['/nodes/pve1/vzdump', { all: true, mode: 'stop' }],
    ['/nodes/pve1/vzdump', { pool: 'lab' }],
    ['/cluster/backup', { all: '1', schedule: 'daily' }],
    ['/cluster/backup/job-1', { pool: 'lab' }],
    ['/nodes/pve1%2Flxc%2F400/status/stop'],
    ['/nodes/pve1%2Fstopall'],
    ['/nodes/pve1/qemu/101/config', { scsi1: 'local:400/data.qcow2,size=8G' }],
    ['/nodes/pve1/qemu/101/config', { scsi1: 'file=local:400/data.qcow2' }],
    ['/cluster/bulk-action/guest/shutdown'],
    ['/cluster/bulk-action/guest/shutdown', { vms: [100, 999] }],
  ])('%s %o does not leave', async (path, params) => {
    const { rig, pve } = await rigged(json({ data: null }), { protectedGuests });
    expect((await failureOf(write(pve, path, params))).kind).toBe('refused');
    expect((await failureOf(pve.put(raw(path), params))).kind).toBe('refused');
    expect((await failureOf(pve.delete(raw(path), params))).kind).toBe('refused');
    expect(rig.connections).toBe(0);
  });

  it.each<[string, PveParams?]>([
    ['/nodes/pve1/lxc/101/status/stop'],
    ['/nodes/pve1/lxc/4001/status/stop'],
    ['/nodes/pve1/lxc/1400/status/stop'],
    ['/nodes/pve-400/lxc/101/status/start'],
    ['/nodes/pve1/lxc/101/snapshot/before-400'],
    ['/nodes/pve1/lxc/101/config', { memory: 400, cores: 4, description: 'not 400' }],
    [
      '/nodes/pve1/lxc',
      { vmid: 500, restore: 1, ostemplate: 'local:backup/vzdump-lxc-400-2026_11_20-03_20_50.tar.zst' },
    ],
    ['/nodes/pve1/storage/nas400/content/nas400:iso%2Fdebian.iso'],
    ['/nodes/pve1/vzdump', { vmid: '100,4000', exclude: '400' }],
    ['/nodes/pve1/stopall', { vms: '100,101' }],
    ['/nodes/pve1/vzdump', { vmid: '100', all: false }],
    ['/nodes/pve1/lxc/101/config', { net0: 'name=eth0,bridge=vmbr0,ip6=fd00::400/64,gw6=fd00::1' }],
  ])('%s %o does', async (path, params) => {
    const { rig, pve } = await rigged(json({ data: null }), { protectedGuests });
    await write(pve, path, params);
    expect(rig.requests).toHaveLength(1);
  });

  it('keep their backups when those of no guest in particular are pruned', async () => {
    const { rig, pve } = await rigged(json({ data: null }), { protectedGuests });
    const pruned = raw('/nodes/pve1/storage/local/prunebackups');
    expect((await failureOf(pve.delete(pruned, { 'prune-backups': 'keep-last=1' }))).kind).toBe('refused');
    expect(rig.connections).toBe(0);
    await pve.delete(pruned, { vmid: 100, 'prune-backups': 'keep-last=1' });
    expect(rig.requests).toHaveLength(1);
  });

  it('may be read', async () => {
    const { rig, pve } = await rigged(json({ data: null }), { protectedGuests });
    await pve.get(raw('/nodes/pve1/lxc/400/config'), anything);
    expect(rig.requests).toHaveLength(1);
  });

  it('stay protected in 10,000 spellings', async () => {
    let sent = 0;
    const send = async () => {
      sent += 1;
      return { status: 200, statusText: 'OK', body: '{"data":null}' };
    };
    const pve = createPve({
      host: 'pve1',
      port: 8006,
      protectedGuests,
      wire: { endpoint: 'pve1:8006', send, close: async () => {} },
    });
    const digit = (one: string): fc.Arbitrary<string> =>
      fc.constantFrom(one, `%3${one}`, `%253${one}`, encodeURIComponent(String.fromCodePoint(0xff10 + Number(one))));
    const id = fc
      .constantFrom('400', '999')
      .chain((text) => fc.tuple(...[...text].map(digit)).map((parts) => parts.join('')));
    const spelled = fc.tuple(
      fc.constantFrom('', '0', '00', '%30', '+', '%20'),
      id,
      fc.constantFrom('', '%20', '%00', '.0'),
    );
    const slash = fc.constantFrom('/', '//', '///');
    const path = fc
      .tuple(slash, fc.constantFrom('lxc', 'qemu'), slash, spelled, fc.constantFrom('', '/', '/status/stop', '/config'))
      .map(([a, kind, b, text, rest]) => `/nodes${a}pve1${a}${kind}${b}${text.join('')}${rest}`);
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom('post', 'put', 'delete'), async (text, method) => {
        expect((await failureOf(pve[method](raw(text)))).kind).toBe('refused');
      }),
      { numRuns: 10_000 },
    );
    expect(sent).toBe(0);
  });
});

describe('a path that is none', () => {
  it.each([
    'version',
    '/nodes/pve1/lxc/101/../400',
    '/nodes/pve1/lxc/101/%2e%2e/400',
    '/nodes/pve1/lxc?vmid=400',
    '/nodes/pve1/lxc#400',
    '/nodes/pve1 HTTP/1.1\r\nx: y',
    '/nodes/pve1\\lxc',
    '/nodes/%ff',
    '/nodes/\u{ff14}00',
  ])('%j is refused for reads and writes', async (text) => {
    const { rig, pve } = await rigged();
    expect((await failureOf(write(pve, text))).kind).toBe('invalid-input');
    expect((await failureOf(pve.get(raw(text), anything))).kind).toBe('invalid-input');
    expect(rig.connections).toBe(0);
  });
});

it('a client that cannot be used says why at every call', async () => {
  const problem = new Failure('misconfigured', 'PROXMOX_HOST is not set.', 'Set it.');
  const { rig, pve } = await rigged(json({ data: null }), { problem });
  expect(await failureOf(pve.get(raw('/version'), anything))).toBe(problem);
  expect(await failureOf(write(pve, '/access/users'))).toBe(problem);
  expect(rig.connections).toBe(0);
});
