const MINUTE_MS = 60_000;

/** Counts what begins within any 60 s. */
export class Rate {
  #begun: number[] = [];

  /** How many began in the last 60 s. */
  get count(): number {
    const since = performance.now() - MINUTE_MS;
    const first = this.#begun.findIndex((at) => at > since);
    if (first !== 0) this.#begun = first < 0 ? [] : this.#begun.slice(first);
    return this.#begun.length;
  }

  /** The ms after which there is room for one more, where `most` may begin; undefined when there is room now. */
  wait(most = Number.POSITIVE_INFINITY): number | undefined {
    if (this.count < most) return undefined;
    return (this.#begun[this.#begun.length - most] ?? 0) + MINUTE_MS - performance.now();
  }

  add(): void {
    this.#begun.push(performance.now());
  }

  /** Counts one more when there is room, else gives the wait for it. */
  take(most?: number): number | undefined {
    const wait = this.wait(most);
    if (wait === undefined) this.add();
    return wait;
  }
}
