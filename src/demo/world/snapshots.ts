import type { Guest } from '../world.ts';
import { unschedule } from './jobs.ts';
import { checkLock, checkQuorum, type Ground, type GuestRef } from './operations.ts';
import { powerOperations, turnOff, turnOn } from './power.ts';
import { type By, Refusal, type Step, type Task } from './tasks.ts';

export interface Snapshots {
  takeSnapshot(ref: GuestRef, name: string, description: string, vmstate: boolean, by: By): Task;
  deleteSnapshot(ref: GuestRef, name: string, by: By): Task;
  /** With `startAfter` the start is a task of its own, begun when this one is done (PVE::API2::LXC::Snapshot). */
  rollBack(ref: GuestRef, name: string, startAfter: boolean, by: By): Task;
  /** Deletes the guest, its disks and its snapshots, with `purge` from backup jobs too; backups stay. */
  destroy(ref: GuestRef, purge: boolean, by: By): Task;
}

const types = {
  lxc: { take: 'vzsnapshot', remove: 'vzdelsnapshot', back: 'vzrollback', destroy: 'vzdestroy' },
  qemu: { take: 'qmsnapshot', remove: 'qmdelsnapshot', back: 'qmrollback', destroy: 'qmdestroy' },
} as const;

export function snapshotOperations(ground: Ground, at: (ref: GuestRef) => Guest): Snapshots {
  /** A task that holds `lock` in the configuration while it works, after `check`. */
  const locked = (
    ref: GuestRef,
    what: keyof (typeof types)['lxc'],
    lock: string,
    by: By,
    check: (guest: Guest) => void,
    work: readonly Step[],
    after = (): void => undefined,
  ): Task => {
    const first: Step = {
      seconds: 0,
      run: () => {
        const guest = at(ref);
        checkLock(guest);
        check(guest);
        checkQuorum(ground, guest);
        guest.lock = lock;
      },
    };
    const last: Step = {
      seconds: 0,
      run: () => {
        releaseLock(ground, ref.vmid);
        after();
      },
    };
    return ground.begin({
      node: ref.node,
      type: types[ref.kind][what],
      id: String(ref.vmid),
      by,
      steps: [first, ...work, last],
    });
  };
  return {
    takeSnapshot(ref, name, description, vmstate, by) {
      checkReserved(name);
      const check = (guest: Guest) => {
        if (guest.snapshots.some((snapshot) => snapshot.name === name))
          throw new Refusal(`snapshot name '${name}' already used`);
      };
      const log = snapshotLog(ground.guest(ref.vmid), name);
      const run = () => addSnapshot(at(ref), name, description, vmstate, ground.now());
      return locked(ref, 'take', 'snapshot', by, check, [{ seconds: 2, run, log }]);
    },
    deleteSnapshot(ref, name, by) {
      const run = () => dropSnapshot(at(ref), name);
      return locked(ref, 'remove', 'snapshot-delete', by, (guest) => void find(guest, name), [{ seconds: 2, run }]);
    },
    rollBack(ref, name, startAfter, by) {
      const run = () => {
        const { vmstate } = restore(at(ref), name);
        if (vmstate) turnOn(at(ref), ground.now());
      };
      const start = () => {
        if (startAfter && at(ref).status !== 'running') powerOperations(ground, at).power(ref, 'start', by);
      };
      const check = (guest: Guest) => checkNewest(guest, name);
      return locked(ref, 'back', 'rollback', by, check, [{ seconds: 4, run }], start);
    },
    destroy(ref, purge, by) {
      checkDestroy(at(ref));
      const log = logicalVolumes(at(ref)).map((name) => `  Logical volume "${name}" successfully removed.`);
      const run = () => {
        remove(ground, at(ref));
        if (purge) unschedule(ground.backupJobs, ref.vmid);
      };
      return locked(ref, 'destroy', 'destroyed', by, () => undefined, [{ seconds: 3, run, log }]);
    },
  };
}

