import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createLogFile } from '../../src/gate/logfile.ts';

let file: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'psm-logfile-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  file = join(folder, 'state', 'log.jsonl');
});

function opened(maxBytes?: number) {
  const log = createLogFile(file, maxBytes);
  onTestFinished(() => log.close());
  return log;
}
const text = () => readFileSync(file, 'utf8');
const descriptors = () => readdirSync('/proc/self/fd').length;
const others = () => readdirSync(dirname(file)).filter((name) => name !== basename(file));

describe('a file of lines', () => {
  it('is made for its owner alone when the first line comes, and tells each where it stands', async () => {
    const log = opened();
    await log.sync();
    expect(existsSync(dirname(file))).toBe(false);
    const before = descriptors();
    const at: number[] = [];
    for (const line of ['ä\n', 'bc\n', 'd\n']) {
      log.append((size) => {
        at.push(size);
        return line;
      });
    }
    expect([at, text()]).toEqual([[0, 3, 6], 'ä\nbc\nd\n']);
    expect(descriptors()).toBe(before + 1);
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it('goes on after what others wrote, on a line of its own after half a line', () => {
    const log = opened();
    log.append(() => 'one\n');
    appendFileSync(file, 'other\n');
    log.append(() => 'two\n');
    appendFileSync(file, 'half');
    log.append((at) => `three at ${at}\n`);
    expect(text()).toBe('one\nother\ntwo\nhalf\nthree at 18\n');
    rmSync(file);
    writeFileSync(file, 'begun');
    log.append(() => 'four\n');
    expect(text()).toBe('begun\nfour\n');
  });

  it('waits for the disk, for the files too that were moved meanwhile, and leaves none open', async () => {
    const before = descriptors();
    const log = createLogFile(file);
    for (let i = 0; i < 5; i += 1) {
      log.append(() => `${i}\n`);
      const [first, second] = [log.sync(), log.sync()];
      renameSync(file, `${file}.${i}`);
      await Promise.all([first, second]);
    }
    log.append(() => 'last\n');
    await log.sync('all');
    expect(descriptors()).toBe(before + 1);
    await log.close();
    expect(descriptors()).toBe(before);
    expect([0, 1, 2, 3, 4].map((i) => readFileSync(`${file}.${i}`, 'utf8'))).toEqual([
      '0\n',
      '1\n',
      '2\n',
      '3\n',
      '4\n',
    ]);
    log.append(() => 'again\n');
    await log.close();
    expect(text()).toBe('last\nagain\n');
  });

  it('says so to all who wait when the disk does not have it; of a file that was moved, to those who ask for all', async () => {
    mkdirSync(dirname(file));
    symlinkSync('/dev/null', file);
    const log = opened();
    log.append(() => 'lost\n');
    const together = await Promise.allSettled([log.sync(), log.sync(), log.sync()]);
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    renameSync(file, `${file}.1`);
    log.append(() => 'kept\n');
    const [last, all] = await Promise.allSettled([log.sync(), log.sync('all')]);
    expect([last.status, all.status]).toEqual(['fulfilled', 'rejected']);
    await log.sync('all');
    expect(text()).toBe('kept\n');
  });

  it('fails where it cannot be, and goes on when it can', async () => {
    mkdirSync(dirname(file));
    mkdirSync(file);
    const log = opened();
    expect(() => log.append(() => 'x\n')).toThrow('EISDIR');
    await log.sync();
    rmSync(file, { recursive: true });
    log.append(() => 'y\n');
    expect(text()).toBe('y\n');
  });
});

describe('a file of lines that may not grow for ever', () => {
  it('gets another name when it is full, and a new one begins at 0', () => {
    const log = opened(11);
    for (const line of ['12345678\n', 'x\n']) log.append(() => line);
    expect([text(), others()]).toEqual(['12345678\nx\n', []]);
    log.append((at) => `${at}\n`);
    expect(text()).toBe('0\n');
    const [rotated = ''] = others();
    expect(rotated).toMatch(/^log-\d{8}T\d{9}\.jsonl$/);
    expect(readFileSync(join(dirname(file), rotated), 'utf8')).toBe('12345678\nx\n');
  });

  it('does so once for two that write it', () => {
    const both = [opened(10), opened(10)];
    for (const log of both) log.append(() => '12345\n');
    for (const log of both) log.append(() => 'next\n');
    expect([text(), others().length]).toEqual(['next\nnext\n', 1]);
  });

  it('grows on while another one is about to give it a name, until that was left behind for 10 seconds', () => {
    const log = opened(5);
    log.append(() => '12345\n');
    writeFileSync(`${file}.rotate`, '');
    log.append(() => 'two\n');
    expect(others()).toEqual([`${basename(file)}.rotate`]);
    const old = (seconds: number) =>
      utimesSync(`${file}.rotate`, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
    old(9);
    log.append(() => 'three\n');
    expect(others()).toEqual([`${basename(file)}.rotate`]);
    old(11);
    log.append(() => 'four\n');
    expect([text(), others()]).toEqual(['12345\ntwo\nthree\nfour\n', []]);
    log.append(() => 'five\n');
    expect([text(), others().length]).toEqual(['five\n', 1]);
  });
});
