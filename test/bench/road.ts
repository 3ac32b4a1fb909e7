import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A way to run commands on the bench's host, connected. */
export interface Road {
  /** Runs `echo WORD`; whether exactly that came back, and nothing failed. */
  echo(word: string): Promise<boolean>;
  /** The server process behind it, where there is one. */
  readonly pid?: number;
  close(): Promise<void>;
}

/** A way to run commands, and how it is called in the table. */
export interface Way {
  readonly name: string;
  /** Starts what has to be started; nothing has run yet. */
  open(): Promise<Road>;
  /** From nothing to the answer of the first command, in a process of its own: ms. */
  first(): Promise<number>;
}

/** Something of each way that is compared. */
export interface Each<T> {
  readonly ours: T;
  readonly library: T;
  readonly raw: T;
  readonly openssh: T;
  /** Not there where the peer cannot be installed. */
  readonly peer?: T;
}

export type Other = 'raw' | 'openssh' | 'peer';
type Us = 'ours' | 'library';

export interface Pair<T> {
  readonly mine: T;
  readonly theirs: T;
  readonly us: Us;
  readonly them: Other;
}

const PAIRS: readonly (readonly [us: Us, them: Other])[] = [
  ['ours', 'raw'],
  ['library', 'raw'],
  ['ours', 'openssh'],
  ['ours', 'peer'],
];

/** The comparisons that are made, as far as both sides are there. */
export const paired = <T>(each: Each<T>): Pair<T>[] =>
  PAIRS.flatMap(([us, them]) => {
    const theirs = each[them];
    return theirs === undefined ? [] : [{ mine: each[us], theirs, us, them }];
  });

let words = 0;
/** A word that no command of this run was given before. */
export const newWord = (): string => {
  words += 1;
  return `word${words}`;
};

/** One command; throws when it was not answered rightly, because its time would mean nothing. */
export async function answered(road: Road): Promise<void> {
  if (!(await road.echo(newWord()))) throw new Error('A command was not answered rightly.');
}

/** From the start of a program to all of its output, which is to be that word: ms. */
export async function untilWord(command: string, args: readonly string[], word: string): Promise<number> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const over = once(child, 'close');
  let text = '';
  let took = Number.NaN;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
    took = performance.now() - began;
  });
  await over;
  if (text !== `${word}\n`) throw new Error(`${command} ${args[0]} did not answer rightly.`);
  return took;
}
