import { posix } from 'node:path';

/** Words that stand before a command and leave it a command. */
const shellWords = new Set(['{', '!', 'then', 'do', 'else', 'if', 'elif', 'while', 'until', 'function']);

/** Programs that run what follows their options. */
const runners = new Set(
  'sudo doas env nohup nice ionice time timeout exec command builtin setsid stdbuf busybox xargs systemd-run unshare watch eval'.split(
    ' ',
  ),
);

/** Programs that run a command which begins somewhere among their arguments. */
const carriers = new Set('ssh pct qm docker podman chroot nsenter lxc-attach su runuser script'.split(' '));

const MOST_WORDS_BEFORE = 12;

const isAssignment = (word: string): boolean => /^[A-Za-z_]\w*=/.test(word);
const isQuantity = (word: string): boolean => /^\d+(\.\d+)?[smhd]?$/.test(word);

/** The program's name without its folder. */
export const programOf = (words: readonly string[]): string => posix.basename(words[0] ?? '');

/**
 * What a list of words may run: itself, and for `sudo -u root timeout 5 rm …` also what the programs in front of the
 * last one run. Where a word may be an option's value or a program, both are given.
 */
export function readings(words: readonly string[]): (readonly string[])[] {
  const start = words.findIndex((word) => !shellWords.has(word) && !isAssignment(word));
  if (start < 0) return [];
  const own = words.slice(start);
  return [own, ...inner(own).flatMap(readings)];
}

function inner(words: readonly string[]): (readonly string[])[] {
  const program = programOf(words);
  const places = words.slice(1, 1 + MOST_WORDS_BEFORE).map((_, i) => i + 1);
  const from = (i: number) => words.slice(i);
  if (carriers.has(program)) return places.filter((i) => !words[i]?.startsWith('-')).map(from);
  if (program === 'find') {
    return words.flatMap((word, i) => (/^-(exec|ok)(dir)?$/.test(word) ? [from(i + 1)] : []));
  }
  if (!runners.has(program)) return [];
  const found: number[] = [];
  for (const i of places) {
    const word = words[i] ?? '';
    if (word.startsWith('-') || isAssignment(word) || isQuantity(word)) continue;
    found.push(i);
    if (!words[i - 1]?.startsWith('-')) break;
  }
  return found.map(from);
}
