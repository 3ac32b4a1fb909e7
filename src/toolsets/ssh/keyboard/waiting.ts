import type { Call } from './calls.ts';
import { optionsOf } from './options.ts';

/**
 * What a program would wait for: a terminal to draw on, an answer on standard input, what somebody writes in an editor.
 * `end`: for nothing, it goes on until it is told to stop.
 */
export type Need = 'screen' | 'answer' | 'editor' | 'end';

/** One way in which programs wait. All that is said of it has to be so. */
export interface Waiting {
  readonly programs: RegExp;
  readonly needs: Need;
  /** The first operand, as of git and apt. */
  readonly verb?: RegExp;
  /** Options with values, as `optionsOf` has them: in front of the verb, and behind it. */
  readonly before?: string;
  readonly valued?: string;
  /** Options end at the first operand behind the verb. */
  readonly strict?: true;
  /** It waits with one of these options only, and with none of those. */
  readonly only?: string;
  readonly unless?: string;
  /** How many operands there are, at least and at most, the verb not counted. */
  readonly operands?: readonly [number, number];
  readonly when?: (how: How) => boolean;
  /** A sentence with what works, commands in backticks. */
  readonly form: string;
}

/** A call as a row looks at it. */
export interface How {
  readonly call: Call;
  readonly given: ReadonlySet<string>;
  readonly operands: readonly string[];
  has(...options: string[]): boolean;
}

const list = (text: string | undefined): string[] => (text === undefined ? [] : text.split(' '));

/** Whether the call is one of those that the row tells of, whatever its streams are. */
export function isSuch(row: Waiting, call: Call): boolean {
  const { verb, before = '', valued = '', strict, operands: [least, most] = [0, Number.POSITIVE_INFINITY] } = row;
  const first = optionsOf(call.args, verb ? before : valued, verb !== undefined || strict);
  const rest = verb ? call.args.slice(first.first + 1) : [];
  if (verb && !verb.test(call.args[first.first]?.text ?? '')) return false;
  const behind = verb ? optionsOf(rest, valued, strict) : first;
  // In front of the verb a letter with a value means something else than behind it, as -C of git.
  const [letters = ''] = before.split(' ');
  const inFront = verb ? [...first.given].filter((one) => one.length !== 2 || !letters.includes(one.charAt(1))) : [];
  const given = new Set([...inFront, ...behind.given]);
  const has = (...options: string[]) => options.some((option) => given.has(option));
  if (has('--help', '--version', '-?')) return false;
  // What a variable holds may be the very option that is missing.
  if (row.unless !== undefined && (first.open || behind.open || has(...list(row.unless)))) return false;
  if (row.only !== undefined && !has(...list(row.only))) return false;
  const count = behind.operands.length;
  if (count < least || count > most) return false;
  return row.when?.({ call, given, operands: behind.operands, has }) ?? true;
}

/** Whether one of the options stands behind that word: of a subcommand of a subcommand. */
export const behind =
  (sub: string, ...options: string[]) =>
  ({ call }: How): boolean => {
    const words = call.args.map(({ text }) => text);
    const at = words.indexOf(sub);
    return at >= 0 && words.slice(at).some((one) => options.includes(one));
  };
