import type { Guest } from '../world.ts';

export type BackupMode = 'snapshot' | 'suspend' | 'stop';

/** One guest's backup, as its log tells it. */
export interface Told {
  readonly guest: Guest;
  /** What is done: a guest that does not run is backed up in mode stop, whatever was asked for. */
  readonly mode: BackupMode;
  readonly running: boolean;
  /** Epoch milliseconds. */
  readonly begun: number;
  /** The file, or the group on a backup server. */
  readonly archive: string;
  readonly notes: boolean;
}

const clock = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');

/** What is on a disk of LVM is read from a snapshot that has a name of its own. */
const volumesOf = ({ config }: Guest): string[] =>
  Object.entries(config).flatMap(([key, value]) => {
    const volume = /^local-lvm:([^,]+)/.exec(String(value))?.[1];
    return volume !== undefined && /^(rootfs|mp\d+)$/.test(key) ? [volume] : [];
  });

const mounts = ({ config }: Guest): string[] =>
  Object.entries(config).flatMap(([key, value]) => {
    const path = key === 'rootfs' ? '/' : /^mp\d+$/.test(key) ? /mp=([^,]+)/.exec(String(value))?.[1] : undefined;
    return path === undefined ? [] : [`INFO: including mount point ${key} ('${path}') in backup`];
  });

/** Up to where the archive is begun; a container's snapshot has to be made first (recordings c-vzdump, c-vzdump-snap). */
export function openingLines({ guest, mode, running, begun }: Told, failure: string | undefined): string[] {
  const name = `INFO: ${guest.kind === 'lxc' ? 'CT' : 'VM'} Name: ${guest.config.hostname ?? guest.config.name}`;
  const how = [`INFO: backup mode: ${mode}`, 'INFO: ionice priority: 7'];
  const what = [name, ...(guest.kind === 'lxc' ? mounts(guest) : [])];
  const head = [
    `INFO: Starting Backup of VM ${guest.vmid} (${guest.kind})`,
    `INFO: Backup started at ${clock(begun)}`,
    `INFO: status = ${running ? 'running' : 'stopped'}`,
  ];
  if (failure !== undefined) {
    return [
      ...head,
      ...how,
      `ERROR: Backup of VM ${guest.vmid} failed - ${failure}`,
      `INFO: Failed at ${clock(begun)}`,
    ];
  }
  if (mode !== 'snapshot' || guest.kind === 'qemu') {
    return [...head, ...how, ...what, ...(mode === 'stop' && running ? ['INFO: stopping virtual guest'] : [])];
  }
  const made = volumesOf(guest).map((volume) => `  Logical volume "snap_${volume}_vzdump" created.`);
  return [...head, ...what, ...how, "INFO: create storage snapshot 'vzdump'", ...made];
}

export const archiveLines = ({ archive }: Told): string[] => [
  `INFO: creating vzdump archive '${archive}'`,
  'INFO: Total bytes written: 859832320 (820MiB, 54MiB/s)',
  'INFO: archive file size: 820MB',
];

export function closingLines({ guest, mode, running, begun, notes }: Told, seconds: number): string[] {
  const gone = volumesOf(guest).map((volume) => `  Logical volume "snap_${volume}_vzdump" successfully removed.`);
  const cleanup =
    mode === 'snapshot' && guest.kind === 'lxc' ? ["INFO: cleanup temporary 'vzdump' snapshot", ...gone] : [];
  const again =
    mode === 'stop' && running ? ['INFO: restarting vm', `INFO: guest is online again after ${seconds} seconds`] : [];
  const took = `00:00:${String(seconds).padStart(2, '0')}`;
  return [
    ...(notes ? ['INFO: adding notes to backup'] : []),
    ...again,
    ...cleanup,
    `INFO: Finished Backup of VM ${guest.vmid} (${took})`,
    `INFO: Backup finished at ${clock(begun + seconds * 1000)}`,
  ];
}
