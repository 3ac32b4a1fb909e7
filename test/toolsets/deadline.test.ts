import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { orAfter } from '../../src/toolsets/deadline.ts';

const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });

describe('a signal or a time, whichever comes first', () => {
  it('is the time, though memory is cleared until then', async () => {
    setFlagsFromString('--expose-gc');
    const clearing = setInterval(runInNewContext('gc'), 20);
    onTestFinished(() => clearInterval(clearing));
    const { signal } = new AbortController();
    const ends = Array.from({ length: 20 }, () => aborted(orAfter(signal, 200)));
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ name: 'TimeoutError' });
  });

  it('is the signal, with its reason', async () => {
    const call = new AbortController();
    const end = aborted(orAfter(call.signal, 60_000));
    call.abort('given up');
    expect(await end).toBe('given up');
  });
});