function checkReserved(name: string): void {
  if (name === 'current' || name === 'pending' || name === 'vzdump') {
    throw new Refusal(`unable to use snapshot name '${name}' (reserved name)`);
  }
}

function find(guest: Guest, name: string) {
  const snapshot = guest.snapshots.find((candidate) => candidate.name === name);
  if (snapshot === undefined) throw new Refusal(`snapshot '${name}' does not exist`);
  return snapshot;
}

function snapshotLog(guest: Guest | undefined, name: string): string[] {
  if (guest === undefined) return [];
  const disk = String(guest.config.rootfs ?? guest.config.scsi0).split(',')[0] ?? '';
  if (guest.kind === 'qemu') return [`snapshotting 'drive-scsi0' (${disk})`];
  return disk.startsWith('local-lvm') ? [`  Logical volume "snap_${disk.split(':')[1]}_${name}" created.`] : [];
}

function addSnapshot(guest: Guest, name: string, description: string, vmstate: boolean, now: number): void {
  guest.snapshots.push({
    name,
    description,
    snaptime: Math.floor(now / 1000),
    ...(guest.parent === undefined ? {} : { parent: guest.parent }),
    vmstate: vmstate && guest.status === 'running',
    running: guest.status === 'running',
    config: { ...guest.config },
  });
  guest.parent = name;
}

function dropSnapshot(guest: Guest, name: string): void {
  const gone = find(guest, name);
  guest.snapshots = guest.snapshots
    .filter((snapshot) => snapshot !== gone)
    .map((snapshot) => (snapshot.parent === name ? { ...snapshot, parent: gone.parent } : snapshot));
  if (guest.parent === name) guest.parent = gone.parent;
}

/** ZFS goes back to its newest snapshot only (PVE::Storage::ZFSPoolPlugin, volume_rollback_is_possible). */
function checkNewest(guest: Guest, name: string): void {
  const wanted = find(guest, name);
  const disk = /^local-zfs:([^,]+)/.exec(String(guest.config.rootfs ?? guest.config.scsi0))?.[0];
  if (disk !== undefined && guest.snapshots.at(-1) !== wanted) {
    throw new Refusal(`can't rollback, '${name}' is not most recent snapshot on '${disk}'`);
  }
}

/** A running guest is stopped by a rollback; only one whose memory was saved runs afterwards by itself. */
function restore(guest: Guest, name: string) {
  const snapshot = find(guest, name);
  guest.config = { ...snapshot.config };
  guest.pending = {};
  guest.parent = name;
  turnOff(guest);
  return snapshot;
}

const logicalVolumes = (guest: Guest): string[] =>
  Object.values(guest.config).flatMap((value) => /^local-lvm:([^,]+),/.exec(String(value))?.[1] ?? []);

function checkDestroy(guest: Guest): void {
  const what = guest.kind === 'lxc' ? 'CT' : 'VM';
  if (guest.config.protection === 1) throw new Refusal(`can't remove ${what} ${guest.vmid} - protection mode enabled`);
  if (guest.status !== 'running') return;
  if (guest.kind === 'qemu') throw new Refusal(`VM ${guest.vmid} is running - destroy failed`);
  throw new Refusal(`unable to destroy CT ${guest.vmid} - container is running`);
}

function remove(ground: Ground, guest: Guest): void {
  ground.guests.splice(ground.guests.indexOf(guest), 1);
  for (const storage of ground.storages) {
    const rest = storage.volumes.filter((volume) => volume.vmid !== guest.vmid || volume.content === 'backup');
    storage.volumes.splice(0, storage.volumes.length, ...rest);
  }
}

/** The lock goes; a destroyed guest has none to release. */
export function releaseLock(ground: Ground, vmid: number): void {
  const guest = ground.guest(vmid);
  if (guest) guest.lock = undefined;
}
