import { describe, expect, it } from 'vitest';
import { headAndTail, shortened } from '../../src/present/cut.ts';

const mark = (missing: number) => `[${missing}]`;

describe('a text that is cut', () => {
  it('is never half of a character, wherever the cut would be', () => {
    for (const unit of ['😀', 'a😀', 'ab😀']) {
      for (const before of ['', 'a', 'ab', 'abc']) {
        expect(shortened(before + unit.repeat(200), 100)).not.toMatch(/\p{Cs}/u);
      }
    }
  });

  it('is cut by what its characters cost, more of them where they cost less', () => {
    const cost = (text: string) => text.replaceAll('€', '€€€€').length;
    expect(headAndTail(`${'a'.repeat(100)}${'€'.repeat(100)}`, 50, mark, cost)).toBe(
      `${'a'.repeat(30)}[165]${'€'.repeat(5)}`,
    );
  });

  it('has nothing of it left where there is no room', () => {
    for (const room of [0, -5, 0.5]) expect(headAndTail('text', room, mark)).toBe('[4]');
  });
});
