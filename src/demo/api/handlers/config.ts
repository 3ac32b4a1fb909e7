import { checkLock, checkQuorum } from '../../world/operations.ts';
import { type Config, type Guest, Refusal } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { ApiError, badParameters } from '../errors.ts';
import { splitList } from '../formats.ts';
import { type Params, ruleFor } from '../verify.ts';
import { digestOf } from './guest-rows.ts';
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
  qemu: /^(description|name|net\d+|onboot|protection|startup|tags|lock|cpuunits|cpulimit|scsi\d+)$/,
} as const;

function write(call: Call, kind: Guest['kind']): Guest {
  checkRootOnly(call.params, kind);
  const guest = call.guest(kind);
  const removed = splitList(call.text('delete'));
  const unknown = removed.find((key) => control.has(key) || ruleFor(call.rules, key) === undefined);
  if (unknown !== undefined) throw badParameters({ delete: `unknown option '${unknown}'` });
  if (call.has('digest') && call.text('digest') !== digestOf(guest)) {
    throw new Refusal('detected modified configuration - file changed by other user? Try again.');
  }
  checkLock(guest);
  checkQuorum(call.world, guest);
  for (const key of removed) put(guest, key, null);
  for (const key of splitList(call.text('revert'))) delete guest.pending[key];
  for (const [key, value] of Object.entries(settings(call.params, guest))) put(guest, key, value);
  return guest;
}

/** The parameters as they go into the file: 1 and 0, a VM's memory as a string, a MAC for a new network card. */
export function settings(params: Params, guest: Pick<Guest, 'kind' | 'mac'>): Config {
  const pairs = Object.entries(params).filter(([key]) => !control.has(key));
  return Object.fromEntries(
    pairs.map(([key, value]) => {
      if (typeof value === 'boolean') return [key, value ? 1 : 0];
      if (guest.kind === 'lxc' && key === 'description') return [key, `${String(value).trimEnd()}\n`];
      if (guest.kind === 'lxc' && /^net\d+$/.test(key)) return [key, withMac(String(value), guest.mac)];
      return [key, typeof value === 'number' ? value : String(value)];
    }),
  );
}

const withMac = (net: string, mac: string): string =>
  net.includes('hwaddr=') ? net : `${net},hwaddr=${mac},type=veth`;

function put(guest: Guest, key: string, value: string | number | null): void {
  const waits = guest.status === 'running' && !hot[guest.kind].test(key);
  if (waits) {
    if (value === null && guest.config[key] === undefined) delete guest.pending[key];
    else guest.pending[key] = value;
    return;
  }
  delete guest.pending[key];
  if (value === null) delete guest.config[key];
  else guest.config[key] = value;
}

/** What only root@pam itself may set, which no token is (recordings r-*). */
function checkRootOnly(params: Params, kind: Guest['kind']): void {
  if (params.skiplock !== undefined) throw badParameters({ skiplock: 'Only root may use this option.' });
  const perm = (why: string) => new ApiError(403, `Permission check failed (${why})\n`);
  if (params.args !== undefined) throw new Refusal("only root can set 'args' config");
  if (params.hookscript !== undefined) throw perm('changing the hookscript is only allowed for root@pam');
  for (const [key, value] of Object.entries(params)) {
    const text = String(value);
    if (/^hostpci\d+$/.test(key) && !text.includes('mapping=')) {
      throw new Refusal(`only root can set '${key}' config for non-mapped devices`);
    }
    if (/^serial\d+$/.test(key) && text !== 'socket')
      throw new Refusal(`only root can modify '${key}' config for real devices`);
    if (kind === 'lxc' && /^(mp\d+|rootfs)$/.test(key) && text.startsWith('/')) {
      throw perm('mount point type bind is only allowed for root@pam');
    }
    const beyondNesting = splitList(text).some((part) => !part.startsWith('nesting='));
    if (key === 'features' && beyondNesting)
      throw perm('changing feature flags (except nesting) is only allowed for root@pam');
  }
}

/** POST makes a task of it, for a VM only (recording q2-pendset). */
function writeAsTask(call: Call): string {
  const changed = Object.entries(call.params)
    .filter(([key]) => !control.has(key))
    .toSorted();
  write(call, 'qemu');
  const line = changed.map(([key, value]) => `-${key} ${String(value)}`).join(' ');
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
};
