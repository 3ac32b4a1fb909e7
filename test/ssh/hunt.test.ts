import { expect, it } from 'vitest';
import { hunt, type Prey } from '../../src/ssh/hunt.ts';

/** The signals that a host is asked to send, look by look, when the prey is gone after three of them. */
async function signalsFor(prey: Prey): Promise<string[]> {
  const asked: string[] = [];
  const ask = async (line: string) => {
    asked.push(line.split(' ')[0] ?? '');
    return asked.length < 3 ? 'proc 4711|4711.1' : 'proc|';
  };
  await hunt(prey, ask, () => undefined);
  return asked;
}

it('asks with TERM first, and leaves time before it kills', async () => {
  expect((await signalsFor({ cookie: 'c' })).slice(0, 2)).toEqual(['TERM', '0']);
});

it('kills from the first look on when the process is about to end', async () => {
  expect(await signalsFor({ cookie: 'c', atOnce: true })).toEqual(['KILL', 'KILL', 'KILL', 'KILL']);
});
