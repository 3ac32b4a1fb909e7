import { detach, isDisk, volumeOf, withVolume } from '../../world/attached.ts';
import { checkLock, checkQuorum } from '../../world/operations.ts';
import { type Config, type Guest, Refusal, type World } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { badParameters } from '../errors.ts';
import { splitList } from '../formats.ts';
import type { Rule } from '../rules/parse.ts';
import { type Params, ruleFor } from '../verify.ts';
import { digestOf } from './guest-rows.ts';
import { checkRootOnly } from './root-only.ts';
import { snapshotConfig } from './snapshots.ts';

/** What waits for the next start is already shown, unless `current=1` asks for what is in force. */
function read(call: Call, kind: Guest['kind']): unknown {
  const guest = call.guest(kind);
  if (call.has('snapshot')) return { ...snapshotConfig(guest, call.text('snapshot')), digest: digestOf(guest) };
  const config: Record<string, unknown> = { ...guest.config };
  if (!call.flag('current')) {
    for (const [key, value] of Object.entries(guest.pending)) config[key] = value ?? undefined;
  }
  return { ...config, digest: digestOf(guest), ...(guest.lock === undefined ? {} : { lock: guest.lock }) };
}

function pending(call: Call, kind: Guest['kind']): unknown[] {
  const guest = call.guest(kind);
  const keys = new Set([...Object.keys(guest.config), ...Object.keys(guest.pending)]);
  const rows = [...keys].map((key) => {
    const waiting = guest.pending[key];
    const value = guest.config[key];
    return {
      key,
      ...(value === undefined ? {} : { value }),
      ...(waiting === null ? { delete: 1 } : waiting === undefined ? {} : { pending: waiting }),
    };
  });
  return [...rows, { key: 'digest', value: digestOf(guest) }];
}

const control = new Set([
  'node',
  'vmid',
  'delete',
  'revert',
  'digest',
  'skiplock',
  'force',
  'background_delay',
  'import-working-storage',
]);

/** What may change under a running guest; the rest waits for the next start. */
const hot = {
  lxc: /^(cores|cpulimit|cpuunits|description|hostname|memory|mp\d+|net\d+|onboot|protection|startup|swap|tags|lock)$/,
  qemu: /^(description|name|net\d+|onboot|protection|startup|tags|lock|cpuunits|cpulimit|(scsi|virtio|unused)\d+)$/,
} as const;

/** A write by token: what it may not do is refused first. */
function write(call: Call, kind: Guest['kind']): Guest {
  const { params, world } = call;
  checkRootOnly(params, splitList(call.text('delete')), world.guest(call.int('vmid')), kind);
  const guest = call.guest(kind);
  writeConfig(world, guest, params, call.rules);
  return guest;
}

/** Changes a configuration as PUT config does, whoever asks. */
export function writeConfig(world: World, guest: Guest, params: Params, rules: Readonly<Record<string, Rule>>): void {
  const text = (name: string) => (params[name] === undefined ? '' : String(params[name]));
  const removed = splitList(text('delete'));
  const unknown = removed.find((key) => control.has(key) || ruleFor(rules, key) === undefined);
  if (unknown !== undefined) throw badParameters({ delete: `unknown option '${unknown}'` });
  if (params.digest !== undefined && text('digest') !== digestOf(guest)) throw modified(guest);
  checkLock(guest);
  checkQuorum(world, guest);
  for (const key of removed) remove(world, guest, key, params.force === true);
  for (const key of splitList(text('revert'))) delete guest.pending[key];
  const changes = Object.entries(settings(params, guest));
  for (const [key] of changes) checkProtected(guest, key);
  for (const [key, value] of changes) {
    put(guest, key, isDisk(key) ? withVolume(world, guest, key, String(value)) : value, world);
  }
}

/** Somebody changed the file meanwhile: each of the two has its own words (recording e-digest; qemu-server, PVE/API2/Qemu.pm). */
export const modified = ({ kind }: Guest): Refusal =>
  new Refusal(
    kind === 'lxc'
      ? 'detected modified configuration - file changed by other user? Try again.'
      : 'checksum mismatch (file change by other user?)',
  );

/** A container with Proxmox VE's protection gets no other mount points either (pve-container, PVE/LXC/Config.pm). */
function checkProtected({ kind, vmid, config }: Guest, key: string): void {
  if (kind !== 'lxc' || config.protection !== 1 || !/^(rootfs|mp\d+)$/.test(key)) return;
  throw new Refusal(`can't update CT ${vmid} drive '${key}' - protection mode enabled`);
}

