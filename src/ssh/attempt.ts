import { cancelled, type Failure } from '../failure.ts';

/** How long connecting may take: as a whole, and for each stage of it. */
export interface Deadlines {
  /** By performance.now(), in ms. */
  readonly until: number;
  readonly stageMs: number;
  readonly signal?: AbortSignal;
}

export interface Attempt<T> {
  /** Ends the stage before and begins one; `late` tells what it was waiting for, should it take too long. */
  stage(late: () => Failure): void;
  done(value: T): void;
  fail(failure: Failure): void;
}

/** Runs something that ends once, by `done`, `fail`, a stage's time or the caller's signal; not done means `undo`. */
export function attempt<T>(
  what: string,
  deadlines: Deadlines,
  undo: () => void,
  start: (attempt: Attempt<T>) => void,
): Promise<T> {
  const { until, stageMs, signal } = deadlines;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const end = (settle: () => void) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const fail = (failure: Failure) =>
      end(() => {
        reject(failure);
        undo();
      });
    const abort = () => fail(cancelled(what, signal?.reason));
    const stage = (late: () => Failure) => {
      clearTimeout(timer);
      if (over) return;
      timer = setTimeout(() => fail(late()), Math.max(0, Math.min(stageMs, until - performance.now())));
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    start({ stage, done: (value) => end(() => resolve(value)), fail });
  });
}
