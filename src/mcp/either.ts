import { setMaxListeners } from 'node:events';

/**
 * What `work` gives, with a signal that aborts when one of these does while it runs. `AbortSignal.any` would leave a
 * reference in `lasting` at every call, for as long as that lives.
 */
export async function untilEither<T>(
  lasting: AbortSignal,
  passing: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const signals = [lasting, passing];
  const abort = () => end.abort(signals.find(({ aborted }) => aborted)?.reason);
  // Every call listens to what lasts.
  setMaxListeners(0, lasting);
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  if (signals.some(({ aborted }) => aborted)) abort();
  try {
    return await work(end.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
}
