import { bytes, duration, percent, usage } from '../format.ts';
import { linesOf, type Parts, partOf, type Seen } from './metrics-seen.ts';

/** Two looks at the counters of /proc, and the seconds between them. */
export interface Samples {
  readonly first: string;
  readonly second: string;
  readonly seconds: number;
  readonly uptime: number;
}

const uptimeOf = (sample: string): number => Number(/^([\d.]+) [\d.]+$/m.exec(sample)?.[1]);

/** The samples; undefined of a host that has no /proc to tell them. */
export function samplesOf(parts: Parts): Samples | undefined {
  const [first = '', second = ''] = parts.get('sample') ?? [];
  const uptime = uptimeOf(second);
  const seconds = uptime - uptimeOf(first);
  return seconds > 0 ? { first, second, seconds, uptime } : undefined;
}

interface Ticks {
  readonly total: number;
  readonly idle: number;
  readonly iowait: number;
  readonly steal: number;
}

/** The first eight columns count each tick once; those of guests are in user and nice already (proc_stat(5)). */
function ticksOf(sample: string): Ticks {
  const columns = (/^cpu +([\d ]+)/m.exec(sample)?.[1] ?? '').split(' ').map(Number).slice(0, 8);
  const [, , , idle = 0, iowait = 0, , , steal = 0] = columns;
  return { total: columns.reduce((sum, each) => sum + each, 0), idle, iowait, steal };
}

export interface Cpu {
  /** Shares of all of its CPUs, 0 to 1. */
  readonly used: number;
  readonly iowait: number;
  readonly steal: number;
  readonly cores: number;
}

/** What the CPUs did between the samples; undefined when they did not count. */
export function cpuOf({ first, second }: Samples): Cpu | undefined {
  const [before, after] = [ticksOf(first), ticksOf(second)];
  const total = after.total - before.total;
  if (!(total > 0)) return undefined;
  const share = (key: keyof Ticks) => Math.min(1, Math.max(0, after[key] - before[key]) / total);
  const cores = second.match(/^cpu\d/gm)?.length ?? 1;
  return {
    used: Math.max(0, 1 - share('idle') - share('iowait')),
    iowait: share('iowait'),
    steal: share('steal'),
    cores,
  };
}

const STOLEN = 0.1;
const WAITING = 0.3;

export function cpuSeen(parts: Parts, samples: Samples): Seen {
  const cpu = cpuOf(samples);
  const [one, five, fifteen] = partOf(parts, 'load').split(' ', 3).map(Number);
  const loads = [one, five, fifteen].filter((each) => each !== undefined && Number.isFinite(each));
  const busy = cpu !== undefined && five !== undefined && five > cpu.cores;
  return {
    facts: {
      uptime: duration(samples.uptime),
      cpu: cpu && {
        used: `${percent(cpu.used)} of ${cpu.cores}`,
        iowait: percent(cpu.iowait),
        steal: percent(cpu.steal),
      },
      load_1_5_15_min: loads.length === 3 ? loads.join(', ') : undefined,
    },
    attention: [
      ...(busy ? [`The load of the last 5 minutes is ${five}, and there ${coresAre(cpu.cores)}.`] : []),
      ...(cpu && cpu.iowait >= WAITING ? [`The CPUs wait for disks ${percent(cpu.iowait)} of the time.`] : []),
      ...(cpu && cpu.steal >= STOLEN ? [`${percent(cpu.steal)} of the CPU time is taken by its host.`] : []),
    ],
  };
}

const coresAre = (cores: number): string => (cores === 1 ? 'is 1 core' : `are ${cores} cores`);

export interface Memory {
  /** Bytes. */
  readonly total: number;
  readonly used: number;
}

const FULL = 0.9;
const SWAPPED = 0.75;

const kibibytes = (text: string, key: string): number | undefined => {
  const found = new RegExp(`^${key}: +(\\d+) kB$`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
};

/** Used is what is not available; a kernel before 3.14 does not tell what is. */
export function memoryOf(parts: Parts): Memory | undefined {
  const part = partOf(parts, 'memory');
  const of = (key: string) => kibibytes(part, key) ?? 0;
  const total = of('MemTotal');
  const available = kibibytes(part, 'MemAvailable') ?? of('MemFree') + of('Buffers') + of('Cached');
  return total > 0 ? { total, used: Math.max(0, total - available) } : undefined;
}

/** What ZFS keeps in memory, and gives back when others want it; the kernel counts that as used. */
function zfsCacheOf(parts: Parts): { readonly size: number; readonly least: number } {
  const of = (key: string) => Number(new RegExp(`^${key} +\\d+ +(\\d+)$`, 'm').exec(partOf(parts, 'arc'))?.[1] ?? 0);
  return { size: of('size'), least: of('c_min') };
}

export function memorySeen(parts: Parts): Seen {
  const memory = memoryOf(parts);
  if (!memory) return { facts: {}, attention: [] };
  const of = (key: string) => kibibytes(partOf(parts, 'memory'), key) ?? 0;
  const swap = of('SwapTotal');
  const swapped = swap - of('SwapFree');
  const zfs = zfsCacheOf(parts);
  const held = memory.used - Math.max(0, zfs.size - zfs.least);
  return {
    facts: {
      memory: {
        used: usage(memory.used, memory.total),
        cache: bytes(of('Buffers') + of('Cached') + of('SReclaimable')),
        zfs_cache: zfs.size > 0 ? bytes(zfs.size) : undefined,
        swap: usage(swapped, swap),
      },
    },
    attention: [
      ...(held / memory.total >= FULL ? [`${percent(held / memory.total)} of the memory is used.`] : []),
      ...(swap > 0 && swapped / swap >= SWAPPED ? [`${percent(swapped / swap)} of the swap is used.`] : []),
    ],
  };
}

/** Shares of the last minute in which something waited that are worth a look, and how that is said. */
const waits: Readonly<Record<string, { readonly from: number; readonly what: string }>> = {
  cpu: { from: 0.5, what: 'for a CPU' },
  io: { from: 0.3, what: 'for disks' },
  memory: { from: 0.1, what: 'for memory' },
};

/** Pressure stall information of the kernel (Documentation/accounting/psi.rst): the share in which some task waited. */
export function pressureSeen(parts: Parts): Seen {
  const rows = linesOf(parts, 'pressure').flatMap((line) => {
    const [, what = '', now, minute] = /^\/proc\/pressure\/(\w+):some avg10=([\d.]+) avg60=([\d.]+) /.exec(line) ?? [];
    return now === undefined ? [] : [{ what, now: Number(now) / 100, minute: Number(minute) / 100 }];
  });
  const told = rows.map(({ what, now, minute }) => [what, `${percent(now)} in 10 s, ${percent(minute)} in 60 s`]);
  return {
    facts: { waiting: rows.length > 0 ? Object.fromEntries(told) : undefined },
    attention: rows
      .filter(({ what, minute }) => minute >= (waits[what]?.from ?? 1))
      .map(({ what, minute }) => `Tasks waited ${waits[what]?.what} in ${percent(minute)} of the last minute.`),
  };
}
