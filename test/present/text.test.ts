import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { answer, type Facts, RemoteText, remote } from '../../src/present/answer.ts';
import { createPresent } from '../../src/present/present.ts';

const BUDGET = 4000;
const files: string[] = [];
const present = createPresent({
  redact: (text) => text.replaceAll('s3cret', '[gone]'),
  budget: BUDGET,
  save: async (text) => `/o/${files.push(text)}.txt`,
});

/** The text of an answer, with the boundary of its fences as `B`. */
async function told(facts: Facts, headline = 'done'): Promise<string> {
  const { text } = await present.answer(answer(headline, facts));
  return text.replaceAll(/[0-9a-f]{24}/g, 'B');
}
const inside = async (text: string) =>
  /^out: <untrusted B>(.*)<\/untrusted B>$/s.exec((await told({ out: remote(text) })).slice(5))?.[1];

describe('an answer as text', () => {
  it('has a line for a value, columns for rows, and deeper lines for what is deeper', async () => {
    const text = await told({
      yes: true,
      none: [],
      words: ['a', 1],
      deep: { one: { two: 'x', list: ['y'] } },
      rows: [
        { a: 'long', b: ['x', 'y'], c: 1 },
        { a: 's', c: 22, d: 'end' },
      ],
      mixed: ['word', { a: 1 }],
      nested: [{ a: { b: 1 } }, { a: 'x' }],
    });
    expect(text).toBe(
      [
        'done',
        'yes: true',
        'none: none',
        'words: a, 1',
        'deep:',
        '  one:',
        '    two: x',
        '    list: y',
        'rows:',
        '  a     b     c   d',
        '  long  x, y  1   -',
        '  s     -     22  end',
        'mixed:',
        '  - word',
        '  -',
        '    a: 1',
        'nested:',
        '  -',
        '    a:',
        '      b: 1',
        '  -',
        '    a: x',
      ].join('\n'),
    );
  });

  it('has no columns where a text of several lines stands in a row', async () => {
    expect(await told({ rows: [{ a: 1, log: remote('x\ny') }] })).toBe(
      'done\nrows:\n  -\n    a: 1\n    log:\n<untrusted B>\nx\ny\n</untrusted B>',
    );
    expect(await told({ rows: [{ a: 1, log: remote('x') }] })).toBe(
      'done\nrows:\n  a  log\n  1  <untrusted B>x</untrusted B>',
    );
  });

  it('fences a text on its own lines when it has several', async () => {
    expect(await told({ out: remote('one line') })).toBe('done\nout: <untrusted B>one line</untrusted B>');
    expect(await told({ out: remote('two\nlines') })).toBe('done\nout:\n<untrusted B>\ntwo\nlines\n</untrusted B>');
    expect(await told({ out: remote('two\nlines\n') })).toBe('done\nout:\n<untrusted B>\ntwo\nlines\n</untrusted B>');
    expect(await told({ out: remote('') })).toBe('done\nout: <untrusted B></untrusted B>');
  });

  it('has a boundary of its own each time, the same in one answer', async () => {
    const boundaries = async () => {
      const { structured } = await present.answer(answer('x', { a: remote('1'), b: [remote('2')] }));
      return new Set(JSON.stringify(structured).match(/[0-9a-f]{24}/g));
    };
    const [first, second] = [await boundaries(), await boundaries()];
    expect([first.size, second.size, new Set([...first, ...second]).size]).toEqual([1, 1, 2]);
  });

  it('tells a failure as one, without what is undefined', async () => {
    const failure = new Failure('busy', 'It is s3cret.', 'Wait.', { facts: { left: undefined, n: 0 } });
    expect(await present.failure(failure)).toEqual({
      text: 'It is [gone].\nerror: busy\ncure: Wait.\nn: 0',
      structured: { summary: 'It is [gone].', error: 'busy', cure: 'Wait.', n: 0 },
      isError: true,
    });
  });

  it('has what others said in a failure between marks, each piece on one line and no longer than 400', async () => {
    const said = ['s3cret (x)', 's3cret (x) y\nz', 'w'.repeat(401)];
    const message = `It said ${said[1]}, then ${said[0]}: ${said[2]}; no s3cret.`;
    const { text, structured } = await present.failure(new Failure('remote-error', message, 'Look.', { said }));
    const [, first = ''] = /<untrusted ([0-9a-f]{24})>/.exec(text) ?? [];
    const fenced = (words: string) => `<untrusted ${first}>${words}</untrusted ${first}>`;
    const cut = `${'w'.repeat(240)} [… 1 characters not shown …] ${'w'.repeat(160)}`;
    const headline = `It said ${fenced('[gone] (x) y\\nz')}, then ${fenced('[gone] (x)')}: ${fenced(cut)}; no [gone].`;
    expect(structured.summary).toBe(headline);
    expect(text.split('\n')[0]).toBe(headline);
  });

  it('is cut in its headline from 801 characters on', async () => {
    expect(await told({}, 'h'.repeat(800))).toBe('h'.repeat(800));
    expect(await told({}, 'h'.repeat(801))).toBe(`${'h'.repeat(480)} [… 1 characters not shown …] ${'h'.repeat(320)}`);
  });

  it('has lines of progress without secrets, on one line, cut from 301 characters on', () => {
    expect(present.line('a s3cret\n\tb\x1b')).toBe('a [gone]\\n\\tb\\x1b');
    expect(present.line('p'.repeat(300))).toBe('p'.repeat(300));
    expect(present.line('p'.repeat(301))).toBe(`${'p'.repeat(180)} [… 1 characters not shown …] ${'p'.repeat(120)}`);
  });
});

