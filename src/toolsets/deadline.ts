/** Aborts with `signal`, and after `ms` at the latest. */
export function orAfter(signal: AbortSignal, ms: number): AbortSignal {
  const late = AbortSignal.timeout(ms);
  // Without a listener of its own it may be collected, and then never comes: AbortSignal.any of Node.js 20 does not hold it.
  late.addEventListener('abort', () => undefined, { once: true });
  return AbortSignal.any([signal, late]);
}
