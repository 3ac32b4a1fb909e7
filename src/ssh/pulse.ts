import type { Readable } from 'node:stream';

/** A peer is asked for an answer once in each interval. */
const SILENT_INTERVALS = 3;

/**
 * Calls `silent` when nothing has come from the stream for three intervals of `everyMs` (ms). Everything that comes
 * counts: on a slow line, answers to keepalive messages wait behind the data. Gives what ends it.
 */
export function watchPulse(stream: Readable, everyMs: number, silent: (ms: number) => void): () => void {
  const limit = SILENT_INTERVALS * everyMs;
  let heard = performance.now();
  const check = (due: number) => {
    const now = performance.now();
    // While this process is stopped it asks for nothing, so nothing can have come.
    if (now - due > everyMs) heard = now;
    const left = heard + limit - now;
    if (left > 0) timer = setTimeout(check, left, now + left);
    else silent(limit);
  };
  let timer = setTimeout(check, 0, heard);
  const hear = () => {
    heard = performance.now();
  };
  stream.on('data', hear);
  return () => {
    clearTimeout(timer);
    stream.off('data', hear);
  };
}
