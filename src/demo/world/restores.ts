import type { Config, Guest, Storage, Volume } from '../world.ts';
import { addressFor, macFor } from './lease.ts';
import type { Ground, GuestRef } from './operations.ts';
import { type By, Refusal, type Step, type Task } from './tasks.ts';

export interface RestoreRequest {
  /** The id of the backup. */
  readonly archive: string;
  /** Where the disks go; without it a VM's go where the backup says. */
  readonly storage?: string;
  /** New MAC addresses. */
  readonly unique: boolean;
  /** Overwrites the guest of that id. */
  readonly force: boolean;
  /** Given configuration, over that of the backup. */
  readonly config: Config;
  /** Runs when all is done. */
  readonly after?: () => void;
}

const disk = /^(rootfs|mp\d+|scsi\d+|virtio\d+|sata\d+|efidisk\d+|tpmstate\d+)$/;

/** What Proxmox VE refuses at once (PVE::API2::LXC create_vm, PVE::API2::Qemu create_vm; recording c-restore-exists). */
function checkTaken(guest: Guest | undefined, { node, kind, vmid }: GuestRef, force: boolean): void {
  if (guest === undefined) return;
  const name = kind === 'lxc' ? 'CT' : 'VM';
  if (!force || guest.node !== node || guest.kind !== kind) {
    const taken = `${name} ${vmid} already exists on node '${guest.node}'`;
    throw new Refusal(kind === 'lxc' ? taken : `unable to restore VM ${vmid} - ${taken}`);
  }
  if (guest.status === 'running') {
    throw new Refusal(
      kind === 'lxc' ? "can't overwrite running container" : `unable to restore VM ${vmid} - vm is running`,
    );
  }
  if (guest.config.protection === 1) {
    throw new Refusal(`unable to restore ${name} ${vmid} -${kind === 'lxc' ? '' : ' -'} protection mode enabled`);
  }
}

/** Starts the task that makes a guest from a backup, or makes one of that id anew. */
export function restoreGuest(ground: Ground, ref: GuestRef, request: RestoreRequest, by: By): Task {
  checkTaken(ground.guest(ref.vmid), ref, request.force);
  const { archive } = request;
  const quoted = `'${archive}'`;
  const log: string[] = [];
  const begin: Step = { seconds: 0, log: [`recovering backed-up configuration from ${quoted}`] };
  const unpack: Step = {
    seconds: 20,
    run: () => {
      const backup = ground.storages.flatMap(({ volumes }) => volumes).find(({ volid }) => volid === archive);
      if (backup?.config === undefined) throw new Refusal(`volume '${archive}' does not exist`);
      log.push(...unpacked(ground, ref, request, backup));
    },
    log: () => log,
  };
  const end: Step = { seconds: 0, run: () => request.after?.() };
  const type = ref.kind === 'lxc' ? 'vzrestore' : 'qmrestore';
  return ground.begin({ node: ref.node, type, id: String(ref.vmid), by, steps: [begin, unpack, end] });
}

/** Puts the guest there, whatever was in its place, and tells it as the log of recording c-restore does. */
function unpacked(ground: Ground, ref: GuestRef, request: RestoreRequest, backup: Volume): string[] {
  const old = ground.guest(ref.vmid);
  const { config, log } = withDisks(ground, ref, request, backup.config ?? {});
  const gone = old === undefined ? [] : removeDisks(ground, old);
  const made = restored(ground, ref, backup, { ...config, ...request.config }, request.unique);
  if (old !== undefined) ground.guests.splice(ground.guests.indexOf(old), 1);
  ground.guests.push(made);
  const file = `/var/lib/vz/dump/${request.archive.split('/').at(-1)}`;
  if (ref.kind === 'qemu') return [`restore vma archive: zstd -q -d -c ${file} | vma extract -v -r /var/tmp/vzdumptmp`];
  return [
    ...log,
    ...gone,
    `restoring '${request.archive}' now..`,
    `extracting archive '${file}'`,
    'Total bytes read: 171581440 (164MiB, 21MiB/s)',
    'merging backed-up and given configuration..',
  ];
}

