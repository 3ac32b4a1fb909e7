import { type RemoteText, remote } from '../../present/answer.ts';
import { bytes, count, percent, usage } from '../format.ts';
import { linesOf, type Parts, partOf, type Seen } from './metrics-seen.ts';

const FULL = 0.9;
/** From when on the inodes of a file system are told. */
const INODES_TOLD = 0.8;
const DISKS_SHOWN = 20;
const SENTENCES = 10;

interface Row {
  readonly device: string;
  readonly folder: string;
  readonly used: number;
  readonly free: number;
}

/** Rows of `df -P`; a file system that does not count (inodes of btrfs and ZFS) has none. */
const rowsOf = (lines: readonly string[]): Row[] =>
  lines.flatMap((line) => {
    const [, device = '', used, free, folder = ''] = /^(.*?) +\d+ +(\d+) +(\d+) +\d+% +(\/.*)$/.exec(line) ?? [];
    return used === undefined ? [] : [{ device, folder, used: Number(used), free: Number(free) }];
  });

/** As df counts it: what only root may use is no space. */
const share = ({ used, free }: Row): number => (used + free > 0 ? used / (used + free) : 0);

interface Disk extends Row {
  /** Share of the inodes that are used. */
  readonly inodes: number;
}

function disksOf(parts: Parts): Disk[] {
  const inodes = new Map(rowsOf(linesOf(parts, 'inodes')).map((row) => [row.folder, share(row)]));
  return [...rowsOf(linesOf(parts, 'disks')), ...rowsOf(linesOf(parts, 'far'))]
    .map((row) => ({ ...row, inodes: inodes.get(row.folder) ?? 0 }))
    .sort((a, b) => Math.max(share(b), b.inodes) - Math.max(share(a), a.inodes));
}

const line = (disk: Disk): string => {
  const space = usage(disk.used * 1024, (disk.used + disk.free) * 1024) ?? '0 B';
  return `${disk.folder} on ${disk.device}: ${space}${disk.inodes >= INODES_TOLD ? `, inodes ${percent(disk.inodes)}` : ''}`;
};

const sentences = (disk: Disk): RemoteText[] => [
  ...(share(disk) >= FULL
    ? [remote(`${disk.folder} is ${percent(share(disk))} full, ${bytes(disk.free * 1024)} free.`)]
    : []),
  ...(disk.inodes >= FULL ? [remote(`${disk.folder} has used ${percent(disk.inodes)} of its inodes.`)] : []),
];

/** File systems, fullest first; those of the network that did not answer are named. */
export function disksSeen(parts: Parts): Seen {
  const disks = disksOf(parts);
  const silent = linesOf(parts, 'far').flatMap((line) => /^silent (.*)$/.exec(line)?.[1] ?? []);
  return {
    facts: {
      disks: disks.length > 0 ? remote(disks.slice(0, DISKS_SHOWN).map(line).join('\n')) : undefined,
      disks_not_shown: Math.max(0, disks.length - DISKS_SHOWN) || undefined,
    },
    attention: [
      ...(parts.has('disksilent') ? ['The local file systems do not answer: a disk may have failed.'] : []),
      ...silent.map((folder) => remote(`${folder} is on a network file system that does not answer.`)),
      ...disks.flatMap(sentences),
    ].slice(0, SENTENCES),
  };
}

interface Pool {
  readonly name: string;
  readonly size: number;
  readonly used: number;
  readonly fragmented: string;
  readonly health: string;
}

/** Rows of `zpool list -Hp`, whose columns are between tabs. */
const poolsOf = (parts: Parts): Pool[] =>
  linesOf(parts, 'pools').flatMap((line) => {
    const [name = '', size, used, fragmented = '-', health] = line.split('\t');
    return health === undefined ? [] : [{ name, size: Number(size), used: Number(used), fragmented, health }];
  });

/** ZFS pools, where the login may see them. */
export function poolsSeen(parts: Parts): Seen {
  const pools = poolsOf(parts);
  const full = ({ size, used }: Pool) => size > 0 && used / size >= FULL;
  const rows = pools.map(({ name, size, used, fragmented, health }) => {
    const pieces = /^\d+%?$/.test(fragmented) ? `, ${fragmented.replace('%', '')} % fragmented` : '';
    return `${name}: ${health}, ${usage(used, size) ?? 'size unknown'}${pieces}`;
  });
  const status = partOf(parts, 'poolstatus').trim();
  const ill = status !== '' && !/^(all pools are healthy|no pools available)$/.test(status);
  return {
    facts: {
      zfs_pools: rows.length > 0 ? remote(rows.join('\n')) : undefined,
      zfs_status: ill ? remote(status) : undefined,
    },
    attention: [
      ...(parts.has('poolsilent') ? ['ZFS does not answer: a pool may be suspended.'] : []),
      ...pools
        .filter(({ health }) => health !== 'ONLINE')
        .map((pool) => remote(`ZFS pool ${pool.name} is ${pool.health}.`)),
      ...pools.filter(full).map((pool) => remote(`ZFS pool ${pool.name} is ${percent(pool.used / pool.size)} full.`)),
      ...(ill && pools.every(({ health }) => health === 'ONLINE')
        ? [`ZFS reports trouble with ${count(pools.length, 'pool')}: see zfs_status.`]
        : []),
    ].slice(0, SENTENCES),
  };
}