/** A guest with Proxmox VE's protection keeps its disks. */
function remove(world: World, guest: Guest, key: string, force: boolean): void {
  const disk = isDisk(key) && guest.config[key] !== undefined;
  if (disk && guest.config.protection === 1) {
    const what = guest.kind === 'lxc' ? `CT ${guest.vmid} drive` : 'drive';
    throw new Refusal(`can't remove ${what} '${key}' - protection mode enabled`);
  }
  const waits = guest.status === 'running' && !hot[guest.kind].test(key) && !key.startsWith('unused');
  if (!disk || waits || (guest.kind === 'lxc' && guest.status === 'running' && key.startsWith('mp'))) {
    put(guest, key, null, world);
    return;
  }
  delete guest.pending[key];
  detach(world, guest, key, force && guest.kind === 'qemu');
}

/** The parameters as they go into the file: 1 and 0, a VM's memory as a string, a MAC for a new network card. */
export function settings(params: Params, guest: Pick<Guest, 'kind' | 'mac'>): Config {
  const pairs = Object.entries(params).filter(([key]) => !control.has(key));
  return Object.fromEntries(
    pairs.map(([key, value]) => {
      if (typeof value === 'boolean') return [key, value ? 1 : 0];
      if (key === 'cipassword') return [key, '**********'];
      if (guest.kind === 'lxc' && key === 'description') return [key, `${String(value).trimEnd()}\n`];
      if (/^net\d+$/.test(key)) return [key, withMac(String(value), macOf(guest.mac, key), guest.kind)];
      return [key, typeof value === 'number' ? value : String(value)];
    }),
  );
}

/** Another address for each card after the first. */
function macOf(mac: string, key: string): string {
  const octets = mac.split(':');
  const fourth = (Number.parseInt(octets[3] ?? '', 16) + Number(key.slice(3))) % 256;
  return octets.with(3, fourth.toString(16).toUpperCase().padStart(2, '0')).join(':');
}

function withMac(net: string, mac: string, kind: Guest['kind']): string {
  if (kind === 'lxc') return net.includes('hwaddr=') ? net : `${net},hwaddr=${mac},type=veth`;
  const [model = '', ...rest] = net.split(',');
  return model.includes('=') ? net : [`${model}=${mac}`, ...rest].join(',');
}

/** A running container takes a new mount point at once, and gives one up with its next start only. */
function put(guest: Guest, key: string, value: string | number | null, world: World): void {
  const over = guest.kind === 'lxc' && key.startsWith('mp') && guest.config[key] !== undefined;
  const waits = guest.status === 'running' && (over || !hot[guest.kind].test(key));
  if (waits) {
    if (value === null && guest.config[key] === undefined) delete guest.pending[key];
    else guest.pending[key] = value;
    return;
  }
  delete guest.pending[key];
  const before = volumeOf(guest.config[key]);
  if (isDisk(key) && value !== null && before !== undefined && before !== volumeOf(value)) detach(world, guest, key);
  if (value === null) delete guest.config[key];
  else guest.config[key] = value;
}

/** POST makes a task of it, for a VM only (recording q2-pendset). */
function writeAsTask(call: Call): string {
  const changed = Object.entries(call.params)
    .filter(([key]) => !control.has(key))
    .toSorted();
  write(call, 'qemu');
  const line = changed.map(([key, value]) => `-${key} ${key === 'cipassword' ? '<hidden>' : String(value)}`).join(' ');
  const { node, vmid } = call.ref('qemu');
  const steps = [{ seconds: 0, log: [`update VM ${vmid}: ${line}`] }];
  return call.world.begin({ node, type: 'qmconfig', id: String(vmid), by: call.by, steps }).upid;
}

export const configHandlers: Handlers = {
  ...forBoth({
    'GET /nodes/{node}/K/{vmid}/config': read,
    'GET /nodes/{node}/K/{vmid}/pending': pending,
    'PUT /nodes/{node}/K/{vmid}/config': (call, kind) => {
      write(call, kind);
      return null;
    },
  }),
  'POST /nodes/{node}/qemu/{vmid}/config': writeAsTask,
  'PUT /nodes/{node}/qemu/{vmid}/unlink': (call) => {
    const guest = call.guest('qemu');
    checkLock(guest);
    for (const key of splitList(call.text('idlist'))) remove(call.world, guest, key, call.flag('force'));
    return null;
  },
};