function restored(ground: Ground, ref: GuestRef, backup: Volume, config: Config, unique: boolean): Guest {
  const cards = Object.entries(config).map(([key, value]) => {
    const card = /^net(\d+)$/.exec(key)?.[1];
    const fresh = card !== undefined && unique;
    return [key, fresh ? String(value).replace(/(..:){5}../, macFor(ref.vmid, Number(card))) : value] as const;
  });
  const origin = ground.guest(backup.vmid ?? 0);
  const own: Config = Object.fromEntries(cards.filter(([key]) => key !== 'template'));
  return {
    ...ref,
    status: 'stopped',
    paused: false,
    template: false,
    config: own,
    pending: {},
    snapshots: [],
    startedAt: 0,
    pid: 4000 + ref.vmid,
    address: addressFor(own, ref.vmid),
    mac: macFor(ref.vmid),
    os: origin?.os ?? 'Debian GNU/Linux 13 (trixie)',
    agent: origin?.agent ?? false,
    load: origin?.load ?? { cpu: 0.02, memory: 90 * 1024 ** 2, disk: 700 * 1024 ** 2 },
    services: (origin?.services ?? []).map((unit) => ({ ...unit, state: 'dead' })),
    docker: [],
    journal: [],
  };
}

/** A volume for each disk of the backup, on the wanted storage; without one a container's go to `local`. */
function withDisks(ground: Ground, ref: GuestRef, { storage: wanted }: RestoreRequest, from: Config) {
  const config: Config = {};
  const log: string[] = [];
  for (const [key, value] of Object.entries(from)) {
    const parts = /^([^:]+):[^,]+((?:,[^,]+)*)$/.exec(String(value));
    if (!disk.test(key) || parts === null) {
      config[key] = value;
      continue;
    }
    const name = wanted ?? (ref.kind === 'lxc' ? 'local' : (parts[1] ?? ''));
    const storage = ground.storages.find((one) => one.name === name);
    if (storage === undefined) throw new Refusal(`storage '${name}' does not exist`);
    if (ref.kind === 'lxc' && !storage.content.includes('rootdir')) {
      throw new Refusal(`storage '${name}' does not support container directories`);
    }
    const volume = makeVolume(storage, ref, String(value), ground.now());
    storage.volumes.push(volume);
    config[key] = `${volume.volid}${parts[2]}`;
    log.push(...creation(storage, volume));
  }
  return { config, log };
}

const units: Readonly<Record<string, number>> = { M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

function makeVolume(storage: Storage, { node, kind, vmid }: GuestRef, value: string, now: number): Volume {
  const taken = (n: number) => storage.volumes.some(({ volid }) => volid.includes(`-${vmid}-disk-${n}`));
  let n = 0;
  while (taken(n)) n++;
  const word = storage.type === 'zfspool' && kind === 'lxc' ? 'subvol' : 'vm';
  const name = `${word}-${vmid}-disk-${n}`;
  const file = storage.type === 'dir' || storage.type === 'nfs' ? `${vmid}/${name}.raw` : name;
  const [, size = '4', unit = 'G'] = /size=(\d+)([MGT])/.exec(value) ?? [];
  return {
    volid: `${storage.name}:${file}`,
    ...(storage.shared ? {} : { node }),
    content: kind === 'lxc' ? 'rootdir' : 'images',
    format: word === 'subvol' ? 'subvol' : 'raw',
    size: Number(size) * (units[unit] ?? 1),
    vmid,
    ctime: Math.floor(now / 1000),
  };
}

function creation(storage: Storage, { volid, size }: Volume): string[] {
  if (storage.type !== 'lvmthin') return [];
  const name = volid.split(':')[1];
  const blocks = size / 4096;
  const groups = [1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343].map((group) => group * 32_768);
  return [
    `  Logical volume "${name}" created.`,
    `  Logical volume pve/${name} changed.`,
    `Creating filesystem with ${blocks} 4k blocks and ${blocks / 4} inodes`,
    'Filesystem UUID: f7cef838-611d-48fb-b66b-c6205744a2d1',
    'Superblock backups stored on blocks: ',
    `\t${groups.filter((block) => block < blocks).join(', ')}`,
  ];
}

/** The disks of the guest that is overwritten. */
function removeDisks(ground: Ground, guest: Guest): string[] {
  const values = Object.entries(guest.config).filter(([key]) => disk.test(key));
  return values.flatMap(([, value]) => {
    const volid = String(value).split(',')[0] ?? '';
    for (const { volumes } of ground.storages) {
      const at = volumes.findIndex((volume) => volume.volid === volid);
      if (at >= 0) volumes.splice(at, 1);
    }
    return volid.startsWith('local-lvm:') ? [`  Logical volume "${volid.split(':')[1]}" successfully removed.`] : [];
  });
}
