import { Failure } from '../../failure.ts';
import { findGuest, type Guest, listGuests } from '../../pve/guests.ts';
import { parseTarget } from '../../ssh/target.ts';
import { readState } from '../pve/state.ts';
import type { KnownHost, ToolContext } from '../tool.ts';

/** Where a command runs: on a host, or in a container of it. */
export interface Place {
  readonly host: KnownHost;
  readonly container?: number;
  /** `pve1`, `CT 400 (keycloak)`. */
  readonly label: string;
}

/** The place that a target means. A container has to be running; a VM has no way in here. */
export async function placeOf(target: string, context: ToolContext): Promise<Place> {
  const parsed = parseTarget(target);
  if (parsed.kind === 'host') return hostPlace(parsed.name, context);
  const guest = await findGuest(context.pve, parsed.vmid, { signal: context.signal });
  if (parsed.kind === 'ct') return containerPlace(guest, context);
  if (guest.kind === 'lxc')
    throw new Failure('invalid-input', `${guest.label} is a container.`, `Write ct/${guest.vmid}.`);
  throw noWayIn(guest);
}

/** The place inside a container of that VMID. */
export async function containerPlaceOf(vmid: number, context: ToolContext): Promise<Place> {
  return containerPlace(await findGuest(context.pve, vmid, { signal: context.signal }), context);
}

async function containerPlace(guest: Guest, { pve, ssh, signal }: ToolContext): Promise<Place> {
  if (guest.kind === 'qemu') throw noWayIn(guest);
  // The cluster's own list lags by up to 10 s: a container that was just started still counts as stopped there.
  const status = guest.status === 'running' ? 'running' : (await readState(pve, guest, signal)).status;
  if (status !== 'running') {
    throw new Failure(
      'conflict',
      `${guest.label} is ${status}: no command can run in it.`,
      `Start it first: pve_guest_power with guest ${guest.vmid} and action start.`,
    );
  }
  const host = await ssh.hosts.find(guest.node);
  return { host, container: guest.vmid, label: guest.label.replace(/ on \S+$/, '') };
}

async function hostPlace(name: string, context: ToolContext): Promise<Place> {
  try {
    return { host: await context.ssh.hosts.find(name), label: name };
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'not-found')) throw error;
    throw (await guestNamed(name, context)) ?? error;
  }
}

/** A hint is not worth a long wait. */
const HINT_PATIENCE_MS = 3000;

/** A guest's name is a likely slip for its target; undefined when there is none, or the API does not tell. */
async function guestNamed(name: string, { pve, signal }: ToolContext): Promise<Failure | undefined> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(HINT_PATIENCE_MS)]);
  const guests = await listGuests(pve, { signal: inTime }).catch(() => []);
  const guest = guests.find((one) => one.name === name);
  if (guest === undefined) return undefined;
  if (guest.kind === 'qemu') return noWayIn(guest);
  return new Failure(
    'not-found',
    `There is no host "${name}"; it is the name of ${guest.label}.`,
    `Write ct/${guest.vmid}.`,
  );
}

const noWayIn = (guest: Guest): Failure =>
  new Failure(
    'invalid-input',
    `${guest.label} is a VM, and commands reach a VM by its own SSH server only.`,
    'List it as a host (inventory file or ~/.ssh/config; see ssh_host_list), and give that host as the target of ssh_exec.',
  );
