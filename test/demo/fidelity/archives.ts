import type { World } from '../../../src/demo/world.ts';
import { container, situation } from './lab.ts';
import type { Replay } from './replays.ts';

const { volume, add, jobs } = situation;

const backup = 'local:backup/vzdump-lxc-100-2026_11_20-03_20_50.tar.zst';

/** Container 100 as the backup of the recordings holds it. */
const full = volume(backup, {
  vmid: 100,
  config: {
    arch: 'amd64',
    cores: 1,
    cpulimit: 1,
    features: 'nesting=1',
    hostname: 'renamed',
    memory: 256,
    nameserver: '1.1.1.1',
    net0: 'name=eth0,bridge=vmbr0,hwaddr=BC:24:11:7C:2E:6C,ip=10.0.2.50/24,type=veth',
    ostype: 'debian',
    rootfs: 'local-lvm:vm-100-disk-0,size=1G',
    swap: 512,
    unprivileged: 1,
  },
});

const backedUp = (world: World): void => {
  const volumes = world.storage('local')?.volumes ?? [];
  volumes.splice(0, volumes.length, ...volumes.filter(({ volid }) => volid !== backup));
  full(world);
};

/** The disk of container 103. */
const disk103 = (world: World): void => {
  const disk = { node: 'pve1', content: 'rootdir', format: 'raw', size: 1, ctime: 1, vmid: 103 } as const;
  world.storage('local-lvm')?.volumes.push({ volid: 'local-lvm:vm-103-disk-0', ...disk });
};

/** The name that container 100 had by then. */
const renamed = (world: World): void => {
  Object.assign(world.guest(100)?.config ?? {}, { hostname: 'renamed' });
};

const all =
  (...edits: readonly ((world: World) => void)[]) =>
  (world: World): void => {
    for (const edit of edits) edit(world);
  };

const job = {
  id: '07a8ad0c-3406-4c7d-8da8-30557555873d',
  enabled: true,
  schedule: 'mon..fri 02:00',
  nextRun: 1_795_399_200,
  storage: 'local',
  mode: 'snapshot',
  vmid: '100',
} as const;

/** Backups, restores, backup jobs and downloads. */
export const archives: Record<string, Replay> = {
  'c-extractconfig': { prepare: backedUp },
  'c-restore': { prepare: backedUp, task: true },
  'c-restore-exists': { prepare: all(backedUp, add(container(103))) },
  'c-restore-force': { prepare: all(backedUp, add(container(103)), disk103), task: true },
  'c-vzdump': { prepare: renamed, task: true },
  'c-vzdump-snap': { prepare: renamed, task: true },
  'd-vm-vzdump': {},
  'd-vm-vzdump-off': {},
  'd-cancel': { prepare: renamed, task: true },
  'c-dlquery': {},
  'c-dlurl': { task: true },
  'c-jobs': { prepare: jobs(job) },
};
