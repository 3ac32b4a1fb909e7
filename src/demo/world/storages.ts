import type { Guest, Storage, Volume } from '../world.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** `2026_11_20-03_20_50`, as backups are named. */
export function stamp(at: number): string {
  const [date, time] = new Date(at).toISOString().slice(0, 19).split('T');
  return `${date?.replaceAll('-', '_')}-${time?.replaceAll(':', '_')}`;
}

/** The volume that a backup of this guest becomes. */
export function backupVolume(storage: Storage, guest: Guest, at: number, format: string, size: number): Volume {
  const name = `vzdump-${guest.kind}-${guest.vmid}-${stamp(at)}.${format}`;
  const pbs = `backup/${guest.kind === 'lxc' ? 'ct' : 'vm'}/${guest.vmid}/${new Date(at).toISOString().slice(0, 19)}Z`;
  return {
    volid: storage.type === 'pbs' ? `${storage.name}:${pbs}` : `${storage.name}:backup/${name}`,
    ...(storage.shared ? {} : { node: guest.node }),
    content: 'backup',
    format: storage.type === 'pbs' ? `pbs-${guest.kind === 'lxc' ? 'ct' : 'vm'}` : format,
    size,
    vmid: guest.vmid,
    ctime: Math.floor(at / 1000),
    subtype: guest.kind,
    config: { ...guest.config },
  };
}

const sizes: Record<string, number> = { K: 1024, M: MiB, G: GiB, T: 1024 * GiB };

/** The disks that the guests' configurations name, on `storage`. */
function guestDisks(storage: string, guests: readonly Guest[], start: number): Volume[] {
  const disks = guests.flatMap((guest) =>
    Object.entries(guest.config).map(([key, value]) => {
      const disk = /^([^:]+):([^,]+),.*size=(\d+)([KMGT])/.exec(String(value));
      if (!/^(rootfs|mp\d+|scsi\d+|virtio\d+|sata\d+|ide\d+)$/.test(key) || disk?.[1] !== storage) return undefined;
      const format = disk[2]?.includes('subvol') ? 'subvol' : disk[2]?.endsWith('.qcow2') ? 'qcow2' : 'raw';
      const volume: Volume = {
        volid: `${disk[1]}:${disk[2]}`,
        ...(storage === 'nas' ? {} : { node: guest.node }),
        content: guest.kind === 'lxc' ? 'rootdir' : 'images',
        format,
        size: Number(disk[3]) * (sizes[disk[4] ?? ''] ?? 1),
        vmid: guest.vmid,
        ctime: Math.floor(start / 1000) - 60 * 86_400,
      };
      return volume;
    }),
  );
  return disks.filter((disk) => disk !== undefined);
}

function files(start: number): Volume[] {
  const ctime = Math.floor(start / 1000) - 90 * 86_400;
  const template = 'local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst';
  return ['pve1', 'pve2'].flatMap((node): Volume[] => [
    { volid: template, node, content: 'vztmpl', format: 'tzst', size: 129 * MiB, ctime },
    { volid: 'local:iso/debian-13.1.0-amd64-netinst.iso', node, content: 'iso', format: 'iso', size: 783 * MiB, ctime },
  ]);
}

/** local, local-lvm and local-zfs on each node; nas (NFS) and pbs (Proxmox Backup Server) shared. */
export function homelabStorages(start: number, guests: readonly Guest[]): Storage[] {
  const local = (name: string, type: Storage['type'], content: Storage['content'], options: Storage['options']) => ({
    name,
    type,
    content,
    shared: false,
    options,
    active: true,
    volumes: guestDisks(name, guests, start),
  });
  const nas = {
    ...local('nas', 'nfs', ['images', 'rootdir', 'backup', 'iso'], {
      server: '192.168.2.5',
      export: '/tank/pve',
      path: '/mnt/pve/nas',
    }),
    shared: true,
  };
  const pbs = {
    ...local('pbs', 'pbs', ['backup'], {
      server: '192.168.2.6',
      datastore: 'homelab',
      username: 'pve@pbs',
      fingerprint: Array(32).fill('3E').join(':'),
    }),
    shared: true,
  };
  const storages: Storage[] = [
    { ...local('local', 'dir', ['backup', 'iso', 'vztmpl'], { path: '/var/lib/vz' }), total: 94 * GiB, used: 21 * GiB },
    {
      ...local('local-lvm', 'lvmthin', ['images', 'rootdir'], { thinpool: 'data', vgname: 'pve' }),
      total: 340 * GiB,
      used: 212 * GiB,
    },
    {
      ...local('local-zfs', 'zfspool', ['images', 'rootdir'], { pool: 'rpool/data', sparse: '1' }),
      total: 900 * GiB,
      used: 301 * GiB,
    },
    { ...nas, total: 7200 * GiB, used: 6700 * GiB },
    { ...pbs, total: 3600 * GiB, used: 1400 * GiB },
  ];
  for (const storage of storages) storage.volumes.push(...backups(storage, guests, start));
  storages[0]?.volumes.push(...files(start));
  return storages;
}

function backups(storage: Storage, guests: readonly Guest[], start: number): Volume[] {
  const of = (vmid: number, hoursAgo: number, format: string, size: number, more: Partial<Volume> = {}): Volume[] => {
    const guest = guests.find((candidate) => candidate.vmid === vmid);
    return guest ? [{ ...backupVolume(storage, guest, start - hoursAgo * 3_600_000, format, size), ...more }] : [];
  };
  if (storage.name === 'local') return of(400, 250, 'tar.zst', 812 * MiB, { notes: 'keycloak', protected: true });
  if (storage.name === 'nas') return of(300, 54, 'vma.zst', 41 * GiB, { notes: 'gitlab' });
  if (storage.name !== 'pbs') return [];
  return [
    ...of(101, 3, '', 2 * GiB),
    ...of(410, 3, '', 38 * GiB, { verified: 'ok' }),
    ...of(410, 27, '', 38 * GiB, { verified: 'failed' }),
    ...of(200, 3, '', 32 * GiB),
  ];
}
