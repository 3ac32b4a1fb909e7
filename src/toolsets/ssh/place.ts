import { Failure } from '../../failure.ts';
import { findGuest, type Guest, listGuests } from '../../pve/guests.ts';
import { type GuestTarget, guestTarget, parseTarget } from '../../ssh/target.ts';
import { orAfter } from '../deadline.ts';
import { readState } from '../pve/state.ts';
import type { KnownHost, ToolContext } from '../tool.ts';
import { labelOf, type VmPlace, vmShellOf } from '../vm/place.ts';

/** A host, or a container of it. */
export interface HostPlace {
  readonly host: KnownHost;
  readonly container?: number;
  /** The cluster of that container, where there are several. */
  readonly cluster?: string;
  /** `pve1`, `CT 400 (keycloak)`. */
  readonly label: string;
}

/** Where a command runs: over SSH, or in a VM by its guest agent. */
export type Place = HostPlace | VmPlace;

/** The target that means this place. */
export function targetOf(place: Place): string {
  const { cluster } = place;
  if ('guest' in place) return guestTarget({ kind: 'vm', vmid: place.guest.vmid, cluster });
  const { host, container } = place;
  return container === undefined ? host.spec.name : guestTarget({ kind: 'ct', vmid: container, cluster });
}

/** The place that a target means, the usual host when there is none. A guest has to be running. */
export async function placeOf(target: string | undefined, context: ToolContext): Promise<Place> {
  if (target === undefined) {
    const host = await context.ssh.hosts.usual();
    return { host, label: host.spec.name };
  }
  const parsed = parseTarget(target);
  if (parsed.kind === 'host') return hostPlace(parsed.name, context);
  if (parsed.cluster !== undefined && parsed.cluster !== context.cluster) throw otherCluster(target, parsed, context);
  return parsed.kind === 'ct' ? containerPlaceOf(parsed.vmid, context) : vmShellOf(parsed.vmid, context);
}

/** The place inside a container of that VMID. */
export async function containerPlaceOf(vmid: number, { pve, ssh, cluster, signal }: ToolContext): Promise<HostPlace> {
  const guest = await findGuest(pve, vmid, { signal });
  if (guest.kind === 'qemu') throw isVm(guest);
  // The cluster's own list lags by up to 10 s: a container that was just started still counts as stopped there.
  const status = guest.status === 'running' ? 'running' : (await readState(pve, guest, signal)).status;
  if (status !== 'running') {
    throw new Failure(
      'conflict',
      `${guest.label} is ${status}: no command can run in it.`,
      `Start it first: pve_guest_power with guest ${guest.vmid} and action start.`,
    );
  }
  const host = await ssh.hosts.ofNode(guest.node);
  return { host, container: guest.vmid, cluster, label: labelOf(guest, cluster) };
}

async function hostPlace(name: string, context: ToolContext): Promise<HostPlace> {
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
  const inTime = orAfter(signal, HINT_PATIENCE_MS);
  const guests = await listGuests(pve, { signal: inTime }).catch(() => []);
  const guest = guests.find((one) => one.name === name);
  if (guest === undefined) return undefined;
  return new Failure(
    'not-found',
    `There is no host "${name}"; it is the name of ${guest.label}.`,
    `Write ${guest.kind === 'lxc' ? 'ct' : 'vm'}/${guest.vmid}.`,
  );
}

const otherCluster = (target: string, { vmid, kind }: GuestTarget, { cluster }: ToolContext): Failure =>
  cluster === undefined
    ? new Failure('not-found', `There is one cluster, and "${target}" names another.`, `Write ${kind}/${vmid}.`)
    : new Failure('invalid-input', `"${target}" is not in the cluster ${cluster}.`, 'Name one cluster, once.');

const isVm = ({ label, vmid }: Guest): Failure =>
  new Failure(
    'invalid-input',
    `${label} is a VM.`,
    `Use ssh_exec with target vm/${vmid}, or vm_exec with guest ${vmid}.`,
  );
