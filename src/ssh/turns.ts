import { cancelled, type Failure } from '../failure.ts';

interface Waiting {
  readonly go: () => void;
  readonly fail: (failure: Failure) => void;
}

const MOST_WAITING = 16;

/** Lets one after the other have its turn, in the order in which they came. */
export class Turns {
  #taken = false;
  readonly #waiting: Waiting[] = [];

  /** Waits for the turn and gives what ends it. `full` is thrown when too many wait; one whose signal aborts has none. */
  async take(what: string, signal: AbortSignal, full: () => Failure): Promise<() => void> {
    if (signal.aborted) throw cancelled(what, signal.reason);
    if (this.#taken) {
      if (this.#waiting.length >= MOST_WAITING) throw full();
      await this.#wait(what, signal);
    }
    this.#taken = true;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const next = this.#waiting.shift();
      if (next) next.go();
      else this.#taken = false;
    };
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Fails all that wait. */
  refuse(failure: Failure): void {
    for (const { fail } of this.#waiting.splice(0)) fail(failure);
  }

  #wait(what: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled = () => signal.removeEventListener('abort', abort);
      const one: Waiting = {
        go: () => {
          settled();
          resolve();
        },
        fail: (failure) => {
          settled();
          reject(failure);
        },
      };
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        reject(cancelled(what, signal.reason));
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(one);
    });
  }
}
