import type { Facts } from '../../present/answer.ts';
import { bytes, percent } from '../format.ts';

/** One value over time: undefined where nothing was measured, oldest first. */
export type Points = readonly (number | undefined)[];

/** How a series is written; `percent` is told as a fraction of 1 by Proxmox VE. */
export type Unit = 'percent' | 'bytes' | 'bytes/s' | 'number';

const writers: Readonly<Record<Unit, (value: number) => string>> = {
  percent,
  bytes,
  'bytes/s': (value) => `${bytes(value)}/s`,
  number: (value) => value.toFixed(2),
};

const COLUMNS = 40;
const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** At most 40 columns, each the mean of its points: the lowest as ▁, the highest as █, `·` where nothing was measured. */
export function sparkline(points: Points): string {
  const columns = Math.min(COLUMNS, points.length);
  const means = Array.from({ length: columns }, (_, i) =>
    meanOf(points.slice(Math.floor((i * points.length) / columns), Math.floor(((i + 1) * points.length) / columns))),
  );
  const known = means.filter((one) => one !== undefined);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const level = (value: number): number => (span > 0 ? Math.round(((value - low) / span) * (blocks.length - 1)) : 0);
  return means.map((one) => (one === undefined ? '·' : blocks[level(one)])).join('');
}

function meanOf(points: Points): number | undefined {
  const known = points.filter((one) => one !== undefined);
  return known.length > 0 ? known.reduce((sum, one) => sum + one, 0) / known.length : undefined;
}

/** Least, mean, greatest and newest value with their unit, and the course unless it is flat; undefined when nothing was measured. */
export function seriesFacts(points: Points, unit: Unit): Facts | undefined {
  const known = points.filter((one) => one !== undefined);
  const mean = meanOf(points);
  const last = known.at(-1);
  if (mean === undefined || last === undefined) return undefined;
  const [least, greatest] = known.reduce(([a, b], one) => [Math.min(a, one), Math.max(b, one)], [last, last]);
  const write = writers[unit];
  const course = least < greatest ? sparkline(points) : undefined;
  return { min: write(least), mean: write(mean), max: write(greatest), last: write(last), course };
}