describe('hidden characters', () => {
  const HIDDEN =
    '\0 \x01 \x08 \x0b \x0c \x0e \x1f \x7f \x80 \x85 \x9f \xad \u034f \u061c \u115f \u1160 \u180e \u200b \u200e \u200f \u2028 ' +
    '\u2029 \u202a \u202e \u2060 \u206f \u3164 \ufeff \uffa0 \ufff9 \ufffb \u{e0000} \u{e0041} \u{e01ef} \ud800 \udfff';

  it.each(HIDDEN.split(' '))('are written out: %j', async (char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    const written = code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
    expect(await inside(`a${char}b`)).toBe(`a${written}b`);
    expect(present.line(`a${char}b`)).toBe(`a${written}b`);
  });

  it('are no tab, no newline, no blank, no letter, and no joiner or selector that stands alone', async () => {
    const shown =
      '\t ~ \xa0\xac\xae é \u200a\u200c \u200d \u2010\u2027 \u202f \u205f \u2070 \u3163\u3165 \ufe00 \ufe0f \ufe10 \ufffd 😀 \u{dffff}\u{e1000}';
    expect(await inside(shown)).toBe(shown);
    expect(present.line('a\tb\nc')).toBe('a\\tb\\nc');
  });

  it('are joiners and selectors in a row, from the second on', async () => {
    expect(await inside('\u200c\u200d')).toBe('\u200c\\u{200d}');
    expect(await inside('\u200d\u200c')).toBe('\u200d\\u{200c}');
    expect(await inside('\ufe00\ufe0f')).toBe('\ufe00\\u{fe0f}');
    expect(await inside('\ufe0f\ufe00')).toBe('\ufe0f\\u{fe00}');
  });

  it('are a return without its newline', async () => {
    expect(await inside('a\rb')).toBe('a\\rb');
    expect(await told({ out: remote('a\r\nb\r\r\n') })).toContain('\na\nb\\r\n<');
  });
});

