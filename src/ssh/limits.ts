/** Why we end a command: its time is up, the caller gave up, sudo says nothing, what its streams go to is broken. */
export type Reached = 'timeout' | 'cancelled' | 'stuck' | 'broken';

/** Waits for the first reason to end a command. */
export class Limits {
  readonly reached: Promise<Reached>;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  #settle: (why: Reached) => void = () => {};
  readonly #abort = () => this.reach('cancelled');

  constructor(timeoutMs: number, signal: AbortSignal) {
    this.reached = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (timeoutMs !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.reach('timeout'), timeoutMs);
    this.#signal = signal;
    if (signal.aborted) this.reach('cancelled');
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  reach(why: Reached): void {
    this.#settle(why);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#abort);
  }
}
