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
