import type { Program } from '../proc.ts';

const GiB = 1024 ** 3;

interface Pool {
  readonly name: string;
  readonly total: number;
  readonly used: number;
}

/** A property as `zpool list -Hp -o` writes it. */
const column =
  ({ name, total, used }: Pool) =>
  (property: string): string => {
    const values = { name, size: total, allocated: used, free: total - used, fragmentation: 4, health: 'ONLINE' };
    return String(values[property as keyof typeof values] ?? '-');
  };

/** `zpool list` and `zpool status` over the ZFS storages of the node. */
export const zpool: Program = ([verb, ...rest], { machine, out, err }) => {
  const pools = machine.world.storages
    .filter(({ type }) => type === 'zfspool')
    .map(({ options, name, total, used }) => ({ name: options.pool?.split('/')[0] ?? name, total, used }));
  const columns = rest.includes('-o') ? rest[rest.indexOf('-o') + 1] : undefined;
  const [asked] = rest.filter((arg) => !arg.startsWith('-') && arg !== columns);
  const chosen = pools.filter(({ name }) => asked === undefined || name === asked);
  if (chosen.length === 0) {
    err(asked === undefined ? 'no pools available\n' : `cannot open '${asked}': no such pool\n`);
    return asked === undefined ? 0 : 1;
  }
  if (verb === 'list' && columns !== undefined) {
    for (const pool of chosen) out(`${columns.split(',').map(column(pool)).join('\t')}\n`);
    return 0;
  }
  if (verb === 'list') {
    out('NAME    SIZE  ALLOC   FREE  CKPOINT  EXPANDSZ   FRAG    CAP  DEDUP    HEALTH  ALTROOT\n');
    const size = (bytes: number) => `${Math.round(bytes / GiB)}G`.padStart(5);
    for (const { name, total, used } of chosen) {
      out(
        `${name.padEnd(6)} ${size(total)}  ${size(used)}  ${size(total - used)}        -         -     4%  ${String(Math.round((100 * used) / total)).padStart(4)}%  1.00x    ONLINE  -\n`,
      );
    }
    return 0;
  }
  if (rest.includes('-x')) {
    out('all pools are healthy\n');
    return 0;
  }
  for (const { name } of chosen) {
    out(`  pool: ${name}\n state: ONLINE\n  scan: scrub repaired 0B in 00:41:07 with 0 errors\nconfig:\n\n`);
    out(
      `\tNAME        STATE     READ WRITE CKSUM\n\t${name.padEnd(11)} ONLINE       0     0     0\n\t  mirror-0  ONLINE       0     0     0\n`,
    );
    out(
      '\t    nvme0   ONLINE       0     0     0\n\t    nvme1   ONLINE       0     0     0\n\nerrors: No known data errors\n',
    );
  }
  return 0;
};
