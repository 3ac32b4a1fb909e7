import { posix } from 'node:path';

/** Words that stand before a command and leave it a command. */
const shellWords = new Set(['{', '!', 'then', 'do', 'else', 'if', 'elif', 'while', 'until', 'coproc']);

/** Programs that run shell text, given as an argument behind `-c` or on standard input. */
export const shells = /^(ba|da|z|a|k|mk)?sh$/;

/** Programs that run what follows their options. */
const runners = new Set(
  'sudo doas env nohup nice ionice time timeout exec command builtin setsid stdbuf busybox toybox xargs systemd-run run0 pkexec unshare watch eval fakeroot chronic unbuffer dbus-run-session linux64 linux32'.split(
    ' ',
  ),
);

/** Programs that run a command which begins somewhere among their arguments. */
const carriers = new Set(
  'ssh pct qm docker podman chroot nsenter lxc-attach su runuser script lxc incus nerdctl machinectl flock taskset chrt setpriv strace ltrace parallel tmux screen kubectl crictl vzctl systemd-nspawn systemd-inhibit lxc-execute gosu choom prlimit setarch numactl firejail bwrap entr'.split(
    ' ',
  ),
);

/** How far into a command line a program is looked for, and how many readings of one line are given. */
const USUAL = { farthest: 12, most: 32 };

const isAssignment = (word: string): boolean => /^[A-Za-z_]\w*=/.test(word);
const isQuantity = (word: string): boolean => /^\d+(\.\d+)?[smhd]?$/.test(word);

/** The program's name without its folder. */
export const programOf = (words: readonly string[]): string => posix.basename(words[0] ?? '');

/**
 * What a list of words may run: itself, and for `sudo -u root timeout 5 rm …` also what the programs in front of the
 * last one run. Where a word may be an option's value or a program, both are given.
 */
export function readings(words: readonly string[], { farthest, most } = USUAL): (readonly string[])[] {
  const named = words[0] === 'function' ? 2 : 0;
  const first = words.findIndex((word, i) => i >= named && !shellWords.has(word) && !isAssignment(word));
  const starts = new Set(first < 0 ? [] : [first]);
  // `time { …`, `coproc NAME { …`.
  const group = words.indexOf('{', first + 1);
  if (first >= 0 && group >= 0 && group + 1 < words.length) starts.add(group + 1);
  for (const start of starts) {
    const own = words.slice(start, start + farthest + 1);
    const more = programOf(own) === 'find' ? executed(words, start) : carried(own);
    for (const offset of more) if (starts.size < most) starts.add(start + offset);
  }
  return [...starts].map((start) => words.slice(start));
}

/** Offsets of what `find` runs. */
const executed = (words: readonly string[], start: number): number[] =>
  words.slice(start).flatMap((word, i) => (/^-(exec|ok)(dir)?$/.test(word) ? [i + 1] : []));

/** Offsets at which the program that `words` begin with may have another one. */
function carried(words: readonly string[]): number[] {
  const program = programOf(words);
  const offsets = words.map((_, i) => i).slice(1);
  if (carriers.has(program)) return offsets.filter((i) => !words[i]?.startsWith('-'));
  if (!runners.has(program)) return [];
  const found: number[] = [];
  for (const i of offsets) {
    const word = words[i] ?? '';
    if (word.startsWith('-') || isAssignment(word) || isQuantity(word)) continue;
    found.push(i);
    if (!words[i - 1]?.startsWith('-')) break;
  }
  return found;
}
