import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/present/answer.ts';
import { asText, plain } from '../../src/present/render.ts';

const told = (rows: readonly Facts[]) => asText('done', plain({ rows }, 'b')).split('\n');

describe('rows of an answer as text', () => {
  it('are columns where they hold values and words alone', () => {
    expect(told([{ a: 1, b: ['x', 'y'] }])).toEqual(['done', 'rows:', '  a  b', '  1  x, y']);
  });

  it('are lines where one of them holds anything deeper, with all that it holds', () => {
    expect(told([{ a: 1, b: { c: 2 } }, { a: 3 }])).toEqual([
      ...['done', 'rows:', '  -', '    a: 1', '    b:', '      c: 2'],
      ...['  -', '    a: 3'],
    ]);
    expect(told([{ a: [{ b: 1 }], c: 2 }]).slice(2)).toEqual(['  -', '    a:', '      b', '      1', '    c: 2']);
  });
});
