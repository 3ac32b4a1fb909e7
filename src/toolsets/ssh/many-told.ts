import { Failure } from '../../failure.ts';
import { type Answer, answer, type Facts, RemoteText, remote } from '../../present/answer.ts';
import { count, countBy, elapsed, tally } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import type { Many, Outcome, Settled } from './many.ts';
import { ending, unlessEmpty } from './run-command.ts';

/** So many different outcomes fit into an answer with their output. */
const MOST_RESULTS = 12;
const MOST_FAILURES = 8;

/**
 * What came of a command at many places: those with the same outcome once, what differs from most of them first. A
 * cancelled call is a Failure, and so is one of which nothing ran anywhere.
 */
export function tellMany(many: Many, { signal }: Pick<ToolContext, 'signal'>): Answer {
  const { outcomes, notBegun, durationMs } = many;
  const all = outcomes.length + notBegun.length;
  const counts = countBy([...outcomes.map(endOf), ...notBegun.map(() => 'not begun')], (end) => end);
  const facts = factsOf(many);
  const headline = `${count(all, 'place')}: ${tally(counts)}, in ${elapsed(durationMs)}`;
  if (signal.aborted) {
    const hint = 'Look at those where it was ended before you run it again.';
    throw new Failure('cancelled', `The command was cancelled by the client. ${headline}.`, hint, { facts });
  }
  const first = outcomes.find(({ failure }) => failure)?.failure;
  if (first && outcomes.every(({ failure }) => failure)) {
    throw new Failure(first.kind, `It ran to its end nowhere. ${headline}. ${first.message}`, first.hint, {
      facts,
      cause: first,
    });
  }
  return answer(headline, facts);
}

const endOf = ({ result, failure }: Outcome): string => (failure || !result ? 'failed' : ending(result));

function factsOf({ outcomes, notBegun, durationMs }: Many): Facts {
  const failures = grouped(outcomes.filter(({ failure }) => failure));
  const results = differentFirst(grouped(outcomes.filter(({ failure }) => !failure)));
  const shown = [...failures.slice(0, MOST_FAILURES), ...someOf(results)];
  const rest = [...failures, ...results].filter((group) => !shown.includes(group));
  const ends = grouped(rest.flat().map((one) => ({ ...one, sameAs: endOf(one) })));
  return {
    failed: listed(shown.filter(([one]) => one?.failure).map(failureRow)),
    results: listed(shown.filter(([one]) => !one?.failure).map(resultRow)),
    others: listed(ends.map((group) => ({ end: group[0] && endOf(group[0]), places: placesOf(group) }))),
    // It is cut to what fits, and kept in a file, as every long text.
    output_of_others: rest.length > 0 ? remote(rest.map(written).join('\n')) : undefined,
    not_begun: listed(notBegun),
    duration_ms: durationMs,
  };
}

type Group = readonly Settled[];

const listed = <T>(rows: readonly T[]): readonly T[] | undefined => (rows.length > 0 ? rows : undefined);
const placesOf = (group: Group): string[] => group.map(({ place }) => place);

/** Those that are the same, in the order of the first of each. */
function grouped(outcomes: readonly Settled[]): Group[] {
  const groups = new Map<string, Settled[]>();
  for (const one of outcomes) groups.set(one.sameAs, [...(groups.get(one.sameAs) ?? []), one]);
  return [...groups.values()];
}

/** What most places have in common comes last, and what did not go well first. */
function differentFirst(groups: readonly Group[]): Group[] {
  const most = Math.max(0, ...groups.map(({ length }) => length));
  const rank = (group: Group): number =>
    group.length === most && most > 1 ? 2 : group[0]?.result?.exitCode === 0 ? 1 : 0;
  return groups.toSorted((a, b) => rank(a) - rank(b));
}

/** As many as fit, the last of them included. */
const someOf = (groups: readonly Group[]): readonly Group[] =>
  groups.length <= MOST_RESULTS ? groups : [...groups.slice(0, MOST_RESULTS - 1), ...groups.slice(-1)];

function failureRow(group: Group): Facts {
  const failure = group[0]?.failure;
  const said = Object.entries(failure?.facts ?? {}).filter(
    ([name, fact]) => name !== 'duration_ms' && !(fact instanceof RemoteText && fact.totals.bytes === 0),
  );
  return {
    places: placesOf(group),
    kind: failure?.kind,
    message: failure?.message,
    hint: failure?.hint,
    ...Object.fromEntries(said),
  };
}

function resultRow(group: Group): Facts {
  const { exitCode, signal, stdout, stderr, cut = [], backgroundHoldsOutput } = group[0]?.result ?? {};
  return {
    ran_on: placesOf(group),
    exit_code: exitCode,
    signal,
    stdout: stdout && unlessEmpty(stdout),
    stderr: stderr && unlessEmpty(stderr),
    cut_by_the_guest_agent: listed(cut),
    background_holds_output: backgroundHoldsOutput,
  };
}

/** A group as it stands in a text of many. */
function written(group: Group): string {
  const [first] = group;
  const { stdout, stderr } = first?.result ?? {};
  const told = first?.failure
    ? first.failure.message
    : `${stdout?.text ?? ''}${stderr?.text ? `--- stderr\n${stderr.text}` : ''}`;
  return `=== ${placesOf(group).join(', ')}: ${first ? endOf(first) : ''}\n${told}\n`;
}
