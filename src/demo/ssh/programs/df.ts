import { guestVitals } from '../../world.ts';
import type { Machine } from '../machine.ts';
import { type Process, wait } from '../proc.ts';

/** A file system of a machine, as mount(8) and df(1) have it; bytes. */
export interface Disk {
  readonly device: string;
  readonly folder: string;
  readonly type: string;
  readonly total: number;
  readonly used: number;
  /** Its server is gone: who asks about it waits for ever. */
  readonly silent?: boolean;
}

/** What is mounted: the root, and on a node /etc/pve and the shares of the datacentre. */
export function disksOf({ guest, node, world }: Machine): Disk[] {
  if (guest) {
    const total = Number(/size=(\d+)G/.exec(String(guest.config.rootfs ?? guest.config.scsi0))?.[1] ?? 8) * 1024 ** 3;
    const device = guest.kind === 'lxc' ? `/dev/mapper/pve-vm--${guest.vmid}--disk--0` : '/dev/sda1';
    const used = guestVitals(guest, world.now()).disk || total / 4;
    return [{ device, folder: '/', type: 'ext4', total, used }];
  }
  const shares = world.storages.filter(({ type, active }) => type === 'nfs' && active);
  return [
    { device: '/dev/mapper/pve-root', folder: '/', type: 'ext4', ...node.rootfs },
    { device: '/dev/fuse', folder: '/etc/pve', type: 'fuse', total: 128 * 1024 ** 2, used: 48 * 1024 },
    ...shares.map(({ name, options, total, used }) => {
      const device = `${options.server ?? 'nas'}:${options.export ?? `/${name}`}`;
      const silent = world.switches.offline.has(name);
      return { device, folder: `/mnt/pve/${name}`, type: 'nfs4', total, used, silent };
    }),
  ];
}

/** `df [-h] [-P] [-k] [-i] [FOLDER]…`. */
export async function df(args: readonly string[], proc: Process): Promise<number> {
  const { machine, out, err } = proc;
  const flags = args.filter((arg) => /^-\w/.test(arg)).join('');
  const asked = args.filter((arg) => !arg.startsWith('-'));
  const all = disksOf(machine);
  const found = asked.map((folder) => all.find((disk) => disk.folder === folder) ?? all[0]);
  const disks = asked.length > 0 ? found.filter((disk) => disk !== undefined) : all;
  if (disks.length === 0) {
    err('df: no file systems processed\n');
    return 1;
  }
  if (disks.some(({ silent }) => silent)) {
    await wait(Number.POSITIVE_INFINITY, proc);
    return 1;
  }
  const header = flags.includes('i') ? ['Inodes', 'IUsed', 'IFree', 'IUse%'] : heads(flags);
  const width = 26;
  const row = (device: string, cells: readonly string[], folder: string) =>
    `${device.padEnd(width)} ${cells.map((cell, i) => cell.padStart(i === 3 ? 8 : 11)).join(' ')} ${folder}\n`;
  out(row('Filesystem', header, 'Mounted on'));
  for (const disk of disks) out(row(disk.device, cellsOf(disk, flags), disk.folder));
  return 0;
}

const heads = (flags: string): string[] =>
  flags.includes('P')
    ? ['1024-blocks', 'Used', 'Available', 'Capacity']
    : [flags.includes('h') ? 'Size' : '1K-blocks', 'Used', 'Avail', 'Use%'];

/** How many inodes a file system has for its size, as mke2fs makes them. */
const BYTES_PER_INODE = 16_384;

function cellsOf({ total, used }: Disk, flags: string): string[] {
  const divisor = flags.includes('i') ? BYTES_PER_INODE : 1024;
  const shown = (bytes: number) => (flags.includes('h') ? human(bytes) : String(Math.floor(bytes / divisor)));
  const taken = flags.includes('i') ? used / 20 : used;
  return [shown(total), shown(taken), shown(total - taken), `${Math.ceil((100 * taken) / total)}%`];
}

function human(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)}${'BKMGT'[power]}`;
}
