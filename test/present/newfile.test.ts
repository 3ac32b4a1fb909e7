import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openNewFile, writeNewFile } from '../../src/present/newfile.ts';
import { makeRoom, saveInto } from '../../src/present/outputs.ts';
import { runAsRoot } from '../rig/users.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'psm-newfile-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});
const stamp = /-\d{14}-[0-9a-f]{8}/;
const mode = (path: string) => statSync(path).mode & 0o777;

describe('a new file', () => {
  it.each([
    ['terraform.tf', 'terraform.tf'],
    ['CT 103 (web)', 'CT-103-web'],
    ['a/b\0c.tar.gz', 'a-b-c.tar.gz'],
    ['--x--.txt', 'x.txt'],
    ['.hidden.', 'hidden'],
    ['ends-.-..', 'ends'],
    ['pässwörd.txt', 'p-ssw-rd.txt'],
    [`${'n'.repeat(70)}.txt`, 'n'.repeat(60)],
    [`${'n'.repeat(55)}.text`, `${'n'.repeat(55)}.text`],
    ['..', ''],
  ])('called %j is called %j with its time and chance', async (name, plain) => {
    const file = basename(await writeNewFile(dir, name, ''));
    expect(file).toMatch(stamp);
    expect(file.replace(stamp, '')).toBe(plain);
    const [, year, month] = /-(\d{4})(\d\d)\d{8}-/.exec(file) ?? [];
    expect(`${year}-${month}`).toBe(new Date().toISOString().slice(0, 7));
  });

  it('is for its owner alone, as is its folder where that has to be made; one that is there stays as it is', async () => {
    mkdirSync(join(dir, 'open'));
    chmodSync(join(dir, 'open'), 0o755);
    const made = [
      [join(dir, 'made', 'deep'), 0o700],
      [join(dir, 'open'), 0o755],
    ] as const;
    for (const [folder, folderMode] of made) {
      const file = await writeNewFile(folder, 'a.txt', 'text');
      expect([mode(folder), mode(file), readFileSync(file, 'utf8')]).toEqual([folderMode, 0o600, 'text']);
    }
  });

  it('can be written to and read from as it grows', async () => {
    const { file, on } = await openNewFile(dir, 'a.txt');
    await on.write('text');
    expect((await on.read(Buffer.alloc(4), 0, 4, 0)).buffer.toString()).toBe('text');
    await on.close();
    expect(mode(file)).toBe(0o600);
  });

  it('is not there when the disk took only a part of it', async () => {
    runAsRoot(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', dir]);
    onTestFinished(() => {
      runAsRoot(['umount', dir]);
    });
    await expect(writeNewFile(dir, 'a.txt', 'x'.repeat(1_000_000))).rejects.toThrow('ENOSPC');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('the room that outputs take', () => {
  const HOUR = 3600;
  /** An output of that many bytes, that many hours old. */
  function output(name: string, bytes: number, hours: number): string {
    const file = join(dir, name);
    writeFileSync(file, Buffer.alloc(bytes));
    const then = Date.now() / 1000 - hours * HOUR;
    utimesSync(file, then, then);
    return file;
  }
  const left = () => readdirSync(dir).toSorted();

  it('is theirs up to the last byte', async () => {
    output('output-1', 600, 2);
    output('output-2', 400, 1);
    expect(await makeRoom(dir, { most: 1_000 })).toBe(true);
    expect(await makeRoom(dir, { most: 1_010, needed: 10 })).toBe(true);
    expect(left()).toEqual(['output-1', 'output-2']);
    expect(await makeRoom(dir, { most: 1_000, needed: 1 })).toBe(true);
    expect(left()).toEqual(['output-2']);
  });

  it('is made by the oldest first, and by no more of them than has to be', async () => {
    output('output-b', 100, 3);
    output('output-a', 100, 2);
    output('output-c', 100, 1);
    output('other', 5_000, 9);
    expect(await makeRoom(dir, { most: 200 })).toBe(true);
    expect(left()).toEqual(['other', 'output-a', 'output-c']);
  });

  it('is counted without what is gone or leads nowhere', async () => {
    symlinkSync(join(dir, 'nowhere'), join(dir, 'output-0'));
    output('output-1', 300, 2);
    output('output-2', 300, 1);
    expect(await makeRoom(dir, { most: 300 })).toBe(true);
    expect(left()).toEqual(['output-0', 'output-2']);
  });

  it('is not made by files that are being written, and then is not there', async () => {
    const busy = new Set([output('output-1', 300, 400), output('output-2', 300, 2)]);
    output('output-3', 300, 1);
    expect(await makeRoom(dir, { most: 500, busy })).toBe(false);
    expect(left()).toEqual(['output-1', 'output-2']);
    expect(await makeRoom(dir, { most: 600, busy })).toBe(true);
  });

  it('is given back after seven days, whatever is left of it', async () => {
    output('output-1', 1, 24 * 7 - 1);
    output('output-2', 1, 24 * 7 + 1);
    expect(await makeRoom(dir)).toBe(true);
    expect(left()).toEqual(['output-1']);
  });

  it('is looked after when an output is kept, which stays itself, as do those that are busy', async () => {
    const busy = output('output-busy', 1, 24 * 9);
    output('output-old', 1, 24 * 8);
    const file = (await saveInto(dir, new Set([busy]))('text')) ?? '';
    expect(left()).toEqual([basename(file), 'output-busy'].toSorted());
    expect(readFileSync(file, 'utf8')).toBe('text');
    expect(basename(file)).toMatch(/^output-\d{14}-[0-9a-f]{8}\.txt$/);
  });

  it('need not be there: what cannot be kept has no path', async () => {
    writeFileSync(join(dir, 'file'), '');
    expect(await saveInto(join(dir, 'file', 'below'))('text')).toBeUndefined();
    expect(existsSync(join(dir, 'file', 'below'))).toBe(false);
    await expect(makeRoom(join(dir, 'none'))).rejects.toThrow('ENOENT');
  });
});
