import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What becomes of one system call of a program. */
export interface CallFault {
  /** strace's name of it, or several with commas; it is the first that is wanted when `nth` is not given. */
  readonly call: string;
  readonly nth?: number;
  /** Of those on this path only, written as the program writes it. */
  readonly path?: string;
  /** In place of it: an error, or the end of the process. Before it: so many ms of waiting. */
  readonly instead: 'SIGKILL' | `E${string}` | { readonly delayMs: number };
}

/** argv that notes these calls of a program and of its children in a file; strace's own output format. */
export const noted = (argv: readonly string[], calls: readonly string[], log: string): string[] => [
  ...['strace', '-f', '-y', '-qq', '-s', '0', '-o', log, '-e', `trace=${calls.join()}`],
  ...argv,
];

/** argv that runs a program with one call of it, or of a child, spoiled. */
export const spoiled = (argv: readonly string[], fault: CallFault, log = '/dev/null', calls = [fault.call]): string[] =>
  noted([...(fault.path ? ['-P', fault.path] : []), '-e', injection(fault), ...argv], calls, log);

function injection({ call, nth = 1, instead }: CallFault): string {
  if (typeof instead === 'object') return `inject=${call}:delay_enter=${instead.delayMs * 1_000}:when=${nth}`;
  return `inject=${call}:${instead === 'SIGKILL' ? 'signal=SIGKILL' : `error=${instead}`}:when=${nth}`;
}

/** Puts a program of that name into a folder for the front of PATH: the real one, with one call of it spoiled. */
export function spoilProgram(folder: string, name: string, fault: CallFault): void {
  mkdirSync(folder, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim();
  const words = spoiled([real], fault).map((word) => `'${word}'`);
  writeFileSync(join(folder, name), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
}

/** Whether strace may trace here; in some containers no process may. */
export function mayTrace(): boolean {
  const file = join(tmpdir(), `psm-strace-${process.pid}`);
  writeFileSync(file, '');
  try {
    execFileSync('strace', ['-qq', '-o', file, 'true'], { stdio: 'ignore' });
    return readFileSync(file, 'utf8').includes('execve');
  } catch {
    return false;
  } finally {
    rmSync(file);
  }
}
