/** How quantities are written where a human decides by them. Every function here is pure. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const short = (value: number): string => (value >= 99.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, ''));

/** Bytes in binary units with at most one decimal: `512 MiB`, `3.2 GiB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10));
  const value = short(count / 1024 ** power);
  return value === '1024' && power < UNITS.length - 1 ? `1 ${UNITS[power + 1]}` : `${value} ${UNITS[power]}`;
}

/** A fraction of 1 as `40 %`, below ten percent as `1.3 %`. */
export const percent = (fraction: number): string => {
  const value = fraction * 100;
  return `${value > 0 && value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(0)} %`;
};

/** `3.2 GiB of 8 GiB (40 %)`; only the total when the use is not known, undefined without a total. */
export function usage(used: number | undefined, total: number | undefined): string | undefined {
  if (total === undefined || total <= 0) return undefined;
  return used === undefined ? bytes(total) : `${bytes(used)} of ${bytes(total)} (${percent(used / total)})`;
}

/** Whole seconds in the two units that matter: `3 s`, `4 min 10 s`, `2 h 5 min`, `12 d 4 h`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (major: number, majorUnit: string, minor: number, minorUnit: string): string =>
    minor > 0 ? `${major} ${majorUnit} ${minor} ${minorUnit}` : `${major} ${majorUnit}`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86_400) return two(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
  return two(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h');
}

/** Milliseconds as a stopwatch would say: `0.3 s`, `12.4 s`, from a minute on as `duration`. */
export const elapsed = (ms: number): string => (ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000));

/** Seconds since the epoch as ISO 8601 in UTC, to the second; `unknown` when no calendar has them. */
export function iso(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  return Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `1 guest`, `3 guests`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** How many of each, largest first: `5 running, 3 stopped`. */
export const tally = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([state, n]) => `${n} ${state}`)
    .join(', ');

/** How often each value occurs. */
export function countBy<T>(items: readonly T[], key: (item: T) => string): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** A value on one line of what a human is asked, so that it cannot pass for further lines: newlines written out, cut at 400. */
export function onOneLine(value: string): string {
  const line = value.replace(/\r?\n/g, '\\n');
  const cut = line.slice(0, MOST_ON_LINE).replace(/[\ud800-\udbff]$/, '');
  return line.length <= MOST_ON_LINE ? line : `${cut} [… ${line.length - cut.length} characters not shown …]`;
}

const MOST_ON_LINE = 400;
