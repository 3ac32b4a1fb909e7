import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { answer, type Fact, type Facts, RemoteText, remote } from '../../src/present/answer.ts';
import { createPresent } from '../../src/present/present.ts';

const BUDGET = 4000;

/** Something that presents, and what it kept in files. */
function presenting(budget = BUDGET) {
  const kept: string[] = [];
  const save = async (text: string): Promise<string> => `/outputs/${kept.push(text)}.txt`;
  return { kept, ...createPresent({ redact: (text) => text, budget, save }) };
}

const rows = (count: number, reason: (i: number) => Fact): Fact =>
  Array.from({ length: count }, (_, i) => ({ upid: i, reason: reason(i) }));

const tag = '\u{e0041}';

describe('the budget, whatever an answer is made of', () => {
  const answers: Record<string, Facts> = {
    'a plain string': { note: 'y'.repeat(100_000) },
    'a map of many members': { config: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, 'v'])) },
    'a list in a member': { ssh: { hosts: rows(3000, () => 'x') } },
    'a list in a row of a list': { all: [{ hosts: rows(3000, () => 'x') }] },
    'rows of remote text': { tasks: rows(500, (i) => remote(`reason ${i} ${'z'.repeat(100)}`)) },
    'rows of long remote text': { tasks: rows(500, () => remote('z'.repeat(4096))) },
    'hidden characters at one end': { stdout: remote(tag.repeat(1500) + 'a'.repeat(90_000)) },
    'hidden characters at the other': { stdout: remote('a'.repeat(90_000) + tag.repeat(1500)) },
    'hidden characters in a plain string': { note: '\u202e'.repeat(1500), other: undefined },
    'all of it together': {
      a: 'y'.repeat(9000),
      b: rows(500, () => remote('z'.repeat(500))),
      c: remote(tag.repeat(9000)),
    },
  };

  it.each(Object.entries(answers))('%s', async (_, facts) => {
    const { structured } = await presenting().answer(answer('done', facts));
    const { length } = JSON.stringify(structured);
    expect(length).toBeLessThanOrEqual(BUDGET);
    expect(length).toBeGreaterThan(BUDGET / 3);
    expect(JSON.stringify(structured)).toMatch(/not[ _]shown/);
  });

  it('a headline and a cure without end', async () => {
    const failure = new Failure('internal', 'm'.repeat(1e6), 'c'.repeat(1e6));
    const { structured, text } = await presenting().failure(failure);
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(BUDGET);
    expect(text.length).toBeLessThanOrEqual(BUDGET);
    expect(structured).toMatchObject({ error: 'internal' });
    expect(text).toMatch(/^m+ \[… 999200 characters not shown …\] m+\n/);
  });

  it('facts of every shape', async () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2000 }),
      fc.string({ unit: 'binary', maxLength: 2000 }).map(remote),
      fc.integer(),
    );
    const { fact } = fc.letrec<{ fact: Fact }>((tie) => ({
      fact: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('fact'), { maxLength: 40 }),
        fc.dictionary(fc.string({ maxLength: 8 }), tie('fact'), { maxKeys: 8 }),
      ),
    }));
    const facts = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '__proto__'), fact);
    await fc.assert(
      fc.asyncProperty(facts, async (made) => {
        const { structured } = await presenting().answer(answer('done', made));
        expect(JSON.stringify(structured).length).toBeLessThanOrEqual(BUDGET);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [{ file: '/outputs/whole.txt' }, /about \d+ of 5000000 bytes not shown; all of it is in \/outputs\/whole\.txt …\]/],
    [
      { file: '/o.txt', lacks: 'what comes after its first 3 MiB' },
      /; \/o\.txt has all but what comes after its first 3 MiB …\]/,
    ],
    [{ lacks: 'it could not be kept: ENOSPC' }, /bytes not shown; it could not be kept: ENOSPC …\]/],
  ])('a stream that has a file of its own (%o) is named, not kept again', async (kept, mark) => {
    const { answer: give, kept: saved } = presenting();
    const stdout = new RemoteText('y'.repeat(90_000), { bytes: 5_000_000, omitted: 4_910_000 }, kept);
    const { structured } = await give(answer('done', { stdout }));
    expect(String(structured.stdout)).toMatch(mark);
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(BUDGET);
    expect(saved).toEqual([]);
  });

  it('short remote texts stay whole: rows go instead, and nothing is kept in files', async () => {
    const { answer: give, kept } = presenting();
    const { structured } = await give(answer('done', { tasks: rows(500, (i) => remote(`command ${i} failed`)) }));
    expect(JSON.stringify(structured)).not.toContain('characters not shown');
    expect(structured.tasks_not_shown).toBeGreaterThan(400);
    expect(kept).toEqual([]);
  });

  it('keeps in files only the texts of rows that are shown', async () => {
    const { answer: give, kept } = presenting();
    const { structured } = await give(answer('done', { tasks: rows(500, () => remote('z'.repeat(4096))) }));
    expect(kept).toHaveLength((structured.tasks as unknown[]).length);
  });

  it('a great list is cut in no time', async () => {
    const began = performance.now();
    const { structured } = await presenting(30_000).answer(
      answer('done', { guests: rows(20_000, (i) => `guest-${i}`) }),
    );
    expect(performance.now() - began).toBeLessThan(3000);
    expect(JSON.stringify(structured).length).toBeGreaterThan(15_000);
  });
});
