import { remote } from '../../present/answer.ts';
import { bytes, count, percent } from '../format.ts';
import { memoryOf, type Samples } from './metrics-load.ts';
import { linesOf, type Parts, partOf, type Seen } from './metrics-seen.ts';

const INTERFACES_SHOWN = 10;
/** Ticks a second in which the kernel counts CPU time for programs (USER_HZ, proc_pid_stat(5)). */
const TICKS = 100;

interface Counters {
  readonly in: number;
  readonly out: number;
  readonly errors: number;
  readonly drops: number;
}

/** Rows of /proc/net/dev: eight columns for what came, eight for what went. */
function countersOf(sample: string): Map<string, Counters> {
  const rows = sample.split('\n').flatMap((line) => {
    const [, name = '', numbers] = /^ *(\S+): *((?:\d+ *){16})$/.exec(line) ?? [];
    const column = (numbers ?? '').trim().split(/ +/).map(Number);
    const of = (i: number) => column[i] ?? 0;
    const counters = { in: of(0), out: of(8), errors: of(2) + of(10), drops: of(3) + of(11) };
    return numbers === undefined || name === 'lo' ? [] : [[name, counters] as const];
  });
  return new Map(rows);
}

const trouble = ({ errors, drops }: Counters): string => {
  const seen = [...(errors > 0 ? [count(errors, 'error')] : []), ...(drops > 0 ? [count(drops, 'drop')] : [])];
  return seen.length > 0 ? `; ${seen.join(' and ')} in all` : '';
};

/** What the interfaces carried between the samples, the busiest first; one that never carried anything is left out. */
export function networkSeen({ first, second, seconds }: Samples): Seen {
  const before = countersOf(first);
  const rows = [...countersOf(second)]
    .filter(([, now]) => now.in + now.out > 0)
    .map(([name, now]) => {
      const was = before.get(name) ?? now;
      const rate = (key: 'in' | 'out') => Math.max(0, now[key] - was[key]) / seconds;
      return { name, now, in: rate('in'), out: rate('out') };
    })
    .sort((a, b) => b.in + b.out - a.in - a.out);
  const shown = rows.slice(0, INTERFACES_SHOWN);
  const line = (row: (typeof rows)[number]) =>
    `${row.name}: ${bytes(Math.round(row.in))}/s in, ${bytes(Math.round(row.out))}/s out${trouble(row.now)}`;
  return {
    facts: {
      network: rows.length > 0 ? remote(shown.map(line).join('\n')) : undefined,
      network_not_shown: rows.length - shown.length || undefined,
    },
    attention: [],
  };
}

/** Lines of `/proc/PID`, a separator and a text, by the id. */
const byId = (lines: readonly string[], pattern: RegExp): Map<string, string> =>
  new Map(
    lines.flatMap((line) => [pattern.exec(line)].flatMap((found) => (found ? [[found[1] ?? '', found[2] ?? '']] : []))),
  );

/** The guest that a process of a node belongs to, as a target: its control group is named after it (cgroup v2). */
const guestOf = (group: string): string | undefined => {
  const [, ct, vm] = /^\/(?:lxc(?:\.monitor)?\/(\d+)|qemu\.slice\/(\d+)\.scope)(?:\/|$)/.exec(group) ?? [];
  return ct ? `ct/${ct}` : vm ? `vm/${vm}` : undefined;
};

/** The processes that had most CPU time between the samples (100 % is one core), and most memory. */
export function processesSeen(parts: Parts, { seconds }: Samples): Seen {
  const owners = byId(linesOf(parts, 'owners'), /^\/proc\/(\d+) (.*)$/);
  const groups = byId(linesOf(parts, 'places'), /^\/proc\/(\d+)\/cgroup:0::(.*)$/);
  const pageBytes = Number.parseInt(partOf(parts, 'pagesize'), 10) || 4096;
  const total = memoryOf(parts)?.total;
  const rows = linesOf(parts, 'processes').flatMap((line) => {
    const [, list, id = '', ticks, pages, name] = /^(cpu|memory) (\d+) (\d+) (\d+) (.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const memory = Number(pages) * pageBytes;
    const who = [id, owners.get(id), guestOf(groups.get(id) ?? '')].filter((each) => each !== undefined).join(', ');
    const share = total === undefined ? '' : ` (${percent(memory / total)})`;
    const cpu = percent(Number(ticks) / TICKS / seconds);
    return [{ list, text: `${name} (${who}): ${cpu} CPU, ${bytes(memory)}${share}` }];
  });
  const table = (list: string) => {
    const texts = rows.filter((row) => row.list === list).map(({ text }) => text);
    return texts.length > 0 ? remote(texts.join('\n')) : undefined;
  };
  return { facts: { top_by_cpu: table('cpu'), top_by_memory: table('memory') }, attention: [] };
}
