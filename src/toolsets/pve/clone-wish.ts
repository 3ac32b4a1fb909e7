import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import type { Resources } from '../../pve/resources.ts';
import type { Disk } from './disks.ts';
import { pickNode, pickStorage } from './pick-place.ts';
import type { Snapshot } from './snapshots.ts';
import type { GuestState } from './state.ts';

/** What is asked of a clone, by the names of the tool's parameters. */
export interface CloneWish {
  readonly full?: boolean;
  readonly snapshot?: string;
  readonly storage?: string;
  readonly node?: string;
  readonly user?: string;
  readonly ssh_keys?: readonly string[];
  readonly password: boolean;
  readonly ip?: string;
  readonly gateway?: string;
  readonly start: boolean;
}

/** What is known of the guest that is to be cloned. */
export interface Source {
  readonly guest: Guest;
  readonly state: GuestState;
  readonly disks: readonly Disk[];
  /** Its static address, when it has one. */
  readonly address?: string;
  readonly snapshots: readonly Snapshot[];
  readonly all: Resources;
}

/** A template is linked to unless it is told otherwise, or its copy goes to a storage that is named. */
export const isFull = ({ full, storage }: CloneWish, { guest }: Pick<Source, 'guest'>): boolean =>
  full ?? (storage !== undefined || !guest.template);

const conflict = (message: string, cure: string): Failure =>
  new Failure('conflict', `${message} Nothing was done.`, cure);

function refuseLink({ snapshot, storage }: CloneWish, { guest }: Source): void {
  if (!guest.template && snapshot === undefined) {
    throw conflict(
      `${guest.label} is no template, so that a clone cannot be linked to it as it is.`,
      'Leave full out for a full copy, name a snapshot (on a storage that can link to those), or make it a template first.',
    );
  }
  if (storage !== undefined) {
    throw conflict(
      'A linked clone stays on the storage of what it is linked to.',
      'Leave storage out, or full, for a full copy there.',
    );
  }
}

function refuseSource(wish: CloneWish, source: Source): void {
  const { guest, state, snapshots } = source;
  const { snapshot } = wish;
  if (snapshot !== undefined && !snapshots.some(({ name }) => name === snapshot)) {
    const names = snapshots.map(({ name }) => name);
    const hint = names.length > 0 ? `It has: ${names.join(', ')}.` : 'It has none.';
    throw new Failure('not-found', `${guest.label} has no snapshot "${snapshot}".`, hint, {
      facts: { candidates: names },
    });
  }
  if (!isFull(wish, source)) refuseLink(wish, source);
  else if (guest.kind === 'lxc' && state.status === 'running' && snapshot === undefined) {
    throw conflict(
      `${guest.label} is running, and a running container is copied from a snapshot only.`,
      'Take one with pve_snapshot_create and name it here, or shut the container down first.',
    );
  }
}

/** Two guests with one static address cut each other off the network. */
function refuseTwins({ ip, start }: CloneWish, { guest, state, address }: Source): void {
  if (!start || ip !== undefined || address === undefined || state.status === 'stopped') return;
  throw conflict(
    `${guest.label} runs with the static address ${address}, and its clone would start with the same.`,
    'Give the clone an address of its own with ip, or leave start out.',
  );
}

/** Another node can have a clone of what it reaches itself. */
function refusePlace(wish: CloneWish, source: Source): void {
  const { guest, disks, all } = source;
  const { node = guest.node, storage } = wish;
  if (node !== guest.node) {
    pickNode(all, { node, that: 'is online', fits: () => true });
    const shared = (name?: string): boolean => all.storages.some((row) => row.storage === name && row.shared);
    const local = disks.filter((disk) => disk.storage !== undefined && !shared(disk.storage));
    if (local.length > 0) {
      const where = local.map((disk) => `${disk.key} on ${disk.storage}`).join(', ');
      throw conflict(
        `Only disks on shared storages can be cloned to another node; ${guest.label} has ${where}.`,
        `Leave node out, and move the clone with pve_guest_migrate afterwards.`,
      );
    }
  }
  if (storage !== undefined) pickStorage(all, node, guest.kind === 'lxc' ? 'rootdir' : 'images', storage);
}

function refuseInside({ user, ssh_keys, password, ip, gateway }: CloneWish, { guest, disks }: Source): void {
  const cloudInit = user !== undefined || ssh_keys !== undefined || password;
  if (gateway !== undefined && ip === undefined) {
    throw new Failure('invalid-input', 'A gateway goes with an address.', 'Give ip too, or leave gateway out.');
  }
  if (guest.kind === 'lxc' && cloudInit) {
    throw new Failure(
      'invalid-input',
      `${guest.label} is a container: user, ssh_keys and password are for the cloud-init of VMs.`,
      'Leave them out; ip and gateway can be given. Keys can be put there with pct_exec.',
    );
  }
  const drive = disks.some(({ volume }) => volume?.includes('cloudinit'));
  if (guest.kind === 'lxc' || drive || !(cloudInit || ip !== undefined)) return;
  throw conflict(
    `${guest.label} has no cloud-init drive, so nothing inside its clone would see user, ssh_keys, password or ip.`,
    'Leave them out, or give the source a drive first: pve_guest_configure with set ide2=STORAGE:cloudinit.',
  );
}

/** What Proxmox VE would refuse, or do otherwise than meant, is told before anything is written. */
export function refuseClone(wish: CloneWish, source: Source): void {
  refuseSource(wish, source);
  refusePlace(wish, source);
  refuseInside(wish, source);
  refuseTwins(wish, source);
}
