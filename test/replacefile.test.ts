import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile } from '../src/replacefile.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'psm-replace-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const insteadOf = (make: () => void) => {
  rmSync(at('file'));
  make();
};

describe('a file that is replaced', () => {
  it('is made 0600 in a folder of 0700 when it was not there', () => {
    replaceFile(at('new/file'), 'text');
    expect(statSync(at('new/file')).mode & 0o777).toBe(0o600);
    expect(statSync(at('new')).mode & 0o777).toBe(0o700);
    expect(readdirSync(at('new'))).toEqual(['file']);
  });

  it('keeps mode and owner', () => {
    writeFileSync(at('file'), 'old');
    chmodSync(at('file'), 0o640);
    replaceFile(at('file'), 'new');
    expect(statSync(at('file')).mode & 0o777).toBe(0o640);
    expect(readFileSync(at('file'), 'utf8')).toBe('new');
  });

  it('stays behind its links, one that points to nothing included', () => {
    mkdirSync(at('real'));
    writeFileSync(at('real/file'), 'old');
    symlinkSync('real/file', at('link'));
    symlinkSync('link', at('second'));
    symlinkSync('real/missing', at('dangling'));
    replaceFile(at('second'), 'new');
    replaceFile(at('dangling'), 'made');
    expect(readFileSync(at('real/file'), 'utf8')).toBe('new');
    expect(readFileSync(at('real/missing'), 'utf8')).toBe('made');
    for (const link of ['link', 'second', 'dangling']) expect(lstatSync(at(link)).isSymbolicLink()).toBe(true);
  });

  it.each([
    ['is read-only', () => chmodSync(at('file'), 0o444), /it is read-only/],
    ['has links in a circle', () => insteadOf(() => symlinkSync('file', at('file'))), /in a circle/],
    ['is a folder', () => insteadOf(() => mkdirSync(at('file'))), /could not be written/],
  ])('that %s is left as it is, and nothing lies beside it', (_, spoil, why) => {
    writeFileSync(at('file'), 'old');
    spoil();
    expect(() => replaceFile(at('file'), 'new')).toThrow(why);
    expect(readdirSync(folder)).toEqual(['file']);
    expect(existsSync(at('file')) && lstatSync(at('file')).isFile() ? readFileSync(at('file'), 'utf8') : 'old').toBe(
      'old',
    );
  });
});
