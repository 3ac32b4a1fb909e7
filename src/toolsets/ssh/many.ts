import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { asFailure, type Failure } from '../../failure.ts';
import { RemoteText } from '../../present/answer.ts';
import type { ToolContext } from '../tool.ts';
import type { VmResult } from '../vm/run.ts';

/** What came of one place: a result, or why there is none; neither when nothing was to be run. */
export interface Outcome {
  readonly place: string;
  readonly result?: VmResult;
  readonly failure?: Failure;
}

/** An outcome, and what it has in common with others that are the same in all that is told. */
export interface Settled extends Outcome {
  readonly sameAs: string;
}

/** What came of all places, in the order in which they were given. */
export interface Many {
  readonly outcomes: readonly Settled[];
  /** Where nothing was begun. */
  readonly notBegun: readonly string[];
  readonly durationMs: number;
}

export interface Pace {
  /** How many at once. */
  readonly parallel: number;
  readonly stopOnFailure?: boolean;
}

/**
 * Does `act` at each place, so many at once; none is begun after a cancel, nor, where that is wished, after one that
 * failed. Never throws for what `act` throws.
 */
export async function atEach(
  targets: readonly string[],
  { parallel, stopOnFailure = false }: Pace,
  { signal, progress }: Pick<ToolContext, 'signal' | 'progress'>,
  act: (target: string) => Promise<Omit<Outcome, 'failure'>>,
): Promise<Many> {
  // Every command listens to it.
  setMaxListeners(0, signal);
  const begin = performance.now();
  const settled = new Map<string, Settled>();
  const left = [...targets];
  let failed = 0;
  const work = async (): Promise<void> => {
    while (!signal.aborted && !(stopOnFailure && failed > 0)) {
      const target = left.shift();
      if (target === undefined) return;
      const outcome: Outcome = await act(target).catch((error: unknown) => ({
        place: target,
        failure: asFailure(error),
      }));
      settled.set(target, settle(outcome, target));
      if (!wentWell(outcome)) failed++;
      progress(`${settled.size} of ${targets.length} done${failed > 0 ? `, ${failed} of them failed` : ''}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, targets.length) }, work));
  const outcomes = targets.flatMap((target) => settled.get(target) ?? []);
  return { outcomes, notBegun: left, durationMs: Math.round(performance.now() - begin) };
}

const wentWell = ({ result, failure }: Outcome): boolean =>
  failure === undefined && (result === undefined || result.exitCode === 0);

function settle(outcome: Outcome, target: string): Settled {
  const { result, failure } = outcome;
  if (failure) {
    const { duration_ms: _, ...facts } = failure.facts;
    const told = [failure.message, failure.hint].map((text) => unnamed(text, target));
    return { ...outcome, sameAs: digest([failure.kind, told, facts]) };
  }
  if (!result) return { ...outcome, sameAs: '' };
  const { stdout, stderr, durationMs: _, ...rest } = result;
  // Of what is missing nobody can say that it is the same.
  const own = stdout.totals.omitted + stderr.totals.omitted > 0 ? target : '';
  const sameAs = digest([stdout.text, stderr.text, rest, own]);
  return { ...outcome, sameAs, result: { ...result, stdout: lightened(stdout), stderr: lightened(stderr) } };
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64');

/** Without what is another for every place. */
const unnamed = (text: string, target: string): string =>
  text
    .split(new RegExp(`(?<![\\w.-])${target.replace(/\W/g, '\\$&')}(?![\\w-])`))
    .join('…')
    .replace(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g, '…');

/** Characters of one output that are kept until the last place is done: there may be hundreds of them. */
const HEAD = 24_000;
const TAIL = 8_000;

function lightened({ text, totals, kept }: RemoteText): RemoteText {
  if (text.length <= HEAD + TAIL) return new RemoteText(text, totals, kept);
  // Never half of a character.
  const head = text.slice(0, HEAD).replace(/[\ud800-\udbff]$/, '');
  const tail = text.slice(-TAIL).replace(/^[\udc00-\udfff]/, '');
  const missing = text.length - head.length - tail.length;
  const omitted = totals.omitted + Buffer.byteLength(text.slice(head.length, -tail.length));
  const told = `${head}\n[… ${missing} characters left out …]\n${tail}`;
  return new RemoteText(
    told,
    { ...totals, omitted },
    kept ?? { sha256: createHash('sha256').update(text).digest('hex') },
  );
}
