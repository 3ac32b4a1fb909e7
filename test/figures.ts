import { AsyncLocalStorage } from 'node:async_hooks';

/** What a test measured for a guarantee. Of those with a `unit`, many become one: the sum of counts, the most of others. */
export interface Figure {
  readonly guarantee: number;
  readonly text: string;
  readonly value?: number;
  readonly unit?: 'count' | 'ms' | 'most';
  /** A part of the sentence that the run could not prove, and why. */
  readonly unproven?: boolean;
}

declare module 'vitest' {
  interface TaskMeta {
    figures?: Figure[];
  }
}

/** The running test, which is not one for the whole file where tests run at once. Kept by test/setup.ts. */
export const running = new AsyncLocalStorage<{ meta: { figures?: Figure[] } }>();

function tell(one: Figure): void {
  const test = running.getStore();
  if (!test) throw new Error(`guarantee ${one.guarantee}: a figure is told inside a test`);
  test.meta.figures = [...(test.meta.figures ?? []), one];
}

/** Tells what the running test measured for a guarantee; `npm run test:guarantees` prints it. */
export const figure = (guarantee: number, text: string): void => tell({ guarantee, text });

/** The same for a count, which is added up over all tests: `tally(12, 'connections refused', 100)`. */
export const tally = (guarantee: number, text: string, value: number): void =>
  tell({ guarantee, text, value, unit: 'count' });

/** The same for a time in ms, of which the longest over all tests is told: `slowest(2, 'answer', 312)`. */
export const slowest = (guarantee: number, text: string, value: number): void =>
  tell({ guarantee, text, value, unit: 'ms' });

/** The same for a count of which the most over all tests is told: `most(14, 'GETs for one call:', 3)`. */
export const most = (guarantee: number, text: string, value: number): void =>
  tell({ guarantee, text, value, unit: 'most' });

/** 12,345 as `12,345`. */
export const grouped = (count: number): string => count.toLocaleString('en-US');

/** What was seen how often, as `237 exact, 143 unreachable`. */
export const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${grouped(count)} ${what}`)
    .join(', ');

/** Tells which part of a guarantee's sentence this run did not prove, and why. */
export const unproven = (guarantee: number, text: string): void => tell({ guarantee, text, unproven: true });
