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

  /** Counts one more; or, when there were `most` of them already, gives the ms after which there is room again. */
  take(most = Number.POSITIVE_INFINITY): number | undefined {
    if (this.count >= most) return (this.#begun[this.#begun.length - most] ?? 0) + MINUTE_MS - performance.now();
    this.#begun.push(performance.now());
    return undefined;
  }
}
