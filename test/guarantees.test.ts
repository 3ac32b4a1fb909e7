import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf, judged, page, type Report, summed } from '../scripts/proof.ts';
import type { Figure } from './figures.ts';
import { guarantees } from './guarantees.ts';

const written = readFileSync(join(import.meta.dirname, '../docs/guarantees.md'), 'utf8');

describe('the promises', () => {
  it('are 28, numbered from 1', () => expect(guarantees.map(({ number }) => number).at(-1)).toBe(28));

  it.each(guarantees)('$number has a test, and its sentence stands in docs/guarantees.md', ({ number, sentence }) => {
    expect(filesOf([number])).not.toEqual([]);
    expect(written).toContain(`| ${number} | ${sentence} |`);
  });

  it('are told with what CI runs smaller as it is now (npm run gen)', () => expect(page(written)).toBe(written));
});

/** A report in which each file of guarantee 28 has one test. */
const report = (status: string, figures: readonly Figure[], more: object = {}): Report => ({
  testResults: filesOf([28]).map((name) => ({
    name: `/somewhere/${name}`,
    status,
    message: '',
    assertionResults: [
      { fullName: 'guarantee 28: x', status, failureMessages: ['It is wrong.\n at'], meta: { figures } },
    ],
    ...more,
  })),
});
const verdict = (of: Report): string | undefined => judged(of, [28], '2026-11-20')[0]?.verdict;
const measured: Figure = { guarantee: 28, text: '2 clients' };

describe('the verdict', () => {
  it('is that it holds when every test passed and told a figure', () =>
    expect(judged(report('passed', [measured]), [28], '2026-11-20')).toEqual([
      { number: 28, figures: '2 clients', verdict: 'holds', date: '2026-11-20' },
    ]));

  it('says so when a test took too long', () => {
    const [file = ''] = filesOf([28]);
    const late = { fullName: 'guarantee 28: x', status: 'failed', failureMessages: ['Error: STACK_TRACE_ERROR\n at'] };
    const results = report('passed', [measured]).testResults.filter(({ name }) => !name.endsWith(file));
    const one = { name: file, status: 'failed', message: '', assertionResults: [{ ...late, meta: {} }] };
    expect(verdict({ testResults: [one, ...results] })).toBe('BROKEN: guarantee 28: x: it took too long');
  });

  it('says which part was not proven', () => {
    const open: Figure = { guarantee: 28, text: 'the third client', unproven: true };
    expect(verdict(report('passed', [measured, open]))).toBe('holds; not proven here: the third client');
  });

  it.each([
    ['a test failed', report('failed', [measured]), 'guarantee 28: x: It is wrong.'],
    ['a test was skipped', report('skipped', [measured]), 'guarantee 28: x'],
    [
      'a file did not load',
      report('failed', [], { message: 'No such module', assertionResults: [] }),
      'No such module',
    ],
    ['a file did not run', { testResults: [] }, 'did not run'],
    ['there is no test of that name', report('passed', [], { assertionResults: [] }), 'there is no test'],
    ['no test told a figure', report('passed', []), 'its tests told no figure'],
    ['all figures are of another', report('passed', [{ guarantee: 2, text: 'x' }]), 'its tests told no figure'],
  ])('is that it is broken when %s', (_, of, why) => {
    expect(verdict(of)).toMatch(/^BROKEN: /);
    expect(verdict(of)).toContain(why);
  });
});

it('figures are told once, counts added up, and of times the longest', () => {
  const of = (text: string, value?: number, unit?: Figure['unit']): Figure => ({ guarantee: 1, text, value, unit });
  expect(
    summed([of('one'), of('one'), of('asked', 700, 'count'), of('took', 312.4, 'ms'), of('asked', 500, 'count')]),
  ).toBe('one; 1,200 asked; took 312 ms');
  expect(summed([of('took', 12, 'ms'), of('took', 1_250, 'ms')])).toBe('took 1.3 s at most (2 times)');
  expect(summed([of('GETs:', 3, 'most'), of('GETs:', 1, 'most')])).toBe('GETs: 3 at most');
});

it('a page keeps the rows that a run does not replace', () => {
  const one = page('', [{ number: 1, figures: 'a|b', verdict: 'holds', date: '2026-11-20' }], 'Debian.');
  const two = page(one, [{ number: 2, figures: 'c', verdict: 'BROKEN: d', date: '2026-11-21' }]);
  expect(two).toMatch(/^\| 1 \| 1,000 commands.*\| a\\\|b \| holds \| 2026-11-20 \|$/m);
  expect(two).toMatch(/^\| 2 \|.*\| c \| BROKEN: d \| 2026-11-21 \|$/m);
  expect(two).toContain('Last run on Debian.\n');
});
