import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  constants,
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
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegular } from '../../../src/ssh/files/content.ts';
import { codeOf, LocalFolder, localPath } from '../../../src/ssh/files/local.ts';
import { Part } from '../../../src/ssh/files/part.ts';

const base = mkdtempSync(join(tmpdir(), 'psm-local-'));
afterAll(() => rmSync(base, { recursive: true }));
let root = '';
let count = 0;
beforeEach(() => {
  root = join(base, `root${++count}`);
});

describe('a path in the transfer folder', () => {
  it.each([
    ['a', [], 'a'],
    ['b/c/d', ['b', 'c'], 'd'],
    ['./b//c', ['b'], 'c'],
    ['/base/b/c', ['b'], 'c'],
    ['..a', [], '..a'],
  ])('%s is taken', (path, folders, name) => expect(localPath('/base', path)).toEqual({ folders, name }));

  it.each([
    [''],
    ['.'],
    ['..'],
    ['../x'],
    ['a/../../x'],
    ['a/../b'],
    ['/etc/passwd'],
    ['/base'],
    ['/base/../etc/passwd'],
    ['/basement/x'],
    ['a/'],
    ['a\0b'],
    ['.psm-x.part'],
  ])('%j is refused', (path) => expect(() => localPath('/base', path)).toThrow('is no file in the transfer folder'));
});

const code = (work: Promise<unknown>) => work.then(() => 'done', codeOf);

describe('the transfer folder', () => {
  it('is made when it is first needed, for the operator only', async () => {
    const folder = await LocalFolder.open(root, ['a', 'b'], true);
    await folder.close();
    for (const path of [root, join(root, 'a'), join(root, 'a/b')]) expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(await code(LocalFolder.open(join(base, 'none'), [], false))).toBe('ENOENT');
  });

  it('follows no link in any component', async () => {
    mkdirSync(join(root, 'real/deep'), { recursive: true });
    writeFileSync(join(root, 'real/file'), 'x');
    symlinkSync('real', join(root, 'link'));
    symlinkSync('/etc/passwd', join(root, 'passwd'));
    for (const folders of [['link'], ['link', 'deep'], ['real', 'file']]) {
      expect(await code(LocalFolder.open(root, folders, true))).toMatch(/^(ELOOP|ENOTDIR)$/);
    }
    const folder = await LocalFolder.open(root, [], false);
    expect(await code(openRegular(folder.at('passwd')))).toBe('ELOOP');
    await folder.close();
  });

  it('stays the folder that was opened, whatever its path leads to by then', async () => {
    const outside = join(base, 'outside');
    mkdirSync(join(root, 'sub'), { recursive: true });
    mkdirSync(outside, { recursive: true });
    const folder = await LocalFolder.open(root, ['sub'], false);
    execFileSync('sh', ['-c', 'mv "$0/sub" "$0/moved" && ln -s "$1" "$0/sub"', root, outside]);
    const file = await openRegular(folder.at('new'), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    await file.close();
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(join(root, 'moved'))).toEqual(['new']);
    await folder.close();
  });

  it('lets nobody who swaps its folders for links lead a transfer outside', async () => {
    const outside = join(base, `outside${count}`);
    mkdirSync(join(root, 'sub'), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(root, 'sub/secret'), 'inside');
    writeFileSync(join(outside, 'secret'), 'outside');
    const swap = 'while :; do mv "$0/sub" "$0/kept"; ln -s "$1" "$0/sub"; rm "$0/sub"; mv "$0/kept" "$0/sub"; done';
    const swapper = spawn('sh', ['-c', swap, root, outside], { stdio: 'ignore' });
    const over = once(swapper, 'exit');
    const seen = { inside: 0, refused: 0 };
    for (let i = 0; i < 2_000 || (seen.inside === 0 && i < 50_000); i++) {
      const folder = await LocalFolder.open(root, ['sub'], false).catch((error: unknown) => codeOf(error));
      if (!(folder instanceof LocalFolder)) {
        expect(['ELOOP', 'ENOTDIR', 'ENOENT']).toContain(folder);
        seen.refused++;
        continue;
      }
      const source = await openRegular(folder.at('secret'));
      expect((await source.readFile()).toString()).toBe('inside');
      await source.close();
      const part = await Part.claim(folder, 'key', 'token');
      part.take(Buffer.from('x'));
      await part.flush();
      await part.publish('made', true);
      await part.release(false);
      await folder.close();
      seen.inside++;
    }
    swapper.kill('SIGKILL');
    await over;
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(seen.inside).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });
});

describe('a part of a download', () => {
  const open = () => LocalFolder.open(root, [], true);
  let folder: LocalFolder;
  beforeEach(async () => {
    folder = await open();
  });
  afterEach(() => folder.close());

  it('is 0600, and goes on from what was kept', async () => {
    const first = await Part.claim(folder, 'k', 'one');
    for (let i = 0; i < 40; i++) await first.take(Buffer.alloc(50_000, i));
    expect(statSync(join(root, '.psm-k.one.busy')).mode & 0o777).toBe(0o600);
    await first.release(true);
    expect(readdirSync(root)).toEqual(['.psm-k.part']);
    const second = await Part.claim(folder, 'k', 'two');
    expect(second.size).toBe(2_000_000);
    second.take(Buffer.from('end'));
    await second.flush();
    await second.publish('file', false);
    await second.release(false);
    const content = readFileSync(join(root, 'file'));
    expect(content.subarray(1_999_999).toString('latin1')).toBe('\x27end');
    expect(readdirSync(root)).toEqual(['file']);
  });

  it('belongs to one at a time, until it is let go or abandoned', async () => {
    const first = await Part.claim(folder, 'k', 'one');
    first.take(Buffer.from('mine'));
    await first.flush();
    const second = await Part.claim(folder, 'k', 'two');
    expect(second.size).toBe(0);
    await second.release(true);
    const long = new Date(Date.now() - 180_000);
    utimesSync(join(root, '.psm-k.one.busy'), long, long);
    const third = await Part.claim(folder, 'k', 'three');
    expect(third.size).toBe(4);
    await third.release(false);
    await first.release(false);
    expect(readdirSync(root)).toEqual([]);
  });

  it('trusts no link and no second name of another file', async () => {
    writeFileSync(join(base, 'precious'), 'precious');
    for (const make of ['ln -s', 'ln']) {
      execFileSync('sh', ['-c', `${make} "$0/precious" "$1/.psm-k.part"`, base, root]);
      const part = await Part.claim(folder, 'k', 'one');
      expect(part.size).toBe(0);
      part.take(Buffer.from('x'));
      await part.release(true);
      expect(readFileSync(join(base, 'precious'), 'utf8')).toBe('precious');
      rmSync(join(root, '.psm-k.part'), { force: true });
    }
  });

  it('takes the place of a file only when that may be replaced', async () => {
    writeFileSync(join(root, 'file'), 'old');
    for (const [overwrite, content] of [
      [false, 'old'],
      [true, 'new'],
    ] as const) {
      const part = await Part.claim(folder, 'k', 'one');
      part.take(Buffer.from('new'));
      await part.flush();
      expect(await code(part.publish('file', overwrite))).toBe(overwrite ? 'done' : 'EEXIST');
      await part.release(false);
      expect(readFileSync(join(root, 'file'), 'utf8')).toBe(content);
      expect(existsSync(join(root, '.psm-k.one.busy'))).toBe(false);
    }
  });
});
