import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import { remembered } from '../../src/config/remembered.ts';

/** Files of one word each, with stamps that the test sets. */
function disk(files: Record<string, { text: string; stamp: string | undefined }>) {
  return {
    readFile: (path: string) => files[path]?.text ?? '',
    readDir: () => Object.keys(files),
    stamp: (path: string) => (path === 'folder' ? Object.keys(files).join() : files[path]?.stamp),
  };
}

describe('what is made of files', () => {
  it('is made anew when one that was read has changed, and not else', () => {
    const files = { a: { text: 'one', stamp: '1' }, b: { text: 'two', stamp: '1' }, c: { text: '', stamp: '1' } };
    let made = 0;
    const both = remembered(disk(files), ({ readFile }) => {
      made += 1;
      return readFile('a') + readFile('b');
    });
    expect([both(), both(), made]).toEqual(['onetwo', 'onetwo', 1]);
    files.c = { text: 'other', stamp: '2' };
    expect([both(), made]).toEqual(['onetwo', 1]);
    files.b = { text: 'three', stamp: '2' };
    expect([both(), both(), made]).toEqual(['onethree', 'onethree', 2]);
  });

  it('is made anew when a file comes into a folder that was listed', () => {
    const files: Parameters<typeof disk>[0] = { a: { text: '', stamp: '1' } };
    const names = remembered(disk(files), ({ readDir }) => readDir('folder').join());
    expect(names()).toBe('a');
    files.b = { text: '', stamp: '1' };
    expect(names()).toBe('a,b');
  });

  it('is made anew as long as nobody can tell whether a file has changed', () => {
    const files = { a: { text: 'one', stamp: undefined } };
    const text = remembered(disk(files), ({ readFile }) => readFile('a'));
    expect(text()).toBe('one');
    files.a.text = 'two';
    expect(text()).toBe('two');
  });

  const old = createRequire(import.meta.url).resolve('vitest/package.json');

  it('is not made anew for a real file that stays as it is', () => {
    let made = 0;
    const text = remembered(ground(), ({ readFile }) => {
      made += 1;
      return readFile(old) + made;
    });
    const first = text();
    expect(text()).toBe(first);
    expect(made).toBe(1);
  });

  it('shows a change that comes while it is made', () => {
    const files = { a: { text: 'one', stamp: '1' } };
    const text = remembered(disk(files), ({ readFile }) => {
      const before = readFile('a');
      files.a = { text: 'two', stamp: '2' };
      return before;
    });
    expect(text()).toBe('one');
    expect(text()).toBe('two');
  });

  it('shows every change of a real file, at once and with the same size and time', () => {
    const folder = mkdtempSync(join(tmpdir(), 'psm-remembered-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'file');
    const text = remembered(ground(), ({ readFile, stamp }) => (stamp(file) === 'none' ? 'none' : readFile(file)));
    for (let i = 1000; i < 3000; i += 1) {
      writeFileSync(file, String(i));
      utimesSync(file, 1, 1);
      expect(text()).toBe(String(i));
    }
  });
});
