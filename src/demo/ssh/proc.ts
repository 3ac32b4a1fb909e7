import type { Input } from './input.ts';
import type { Machine } from './machine.ts';

/** Everything that one process of a machine has. Programs are given one, and give back their exit code. */
export interface Process {
  readonly machine: Machine;
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Input;
  /** Aborts when the process is to end: killed, or its channel closed. The reason is the signal's name. */
  readonly signal: AbortSignal;
  out(data: string | Buffer): void;
  err(data: string | Buffer): void;
}

export type Program = (args: readonly string[], proc: Process) => number | Promise<number>;

/** Resolves after `ms`, or as soon as the process is to end. */
export function wait(ms: number, { signal }: Process): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
    signal.addEventListener('abort', done);
  });
}

const signals: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CONT: 18,
  STOP: 19,
  PROF: 27,
};

/** The name without SIG of `9`, `KILL` or `SIGKILL`. */
export function signalName(text: string): string | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (name in signals) return name;
  return Object.keys(signals).find((key) => signals[key] === Number(text));
}

export const signalNumber = (name: unknown): number => signals[String(name)] ?? 9;

/** What a shell says of a child that this signal ended: 128 and its number. */
export const statusOfSignal = (name: unknown): number => 128 + signalNumber(name);
