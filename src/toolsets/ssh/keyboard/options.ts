import type { Word } from './word.ts';

/** The words behind a program's name, by what they are to it. */
export interface Options {
  /** `-x`, `--long`: without their values. */
  readonly given: ReadonlySet<string>;
  readonly operands: readonly string[];
  /** A variable may hold more of them. */
  readonly open: boolean;
  /** Where the first operand stands among the words; their number when there is none. */
  readonly first: number;
}

/**
 * Tells options from operands as getopt(3) does. `valued`: the letters of short options, and the names of long ones, that
 * take the next word as their value; after a `?` the letters that have it attached or not at all. `-long` is given whole
 * too, for programs that spell long options so.
 */
export function optionsOf(words: readonly Word[], valued = '', untilOperand = false): Options {
  const [letters = '', ...names] = valued.split(' ');
  const attached = names.find((name) => name.startsWith('?')) ?? '';
  const given = new Set<string>();
  const operands: string[] = [];
  let first = words.length;
  let open = false;
  for (let i = 0; i < words.length; i++) {
    const { text, open: isOpen } = words[i] as Word;
    open ||= isOpen;
    if (!text.startsWith('-') || text === '-' || text === '--') {
      const rest = words.slice(text === '--' ? i + 1 : i);
      first = Math.min(first, text === '--' ? i + 1 : i);
      if (untilOperand || text === '--') {
        operands.push(...rest.map((one) => one.text));
        break;
      }
      operands.push(text);
      continue;
    }
    const name = text.replace(/=.*/s, '');
    given.add(name);
    if (names.includes(name)) {
      if (name === text) i++;
    } else if (!text.startsWith('--') && takesNext(text, letters, attached, given)) i++;
  }
  return { given, operands, open, first };
}

/** Reads `-abc` letter by letter; whether the last of them takes the next word. */
function takesNext(text: string, letters: string, attached: string, given: Set<string>): boolean {
  for (let i = 1; i < text.length; i++) {
    given.add(`-${text.charAt(i)}`);
    if (letters.includes(text.charAt(i))) return i === text.length - 1;
    if (attached.includes(text.charAt(i))) return false;
  }
  return false;
}
