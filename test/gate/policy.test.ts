import { describe, expect, it } from 'vitest';
import { decide, type Mode } from '../../src/gate/policy.ts';

const EFFECTS = ['read', 'change', 'execute', 'destroy'] as const;

describe('what a mode says of a tool', () => {
  it.each<[Mode, string[], string[], string[]]>([
    ['read-only', ['allow', 'hide', 'hide', 'hide'], ['ask', 'hide', 'hide', 'hide'], ['ask', 'hide', 'hide', 'hide']],
    ['guarded', ['allow', 'allow', 'allow', 'ask'], ['ask', 'ask', 'ask', 'ask'], ['ask', 'ask', 'ask', 'ask']],
    ['ask', ['allow', 'ask', 'ask', 'ask'], ['ask', 'ask', 'ask', 'ask'], ['ask', 'ask', 'ask', 'ask']],
    [
      'trusted',
      ['allow', 'allow', 'allow', 'allow'],
      ['allow', 'allow', 'allow', 'allow'],
      ['ask', 'ask', 'ask', 'ask'],
    ],
  ])('%s: %j, with an alarm %j, for humans only %j', (mode, plain, alarmed, human) => {
    expect(EFFECTS.map((effect) => decide(mode, { effect }))).toEqual(plain);
    expect(EFFECTS.map((effect) => decide(mode, { effect }, 'It burns.'))).toEqual(alarmed);
    expect(EFFECTS.map((effect) => decide(mode, { effect, human: 'By hand.' }))).toEqual(human);
  });
});
