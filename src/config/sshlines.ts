import { basename, isAbsolute, join } from 'node:path';
import { type Problem, reason } from './problem.ts';
import type { Disk } from './sshconfig.ts';

/** One line of an OpenSSH client configuration that says something. */
export interface ConfigLine {
  /** In lower case. */
  readonly keyword: string;
  /** What follows it, without the space around it. */
  readonly rest: string;
  /** The words of that, without their quotes. */
  readonly words: readonly string[];
  /** `FILE:LINE`. */
  readonly where: string;
  /** The files that an Include stands for, each as its lines. */
  readonly included: readonly (readonly ConfigLine[])[];
}

/** Something that ssh(1) would refuse the whole configuration for; the message says where and what. */
export class ConfigError extends Error {}

/** Where lines are read from. */
export interface Reader {
  readonly disk: Disk;
  readonly home: string;
  readonly problems: Problem[];
  /** How many files were included so far. */
  included: number;
}

/** Files that include one another twice over would be read for ever. */
const MOST_INCLUDED = 1_000;

/** Reads a file with all that it includes; a missing one is empty. */
export function readLines(path: string, reader: Reader, chain: readonly string[] = []): readonly ConfigLine[] {
  const text = textOf(path, reader);
  return text.split('\n').flatMap((row, i) => {
    const [, keyword, rest = ''] = /^\s*([^\s=#"]+)(?:\s*=\s*|\s+|$)(.*)$/.exec(row.trimEnd()) ?? [];
    if (keyword === undefined) return [];
    const where = `${path}:${i + 1}`;
    const line = { keyword: keyword.toLowerCase(), rest, words: wordsOf(rest, where), where };
    const files = line.keyword === 'include' ? line.words.flatMap((pattern) => filesOf(pattern, reader)) : [];
    return [{ ...line, included: files.map((file) => readIncluded(file, reader, [...chain, path], where)) }];
  });
}

function readIncluded(file: string, reader: Reader, chain: readonly string[], where: string): readonly ConfigLine[] {
  if (chain.includes(file)) {
    reader.problems.push({
      cause: `${where} includes ${file}, which is in it already.`,
      cure: 'Take that Include out: ssh itself refuses to go on there.',
    });
    return [];
  }
  reader.included += 1;
  if (reader.included <= MOST_INCLUDED) return readLines(file, reader, chain);
  if (reader.included === MOST_INCLUDED + 1) {
    reader.problems.push({
      cause: `More than ${MOST_INCLUDED} files are included from ~/.ssh/config; the others are not read (${where}).`,
      cure: 'Have files include one another once only.',
    });
  }
  return [];
}

function textOf(path: string, { disk, problems }: Reader): string {
  try {
    return disk.readFile(path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) {
      const cure = 'Make it readable, or set SSH_CONFIG=none.';
      problems.push({ cause: `${path} cannot be read: ${reason(error)}.`, cure });
    }
    return '';
  }
}

/** As argv_split() of OpenSSH's misc.c does it; a `#` that begins a word begins a comment. */
function wordsOf(text: string, where: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text.charAt(at))) at++;
    else if (text[at] === '#') break;
    else {
      const { word, end } = wordAt(text, at, where);
      words.push(word);
      at = end;
    }
  }
  return words;
}

function wordAt(text: string, start: number, where: string): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const c = text.charAt(at);
    const next = text.charAt(at + 1);
    if (c === '\\' && (/['"\\]/.test(next) || (next === ' ' && !quote))) {
      word += next;
      at++;
    } else if (!quote && /\s/.test(c)) break;
    else if (!quote && /['"]/.test(c)) quote = c;
    else if (c === quote) quote = '';
    else word += c;
  }
  if (quote) throw new ConfigError(`${where} has a quote that is not closed`);
  return { word, end: at };
}

/** The files of one Include pattern, sorted as glob(3) does; what is relative is below ~/.ssh. */
function filesOf(pattern: string, { disk, home }: Reader): string[] {
  if (pattern === '') return [];
  const tilde = pattern.replace(/^~(?=\/)/, () => home);
  const path = isAbsolute(tilde) ? tilde : join(home, '.ssh', tilde);
  return path
    .split('/')
    .slice(1)
    .reduce<string[]>((found, part) => found.flatMap((folder) => entriesOf(folder, part, disk)), ['/'])
    .toSorted();
}

function entriesOf(folder: string, part: string, disk: Disk): string[] {
  if (!/[*?[]/.test(part)) return [join(folder, part)];
  const source = part
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    const regex = new RegExp(`^${source}$`);
    return disk
      .readDir(folder)
      .filter((name) => regex.test(name) && (!name.startsWith('.') || part.startsWith('.')))
      .map((name) => join(folder, basename(name)));
  } catch {
    return [];
  }
}
