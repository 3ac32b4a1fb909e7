import { Failure } from '../failure.ts';
import type { StreamName } from './output.ts';

/**
 * What is seen of a job on its host. `over`: it ended and left a status. `gone` and `restarted`: it ended and left none, the
 * host running on or started anew. `unborn`: it never began.
 */
export type SeenState = 'running' | 'over' | 'killed' | 'gone' | 'restarted' | 'unborn';

export interface SeenJob {
  readonly state: SeenState;
  readonly exitCode?: number;
  /** Seconds since 1970, by the clock of the host. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Bytes of output. */
  readonly sizes: Readonly<Record<StreamName, number>>;
}

export interface SeenOutput extends SeenJob {
  readonly pieces: Readonly<Record<StreamName, { readonly from: number; readonly bytes: Buffer }>>;
}

/** The lines that begin with a word of their own: start-up files of a shell may print anything before them. */
const linesOf = (text: string, word: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));

/** The first line that a script said of the job of this name, as words. A `remote-error` when it said none. */
export function replyOf(text: string, name: string): string[] {
  const [first] = linesOf(text, `psm-${name}`);
  if (first === undefined) throw noReply();
  return first.split(' ');
}

const noReply = (): Failure =>
  new Failure(
    'remote-error',
    'The host did not answer as it should when it was asked for a job.',
    'What looks at jobs needs sh, cat, head, tail and date there, and a shell whose start-up files do not end it.',
  );

const states: readonly string[] = ['running', 'over', 'killed', 'gone', 'restarted', 'unborn'] satisfies SeenState[];

const isState = (word: string): word is SeenState => states.includes(word);

const numberOf = (word = ''): number | undefined => (/^\d{1,15}$/.test(word) ? Number(word) : undefined);

function seenOf([word = '', code, at, startedAt, stdout, stderr]: readonly string[]): SeenJob {
  const state = word === 'ended' ? 'over' : word;
  if (!isState(state)) throw noReply();
  return {
    state,
    exitCode: numberOf(code),
    endedAt: numberOf(at),
    startedAt: numberOf(startedAt),
    sizes: { stdout: numberOf(stdout) ?? 0, stderr: numberOf(stderr) ?? 0 },
  };
}

/** What READ told of a job, or undefined when there is none. */
export function readReply(text: string, name: string): SeenOutput | undefined {
  const words = replyOf(text, name);
  if (words[0] === 'missing') return undefined;
  const [, ...blocks] = text.slice(text.indexOf(`psm-${name} `)).split(/^psm-\S+ .*\n?/m);
  if (!text.includes(`psm-${name} end`)) throw noReply();
  const encoding = words[8] === 'hex' ? 'hex' : 'base64';
  const bytes = (block = '') => Buffer.from(block.replace(/\s+/g, ''), encoding);
  return {
    ...seenOf(words),
    pieces: {
      stdout: { from: numberOf(words[6]) ?? 0, bytes: bytes(blocks[0]) },
      stderr: { from: numberOf(words[7]) ?? 0, bytes: bytes(blocks[1]) },
    },
  };
}

export interface ListedJob extends SeenJob {
  readonly name: string;
  /** The beginning of its script; empty where there is no base64. */
  readonly label: string;
}

/** What LIST told. */
export function listReply(text: string): readonly ListedJob[] {
  const lines = linesOf(text, 'psm-job');
  if (lines.at(-1) !== 'end') throw noReply();
  return lines.slice(0, -1).flatMap((line) => {
    const [name = '', ...words] = line.split(' ');
    if (!/^j[a-z0-9]{6}$/.test(name)) return [];
    return [{ ...seenOf(words), name, label: Buffer.from(words[6] ?? '', 'base64').toString() }];
  });
}
