/** What one client may take; milliseconds and bytes. */
export interface Limits {
  /** A connection that has not sent all headers by then is closed. */
  readonly headersMs: number;
  /** A request that has not come whole by then is given up. */
  readonly requestMs: number;
  readonly connections: number;
  readonly bodyBytes: number;
  /** Wrong tokens from one address in `failuresMs`, after which it hears no more than that. */
  readonly failures: number;
  readonly failuresMs: number;
  /** Requests with the token at once, and in each second that follows. */
  readonly burst: number;
  readonly perSecond: number;
}

export const usualLimits: Limits = {
  headersMs: 10_000,
  requestMs: 30_000,
  connections: 256,
  bodyBytes: 16 * 1024 * 1024,
  failures: 10,
  failuresMs: 60_000,
  burst: 300,
  perSecond: 50,
};

/** Addresses that are remembered at most. */
const MOST_ADDRESSES = 1000;

/** Counts wrong tokens by address: how many there were from this one, with this, since the first of the last `ms`. */
export function countFailures(ms: number): (address: string) => number {
  const seen = new Map<string, { count: number; readonly until: number }>();
  return (address) => {
    const now = performance.now();
    const known = seen.get(address);
    if (known && known.until > now) {
      known.count += 1;
      return known.count;
    }
    seen.delete(address);
    const [oldest] = seen.keys();
    if (seen.size >= MOST_ADDRESSES && oldest !== undefined) seen.delete(oldest);
    seen.set(address, { count: 1, until: now + ms });
    return 1;
  };
}

/** A bucket of `burst` that fills again by `perSecond`: true when one more may pass. */
export function allowance({ burst, perSecond }: Pick<Limits, 'burst' | 'perSecond'>): () => boolean {
  let left = burst;
  let at = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    at = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
