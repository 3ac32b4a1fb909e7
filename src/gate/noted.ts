import { sha256 } from '../log/line.ts';
import { type Fact, type Facts, RemoteText } from '../present/answer.ts';
import { shortened } from '../present/cut.ts';
import type { Redact } from '../present/redact.ts';
import { visible } from '../present/visible.ts';
import { namesSecret } from '../pve/secret-names.ts';

type Input = Readonly<Record<string, unknown>>;

const LONGEST_VALUE = 500;
const LONGEST_MESSAGE = 2000;

/** The value without secrets, those that were given under the name of one too; long strings as their start with length and SHA-256. */
export function noted(value: unknown, redact: Redact, name = ''): unknown {
  if (typeof value === 'string') {
    if (namesSecret(name)) return '[hidden]';
    const text = visible(redact(value));
    if (text.length <= LONGEST_VALUE) return text;
    return { start: text.slice(0, LONGEST_VALUE), characters: value.length, sha256: sha256(redact(value)) };
  }
  if (Array.isArray(value)) return value.map((part) => noted(part, redact, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [redact(name), noted(part, redact, name)]));
}

/** A headline, a failure or a question, without secrets. */
export const notedMessage = (text: string, redact: Redact): string =>
  shortened(visible(redact(text)), LONGEST_MESSAGE, '\n');

/** What names what a call is about, the nearest first. */
const SUBJECTS = [
  ...['target', 'targets', 'guest', 'guests', 'vmid', 'host', 'hosts', 'node'],
  ...['session', 'path', 'volume', 'backup', 'upid'],
];

/** The target, guest, host, node or else that the input names, several with commas; undefined where it names none. */
export function aboutOf(input: Input, redact: Redact): string | undefined {
  const named = SUBJECTS.map((name) => input[name]).find((value) => value !== undefined);
  const all = (Array.isArray(named) ? named : [named]).filter((one) => ['string', 'number'].includes(typeof one));
  return all.length === 0 ? undefined : notedMessage(all.join(','), redact);
}

/** What is run, by its name in the input. */
const COMMANDS = ['script', 'stdin', 'text'] as const;

/** SHA-256 of the whole of a command and of its input, without secrets; undefined for what is no command. */
export function commandOf(input: Input, redact: Redact): Record<string, string> | undefined {
  const given = COMMANDS.flatMap((name) => {
    const value = input[name];
    return typeof value === 'string' ? [[name, sha256(redact(value))]] : [];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

interface Output {
  readonly bytes: number;
  readonly sha256?: string;
}

/** Of the whole text without secrets, as it is kept in a file where it is kept in one; no hash where there is no whole. */
function outputOf({ text, totals, kept }: RemoteText, redact: Redact): Output {
  const { bytes, omitted } = totals;
  if (kept) return { bytes, sha256: kept.sha256 };
  return { bytes, sha256: omitted === 0 ? sha256(redact(text)) : undefined };
}

function* outputsIn(fact: Fact | undefined, name: string, redact: Redact): Generator<readonly [string, Output]> {
  if (fact instanceof RemoteText) yield [name, outputOf(fact, redact)];
  else if (typeof fact === 'object') {
    for (const [key, part] of Object.entries(fact)) {
      yield* outputsIn(part, name === '' ? key : `${name}.${key}`, redact);
    }
  }
}

const MOST_OUTPUTS = 200;

/** Length and SHA-256 of each text of a guest or host in an answer (`stdout`, `results.0.stdout`), before it is cut. */
export function outputsOf(facts: Facts, redact: Redact): Record<string, Output> | undefined {
  const found: [string, Output][] = [];
  for (const [name, output] of outputsIn(facts, '', redact)) {
    if (found.length === MOST_OUTPUTS) break;
    found.push([redact(name), output]);
  }
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** What the answer to a question and the question are known by, which gives nobody the answer. */
export const questionOf = (nonce: string): string => sha256(nonce).slice(0, 12);
