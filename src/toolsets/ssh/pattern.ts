import { matchesWildcard } from '../../wildcard.ts';

/** A pattern for whole commands, taken apart: `*` as the last word stands for any further words, none included. */
export interface Pattern {
  readonly text: string;
  readonly words: readonly string[];
  readonly open: boolean;
}

export function patternOf(text: string): Pattern {
  const words = text.trim().split(/\s+/);
  const open = words.at(-1) === '*';
  return { text, words: open ? words.slice(0, -1) : words, open };
}

/**
 * Whether the pattern means this command. A program is known by its name without its folder, unless the pattern has a
 * folder too. Where `literal` says that a word is not known as it is written, only an open end matches it.
 */
export function matches(
  { words, open }: Pattern,
  command: readonly string[],
  literal: (index: number) => boolean = () => true,
): boolean {
  if (open ? command.length < words.length : command.length !== words.length) return false;
  return words.every((pattern, i) => {
    const word = command[i] ?? '';
    const meant = i === 0 && !pattern.includes('/') ? word.slice(word.lastIndexOf('/') + 1) : word;
    return literal(i) && matchesWildcard(meant, pattern);
  });
}

const bundle = /^-[A-Za-z]+$/;

/** Short options that stand side by side as one word, each letter once and in order: `-r -f` and `-fr` are `-fr`. */
function bundled(words: readonly string[]): string[] {
  const all: string[] = [];
  for (const word of words) {
    const last = all.at(-1) ?? '';
    if (!bundle.test(word)) all.push(word);
    else if (bundle.test(last)) all[all.length - 1] = inOrder(last + word.slice(1));
    else all.push(inOrder(word));
  }
  return all;
}

const inOrder = (options: string): string => `-${[...new Set(options.slice(1))].sort().join('')}`;

/** Whether the pattern, which is bundled, means the bundled command; further options may stand where its end is open. */
function matchesBundled({ words, open }: Pattern, command: readonly string[]): boolean {
  const [last = '', at] = [words.at(-1) ?? '', words.length - 1];
  const given = command[at] ?? '';
  const more = open && bundle.test(last) && bundle.test(given) && [...last].every((letter) => given.includes(letter));
  return matches({ text: '', words: more ? words.with(at, given) : words, open }, command);
}

/**
 * The first of the patterns that means a command, as it is written. Short options may be bundled otherwise and in another
 * order: an option with a value of its own may be taken for several, so this is for finding too much rather than too little.
 */
export function patternSet(texts: readonly string[]): (command: readonly string[]) => string | undefined {
  const plain = texts.map(patternOf);
  const withOptions = plain
    .filter(({ words }) => words.some((word) => bundle.test(word)))
    .map((one) => ({ ...one, words: bundled(one.words) }));
  return (command) => {
    const found = plain.find((one) => matches(one, command));
    if (found || withOptions.length === 0) return found?.text;
    const other = bundled(command);
    return withOptions.find((one) => matchesBundled(one, other))?.text;
  };
}
