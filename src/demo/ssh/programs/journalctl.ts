import type { JournalLine } from '../../world.ts';
import type { Machine } from '../machine.ts';
import { type Program, wait } from '../proc.ts';

/** A line as `journalctl -o short` prints it; times are UTC, as everything on these machines. */
export function shortLine({ hostname }: Machine, { at, unit, pid, text }: JournalLine): string {
  const [, day, month, , time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(at).toUTCString()) ?? [];
  return `${month} ${day} ${time} ${hostname} ${sourceOf(unit, pid)}: ${text}`;
}

const sourceOf = (unit: string, pid: number): string => (pid === 0 ? unit : `${unit}[${pid}]`);

/** The same as `-o short-iso` prints it. */
const isoLine = ({ hostname }: Machine, { at, unit, pid, text }: JournalLine): string =>
  `${new Date(at).toISOString().slice(0, 19)}+00:00 ${hostname} ${sourceOf(unit, pid)}: ${text}`;

/** What the journal holds of a unit: its own lines, and systemd's about it. */
export const ofUnit = ({ journal }: Machine, name: string): JournalLine[] =>
  journal.filter(({ unit, text }) => unit === name || (unit === 'systemd' && text.includes(`${name}.service`)));

/** The journal of a machine; one in which nothing was ever logged has started all the same. */
const journalOf = (machine: Machine): readonly JournalLine[] =>
  machine.journal.length > 0
    ? machine.journal
    : [{ at: machine.bootedAt(), unit: 'systemd', pid: 1, text: 'Startup finished in 4.209s.' }];

/** `journalctl [-u UNIT]… [-n N] [-r] [-f] [-k] [-b|--boot=N] [-S|-U TIME] [-p PRIORITY] [-g TEXT] [-o short|short-iso|cat|json]`. */
export const journalctl: Program = async (args, proc) => {
  const { machine, out, err } = proc;
  const options = optionsOf(args);
  const units = options.get('u') ?? [];
  const now = machine.world.now();
  const [since, until] = [options.get('S')?.at(-1), options.get('U')?.at(-1)];
  const from = since === undefined ? 0 : moment(since, now);
  const to = until === undefined ? Number.POSITIVE_INFINITY : moment(until, now);
  if (Number.isNaN(from) || Number.isNaN(to)) {
    err(`Failed to parse timestamp: ${Number.isNaN(from) ? since : until}\n`);
    return 1;
  }
  const wanted = wantedBy(options, machine);
  const text = options.get('g')?.at(-1) ?? '';
  const chosen = () => {
    const lines =
      units.length > 0 ? units.flatMap((unit) => ofUnit(machine, unit.replace(/\.service$/, ''))) : journalOf(machine);
    return [...lines]
      .filter((line) => line.at >= from && line.at <= to && wanted(line) && line.text.includes(text))
      .sort((a, b) => a.at - b.at);
  };
  const count = options.has('n')
    ? Number(options.get('n')?.at(-1) || 10)
    : options.has('f')
      ? 10
      : Number.POSITIVE_INFINITY;
  const lines = chosen();
  const shown = lines.slice(Math.max(0, lines.length - count));
  const print = printer(machine, options.get('o')?.at(-1));
  if (lines.length === 0) out('-- No entries --\n');
  out((options.has('r') ? shown.reverse() : shown).map(print).join(''));
  for (let seen = lines.length; options.has('f') && !proc.signal.aborted; ) {
    await wait(200, proc);
    const more = chosen().slice(seen);
    out(more.map(print).join(''));
    seen += more.length;
  }
  return 0;
};

/** Keeps to the kernel, to a boot and to a priority; what speaks of a failure is an error here, all else information. */
function wantedBy(options: ReadonlyMap<string, string[]>, machine: Machine): (line: JournalLine) => boolean {
  const before = /^-[1-9]/.test(options.get('boot')?.at(-1) ?? '');
  const thisBoot = options.has('b') || options.has('boot') || options.has('k');
  const worse = /^(emerg|alert|crit|err|warning|notice|[0-5])$/.test(options.get('p')?.at(-1) ?? '');
  return ({ at, unit, text }) =>
    (!options.has('k') || unit === 'kernel') &&
    (before ? at < machine.bootedAt() : !thisBoot || at >= machine.bootedAt()) &&
    (!worse || /error|fail/i.test(text));
}

function printer(machine: Machine, format = 'short'): (line: JournalLine) => string {
  if (format === 'cat') return ({ text }) => `${text}\n`;
  if (format === 'short-iso') return (line) => `${isoLine(machine, line)}\n`;
  if (!format.startsWith('json')) return (line) => `${shortLine(machine, line)}\n`;
  return ({ at, unit, pid, text }) =>
    `${JSON.stringify({ __REALTIME_TIMESTAMP: String(at * 1000), _HOSTNAME: machine.hostname, SYSLOG_IDENTIFIER: unit, _PID: String(pid), MESSAGE: text })}\n`;
}

const long: Readonly<Record<string, string>> = {
  unit: 'u',
  lines: 'n',
  reverse: 'r',
  follow: 'f',
  since: 'S',
  until: 'U',
  dmesg: 'k',
  priority: 'p',
  grep: 'g',
  output: 'o',
};

/** Options by their letter, each with its values in order; a flag has the value ''. */
function optionsOf(args: readonly string[]): Map<string, string[]> {
  const options = new Map<string, string[]>();
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/.exec(word) ?? [];
    const [, flags = '', joined] = /^-([rfeqxabk]*(?:[unSUgop])?)(.*)$/.exec(word) ?? [];
    const letters = name === undefined ? [...flags] : [long[name] ?? name];
    for (const letter of letters) {
      const takes = /^([unSUgop]|boot)$/.test(letter);
      const given = takes ? (value ?? (joined || words.shift() || '')) : '';
      options.set(letter, [...(options.get(letter) ?? []), given]);
    }
  }
  return options;
}

/** Epoch milliseconds of `2 hours ago`, `today`, `-5min`, `@1794884400` or a date in UTC; NaN for anything else. */
function moment(text: string, now: number): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  const [, count, unit] = /^-?(\d+)\s*([smhdw])\w*(?: ago)?$/.exec(text) ?? [];
  if (count && unit) return now - Number(count) * (units[unit] ?? 1) * 1000;
  const midnight = now - (now % 86_400_000);
  if (/^@\d+$/.test(text)) return Number(text.slice(1)) * 1000;
  if (text === 'today') return midnight;
  if (text === 'yesterday') return midnight - 86_400_000;
  return Date.parse(/[TZ]|GMT/.test(text) ? text : `${text.replace(' ', 'T')}Z`);
}
