import { readFileSync, rmSync } from 'node:fs';
import { noted, spoiled } from './strace.ts';

/** One call of a program that changes the disk, or makes a change last. */
export interface Call {
  /** `rename`, as the system calls it. */
  readonly name: string;
  /** The how many-th of its name it is in the whole run, from 1. */
  readonly nth: number;
  /** What it is done to, with random parts of names taken out. */
  readonly on: string;
}

/** What happens in place of a call: the end of the process, or this error. */
export type Instead = 'SIGKILL' | 'ENOSPC' | 'EIO' | 'EPERM';

/** Runs a program with one of its calls replaced. */
export interface Cutter {
  readonly by: string;
  /** argv and environment with which the program's calls are noted into a file. */
  noting(argv: readonly string[], file: string): Prepared;
  /** The same, with something else in place of one call. */
  cutting(argv: readonly string[], file: string, call: Call, instead: Instead): Prepared;
  /** The calls below the folder that a run noted. */
  calls(file: string, folder: string): Call[];
}

export interface Prepared {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const NAMES = ['openat', 'pwrite64', 'fchmod', 'fchown', 'fsync', 'rename', 'unlink', 'mkdir', 'rmdir', 'ftruncate'];
const withoutChance = (text: string): string => text.replace(/\.[0-9a-f]{12}\.new/g, '.….new');

/** Numbers the calls of each name, and keeps those below the folder. */
function numbered(lines: readonly { readonly name: string; readonly on: string }[], folder: string): Call[] {
  const counts = new Map<string, number>();
  return lines.flatMap(({ name, on }) => {
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    return on.includes(folder) ? [{ name, nth, on: withoutChance(on).replaceAll(folder, '~') }] : [];
  });
}

/** The system's own calls, replaced by strace. Node makes the synchronous ones of a program on its first thread. */
export const byStrace: Cutter = {
  by: 'strace',
  noting: (argv, file) => ({ argv: noted(argv, NAMES, file), env: {} }),
  cutting: (argv, file, { name, nth }, instead) => ({
    argv: spoiled(argv, { call: name, nth, instead }, file, NAMES),
    env: {},
  }),
  calls(file, folder) {
    const lines = readFileSync(file, 'utf8').split('\n');
    const first = lines[0]?.split(' ')[0];
    const own = lines.filter((line) => line.split(' ')[0] === first);
    const calls = own.map((line) => /^\d+ +(\w+)\((.*)/.exec(line) ?? []);
    return numbered(
      calls.flatMap(([, name, on]) =>
        name && on ? [{ name, on: on.replace(/( <unfinished \.\.\.>|\) += .*)$/, '') }] : [],
      ),
      folder,
    ).filter(({ name, on }) => name !== 'openat' || on.includes('O_CREAT'));
  },
};

/** The functions of node:fs that make those calls, replaced inside the program. */
const PRELOAD = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { CUT_FILE, CUT_NAME, CUT_NTH, CUT_INSTEAD } = process.env;
const note = fs.appendFileSync, names = new Map(), counts = new Map();
const pathOf = (on) => (typeof on === 'number' ? names.get(on) ?? '' : String(on));
for (const name of ['openSync', 'writeSync', 'fchmodSync', 'fsyncSync', 'renameSync', 'rmSync', 'mkdirSync', 'rmdirSync']) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (name !== 'openSync' || /w|a/.test(String(args[1]))) {
      const nth = (counts.get(name) ?? 0) + 1;
      counts.set(name, nth);
      note(CUT_FILE, name + ' ' + pathOf(args[0]) + '\\n');
      if (name === CUT_NAME && nth === Number(CUT_NTH)) {
        if (CUT_INSTEAD === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
        throw Object.assign(new Error(CUT_INSTEAD + ': pretended, ' + name), { code: CUT_INSTEAD });
      }
    }
    const result = real(...args);
    if (name === 'openSync') names.set(result, args[0]);
    return result;
  };
}
syncBuiltinESMExports();
`;

const preload = (more: Readonly<Record<string, string>>, argv: readonly string[]): Prepared => {
  const options = `--import=data:text/javascript,${encodeURIComponent(PRELOAD)}`;
  return { argv, env: { NODE_OPTIONS: options, ...more } };
};

/** For where no process may trace another. */
export const byPreload: Cutter = {
  by: 'a preload of node:fs',
  noting(argv, file) {
    rmSync(file, { force: true });
    return preload({ CUT_FILE: file }, argv);
  },
  cutting(argv, file, { name, nth }, instead) {
    rmSync(file, { force: true });
    return preload({ CUT_FILE: file, CUT_NAME: name, CUT_NTH: String(nth), CUT_INSTEAD: instead }, argv);
  },
  calls: (file, folder) =>
    numbered(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => ({ name: line.split(' ')[0] ?? '', on: line.slice(line.indexOf(' ') + 1) })),
      folder,
    ),
};
