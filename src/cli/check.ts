import { asFailure } from '../failure.ts';

/** What was found of one thing that the server needs. */
export interface Check {
  readonly name: string;
  /** `warning`: it works, but not all of it; `skipped`: it could not be looked at, because of another one. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly says: string;
  readonly cure?: string;
}

export type Checks = AsyncGenerator<Check, void, undefined>;

export const ok = (name: string, says: string): Check => ({ name, state: 'ok', says });
export const warning = (name: string, says: string, cure?: string): Check => ({ name, state: 'warning', says, cure });
export const failed = (name: string, says: string, cure: string): Check => ({ name, state: 'failed', says, cure });

export const skipped = (names: readonly string[], why: string): Check[] =>
  names.map((name) => ({ name, state: 'skipped', says: `not checked, because ${why}` }));

/** The failure of a check as its finding. */
export function failure(name: string, error: unknown): Check {
  const { message, hint } = asFailure(error);
  return failed(name, message, hint);
}

const TIMES = 5;

/** The median of five: what one call of it takes, once the connection is there. */
export async function* speedCheck(name: string, once: () => Promise<unknown>): Checks {
  const took: number[] = [];
  try {
    for (let i = 0; i < TIMES; i++) {
      const began = performance.now();
      await once();
      took.push(performance.now() - began);
    }
  } catch {
    // Whatever is wrong has been told by the check before.
    return;
  }
  const median = took.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? 0;
  yield ok(name, `one call takes ${median < 10 ? median.toFixed(1) : median.toFixed(0)} ms (median of ${TIMES})`);
}
