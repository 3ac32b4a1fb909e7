import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

describe('the table of attempts in SECURITY.md', () => {
  const text = readFileSync(join(root, 'SECURITY.md'), 'utf8');
  const section = text.split('\n## What was tried\n')[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => /^\| (?!attempt |---)/.test(line));

  it('has rows for everybody who attacks', () => {
    expect(section.match(/^### /gm)).toHaveLength(9);
    expect(rows.length).toBeGreaterThanOrEqual(60);
    expect(new Set(rows).size).toBe(rows.length);
  });

  it.each(rows)('names a test that there is: %s', (row) => {
    const [, file = '', name = ''] = / \| `([\w/-]+)` ([^|]+) \|$/.exec(row) ?? [];
    expect(name.length).toBeGreaterThan(7);
    const path = join(root, 'test', `${file}.test.ts`);
    expect(existsSync(path)).toBe(true);
    const tests = readFileSync(path, 'utf8').replaceAll("\\'", "'");
    expect(
      ["'", '"', '`'].some(
        (quote) =>
          tests.includes(`(${quote}${name}`) ||
          tests.includes(`\n    ${quote}${name}`) ||
          tests.includes(`\n  ${quote}${name}`),
      ),
    ).toBe(true);
  });
});
