import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Answer, answer } from '../../present/answer.ts';
import { findPath } from '../../pve/apipath.ts';
import { checkParams, methodAt } from '../../pve/check.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { count, onOneLine } from '../format.ts';
import { guest } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { changeOf, ownersIn, type Wishes, wishes } from './configure-wish.ts';
import { refuseLocked } from './locked.ts';
import { rootOnly } from './root-keys.ts';
import { refuseMixed, rootRoad, setAsRoot } from './root-road.ts';
import {
  type Change,
  changesBetween,
  effective,
  keysOf,
  readSettings,
  type Settings,
  waiting,
  wantedBy,
  writeSettings,
} from './settings.ts';
import { inspect } from './state.ts';
import { unlock } from './unlock.ts';
import { refuseTaken } from './volume-use.ts';

/** What the change holds that no token may do; undefined when a token may do all of it. */
function rootReason(guest: Guest, change: Change, settings: Settings): string | undefined {
  const unprivileged = effective(settings, 'unprivileged') === '1';
  const reasons = keysOf(change).map((key) =>
    rootOnly({ kind: guest.kind, key, before: effective(settings, key), after: change.set[key], unprivileged }),
  );
  return reasons.find((reason) => reason !== undefined);
}

/** One write by one road, whichever all of it can go by. */
async function write(context: ToolContext, guest: Guest, settings: Settings, change: Change) {
  const reason = rootReason(guest, change, settings);
  if (reason === undefined) {
    const { done, facts } = await writeSettings(context, guest, settings, change);
    return { done, facts: { road: 'api', ...facts } };
  }
  refuseMixed(guest, change);
  const host = await rootRoad(context, guest, reason);
  return { done: true, facts: await setAsRoot(context, host, guest, settings, change) };
}

/**
 * Free keys are checked by the schema that the server itself hands out. Where that cannot be read, the server refuses
 * what is wrong when it is written.
 */
async function checkFree({ schema }: ToolContext, { node, kind, vmid }: Guest, { set }: Change): Promise<void> {
  const known = await schema().catch(() => undefined);
  if (known === undefined) return;
  const found = findPath(known, path`/nodes/${node}/${kind}/${vmid}/config`);
  checkParams(found, methodAt(found, kind === 'lxc' ? 'PUT' : 'POST'), set);
}

async function configure(context: ToolContext, guest: Guest, wish: Wishes): Promise<Answer> {
  const { pve, signal } = context;
  const before = await readSettings(pve, guest, signal);
  const change = changeOf(guest, wish, before);
  const keys = keysOf(change);
  if (keys.length === 0) {
    return answer(`${guest.label} is configured so already; nothing was done`, { guest: guest.label, changed: false });
  }
  if (wish.set !== undefined) await checkFree(context, guest, change);
  await refuseTaken(context, guest, change.set);
  const { done, facts } = await write(context, guest, before, change);
  if (!done)
    return answer(`${guest.label}: the change is still running`, { guest: guest.label, settings: keys, ...facts });
  const notes: string[] = [];
  const after = await attempt(readSettings(pve, guest, signal), notes, 'The configuration afterwards');
  const waits = after && waiting(after, keys);
  return answer(
    `${guest.label}: ${count(keys.length, 'setting')} changed${waits ? ', not all in force before a restart' : ''}`,
    {
      guest: guest.label,
      changes: after && changesBetween(before, after, keys),
      restart_needed: waits || undefined,
      ...facts,
      notes: noted(notes),
    },
  );
}

/** Lifting Proxmox's protection opens the way to what cannot be undone. */
const liftsProtection = ({ protection, set, delete: gone }: Wishes): boolean =>
  protection === false ||
  (set?.protection !== undefined && set.protection !== '1') ||
  gone?.includes('protection') === true;

/** Keys whose values may be a folder, a disk or a port of the node instead of a volume. */
const placed = /^(rootfs|(mp|ide|sata|scsi|virtio|efidisk|tpmstate|serial|parallel)\d+)$/;

/** Keys by which a guest runs something on its node, or gets hold of what is there. */
const reachesNode = ({ set = {} }: Wishes): boolean =>
  Object.entries(set).some(
    ([key, value]) =>
      /^(args|hookscript|dev\d+|hostpci\d+)$/.test(key) ||
      (/^usb\d+$/.test(key) && !/mapping=|spice/i.test(value)) ||
      (placed.test(key) && /^\/|(^|,)(file|volume|import-from)=\//.test(value)),
  );

function alarmFor(wish: Wishes): string | undefined {
  if (liftsProtection(wish)) return 'It lifts the protection that forbids deleting the guest and its disks.';
  return reachesNode(wish) ? 'It lets the guest reach its node: as root there, beyond what a token may do.' : undefined;
}

function refuseTogether(wish: Wishes): void {
  if (Object.values(wish).every((value) => value === undefined)) return;
  throw new Failure(
    'invalid-input',
    'unlock is a call of its own: it goes by another road than settings do. Nothing was done.',
    'Call with guest and unlock only, then set the rest.',
  );
}

export default definePveTool({
  name: 'pve_guest_configure',
  title: 'Change the configuration of a guest',
  effect: 'change',
  core: true,
  summary:
    'Change settings of a VM or container: those named, or any key by set and delete. Tells what waits for a ' +
    'restart. What only root may do (bind mounts, keyctl, args, passthrough, unlock) goes over SSH.',
  search:
    'edit update modify hardware options rename ram cpu cloud-init hostname features hookscript pct set qm set reconfigure',
  input: {
    guest,
    ...wishes,
    unlock: z.boolean().default(false).describe('Only remove a left-over lock.'),
  },

  touches: ownersIn,

  alarm: alarmFor,

  async confirm({ guest: ref, unlock: open, ...wish }, context) {
    const { guest, state } = await inspect(context, ref);
    if (open) {
      return {
        message: `Remove the lock of ${guest.label}: ${state.lock ?? 'none'}.`,
        state: { guest: guest.label, lock: state.lock },
      };
    }
    const settings = await readSettings(context.pve, guest, context.signal);
    const change = changeOf(guest, wish, settings);
    const reason = rootReason(guest, change, settings);
    const lines = wantedBy(change, settings).map(
      ({ key, before, after }) => `${key}: ${onOneLine(before)} -> ${onOneLine(after)}`,
    );
    return {
      message: [`Change ${guest.label}${reason ? ', as root over SSH' : ''}:`, ...lines].join('\n'),
      state: { guest: guest.label, before: lines },
    };
  },

  async run({ guest: ref, unlock: open, ...wish }, context) {
    const { guest, state } = await inspect(context, ref);
    if (open) {
      refuseTogether(wish);
      return unlock(context, guest, state);
    }
    refuseLocked(guest, state);
    return configure(context, guest, wish);
  },
});