describe('what is cut', () => {
  const length = async (facts: Facts) =>
    JSON.stringify((await present.answer(answer('done', facts))).structured).length;
  /** The largest text that still stands whole, between these two sizes. */
  async function largestWhole(low: number, high: number): Promise<number> {
    if (high - low <= 1) return low;
    const middle = Math.floor((low + high) / 2);
    const whole = !(await told({ out: remote('x'.repeat(middle)) })).includes('not shown');
    return whole ? largestWhole(middle, high) : largestWhole(low, middle);
  }

  it('is not cut before it has to be, and takes most of the room when it is', async () => {
    const largest = await largestWhole(1, BUDGET * 2);
    const whole = await length({ out: remote('x'.repeat(largest)) });
    expect(whole).toBeLessThanOrEqual(BUDGET);
    expect(whole).toBeGreaterThan(BUDGET - 60);
    expect(await length({ out: remote('x'.repeat(90_000)) })).toBeGreaterThan(BUDGET - 200);
  });

  it('is never half of a character', async () => {
    for (const unit of ['😀', 'a😀', '\u{10000}', '\u{10ffff}']) {
      for (const before of ['', 'a', 'ab', 'abc', 'abcd']) {
        const text = await told({ out: remote(before + unit.repeat(4000)) });
        expect(text).toMatch(/characters not shown; all of it is in \/o\/\d+\.txt …\]/);
        expect(text).not.toMatch(/\\u\{d/);
      }
    }
  });

  it('has more of its head than of its tail, counts what is missing, and is kept whole', async () => {
    const whole = Array.from({ length: 9_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    const text = await told({ out: remote(whole) });
    const [, head = '', missing, file, tail = ''] =
      /<untrusted B>\n(.*)\n\[… (\d+) of 9000 characters not shown; all of it is in (\S+) …\]\n(.*)\n<\/untrusted B>/.exec(
        text,
      ) ?? [];
    expect(whole.startsWith(head) && whole.endsWith(tail)).toBe(true);
    expect(Number(missing)).toBe(9_000 - head.length - tail.length);
    expect(head.length / (head.length + tail.length)).toBeCloseTo(0.6, 2);
    expect(files[Number(file?.match(/\d+/)?.[0]) - 1]).toBe(whole);
  });

  it('shares the room: what is short stays whole, what is long gets as much as the others', async () => {
    const facts = { one: remote('a'.repeat(50_000)), short: remote('s'.repeat(500)), two: remote('b'.repeat(9_000)) };
    const { structured } = await present.answer(answer('done', facts));
    expect(String(structured.short)).toContain('s'.repeat(500));
    const [one = 0, two = 0] = [structured.one, structured.two].map((text) => String(text).length);
    expect(Math.abs(one - two)).toBeLessThan(20);
    expect(JSON.stringify(structured).length).toBeGreaterThan(BUDGET - 300);
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(BUDGET);
  });

  it('is each of too many texts, to no less than a few hundred characters', async () => {
    const facts = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`t${i}`, remote(`${i}`.repeat(1_000))]));
    const { structured } = await present.answer(answer('done', facts));
    const texts = Object.keys(facts).map((name) => String(structured[name]));
    expect(texts.every((text) => text.includes('characters not shown') && text.length > 300)).toBe(true);
    expect(JSON.stringify(structured).length).toBeLessThan(20 * 560);
  });

  it('is told with where all of it is, however long that is', async () => {
    const file = `/o/${'x'.repeat(400)}.txt`;
    const far = createPresent({ redact: (text) => text, budget: BUDGET, save: async () => file });
    const { structured } = await far.answer(answer('done', { a: remote('y'.repeat(50_000)), b: 'z'.repeat(3_500) }));
    expect(structured.a).toContain(`all of it is in ${file} …]`);
  });

  it('keeps the rows that there is room for, in their order, and counts the others', async () => {
    const rows = Array.from({ length: 2_000 }, (_, i) => ({ i }));
    const { structured } = await present.answer(answer('done', { a: 'x', rows }));
    const kept = structured.rows as { i: number }[];
    expect(kept).toEqual(rows.slice(0, kept.length));
    expect(structured.rows_not_shown).toBe(2_000 - kept.length);
    const size = JSON.stringify(structured).length;
    expect(size).toBeLessThanOrEqual(BUDGET);
    expect(size).toBeGreaterThan(BUDGET * 0.8);
  });

  it('is a few rows where there are a few too many', async () => {
    for (let count = 380; count < 480; count += 20) {
      const rows = Array.from({ length: count }, (_, i) => ({ i }));
      const { structured } = await present.answer(answer('done', { rows }));
      expect((structured.rows as unknown[]).length).toBeGreaterThan(Math.min(count, 400) * 0.8);
    }
  });

  it('is a plain string as it is, between marks', async () => {
    const { structured } = await present.answer(answer('done', { note: 'y'.repeat(9_000) }));
    expect(structured.note).toMatch(/^<untrusted [0-9a-f]{24}>\ny+\n\[… .* …\]\ny+\n<\/untrusted/);
  });

  it('is one row that is too long, as a text', async () => {
    const { structured } = await present.answer(answer('done', { rows: [{ a: 'y'.repeat(9_000), b: remote('end') }] }));
    expect(structured.rows).toMatch(
      /^<untrusted [0-9a-f]{24}>\n\[\{"a":"y+\n\[… \d+ of \d+ characters not shown; all of it is in \S+ …\]\ny+","b":"end"\}\]\n<\/untrusted/,
    );
    expect(structured.rows_not_shown).toBeUndefined();
  });

  it('is told in bytes where not all of a stream was kept in memory', async () => {
    const stdout = new RemoteText('y'.repeat(9_000), { bytes: 20_000, omitted: 11_000 }, { file: '/o/all.txt' });
    const [, told = ''] =
      /about (\d+) of 20000 bytes not shown; all of it is in \/o\/all.txt …\]/.exec(
        JSON.stringify((await present.answer(answer('done', { stdout }))).structured),
      ) ?? [];
    expect(Number(told)).toBeGreaterThan(11_000 + 9_000 - BUDGET);
    expect(Number(told)).toBeLessThan(20_000);
  });
});
