import { execFile } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { locked } from '../src/lock.ts';
import { Home } from './config/home.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** Makes the lock of a file as old as that. */
function aged(file: string, ms: number): void {
  const then = (Date.now() - ms) / 1000;
  writeFileSync(`${file}.lock`, '');
  utimesSync(`${file}.lock`, then, then);
}

describe('the lock of a file', () => {
  it('is there while one works, for this user only, and gone afterwards, also when that fails', async () => {
    const file = join(new Home().path, 'new', 'folder', 'hosts.json');
    const mode = await locked(file, () => statSync(`${file}.lock`).mode & 0o777);
    expect([mode, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    const fails = locked(file, () => {
      throw new Error('full');
    });
    await expect(fails).rejects.toThrow('full');
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('is beside the file itself, where that is a link', async () => {
    const home = new Home();
    const real = home.write('real.json', '{}');
    symlinkSync(real, join(home.path, 'link.json'));
    expect(await locked(join(home.path, 'link.json'), () => existsSync(`${real}.lock`))).toBe(true);
  });

  it('is waited for as long as another one works, and then is ours', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const file = new Home().write('hosts.json', '{}');
    aged(file, 0);
    let done = false;
    const ours = locked(file, () => {
      done = true;
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(done).toBe(false);
    rmSync(`${file}.lock`);
    await vi.advanceTimersByTimeAsync(20);
    await ours;
    expect(done).toBe(true);
  });

  it('is given up after 3 seconds, and stays that of the other one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const file = new Home().write('hosts.json', '{}');
    aged(file, 0);
    const ended = locked(file, () => 'never').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(await ended).toMatchObject({
      kind: 'busy',
      message: `Another process is changing ${file}.`,
      hint: `Call again; if none is, remove ${file}.lock.`,
    });
    expect(existsSync(`${file}.lock`)).toBe(true);
  });

  it('is nobody’s when it is older than 10 seconds, and leaves nothing behind', async () => {
    const file = new Home().write('hosts.json', '{}');
    aged(file, 10_500);
    expect(await locked(file, () => 'ours')).toBe('ours');
    expect(readdirSync(dirname(file))).toEqual(['hosts.json']);
  });

  it('is not nobody’s before that', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const file = new Home().write('hosts.json', '{}');
    aged(file, 6_000);
    const ended = locked(file, () => 'never').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(await ended).toMatchObject({ kind: 'busy' });
  });

  it('that cannot be made, here below a file, is a failure that says why, and no other process’s', async () => {
    const below = join(new Home().write('a-file', ''), 'hosts.json');
    await expect(locked(below, () => 'never')).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(/hosts\.json could not be written: EEXIST.*\.$/),
      hint: 'Make its folder writable for this user.',
      cause: { code: expect.stringMatching(/^E/) },
    });
  });

  it('lets 4 processes change a file at once, 10 times each, and none is lost', async () => {
    const home = new Home();
    const file = home.write('hosts.json', '{ "hosts": { "one": { "address": "10.0.0.9" } } }');
    const script = `
      import { changeEntry } from '${resolve(import.meta.dirname, '../src/config/hostschange.ts')}';
      const [file, who] = process.argv.slice(-2);
      for (let i = 0; i < 10; i++) await changeEntry(file, \`\${who}-\${i}\`, [{ path: ['address'], value: '10.0.0.1' }]);`;
    const main = home.write('main.mts', script);
    const tsx = resolve(import.meta.dirname, '../node_modules/tsx/dist/cli.mjs');
    const run = (who: string) => promisify(execFile)(process.execPath, [tsx, main, file, who]);
    await Promise.all(['a', 'b', 'c', 'd'].map(run));
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).hosts)).toHaveLength(41);
  });
});
