import { AsyncLocalStorage } from 'node:async_hooks';

/** What a test measured for a guarantee. */
export interface Figure {
  guarantee: number;
  text: string;
}

declare module 'vitest' {
  interface TaskMeta {
    figures?: Figure[];
  }
}

/** The running test, which is not one for the whole file where tests run at once. Kept by test/setup.ts. */
export const running = new AsyncLocalStorage<{ meta: { figures?: Figure[] } }>();

/** Tells what the running test measured for a guarantee; `npm run test:guarantees` prints it. */
export function figure(guarantee: number, text: string): void {
  const test = running.getStore();
  if (!test) throw new Error(`guarantee ${guarantee}: a figure is told inside a test`);
  test.meta.figures = [...(test.meta.figures ?? []), { guarantee, text }];
}
