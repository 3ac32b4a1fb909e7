import type { Failure } from '../failure.ts';
import { type Answer, type Fact, type Facts, RemoteText } from './answer.ts';
import { withinBudget } from './budget.ts';
import { shortened } from './cut.ts';
import { fence, newBoundary } from './fence.ts';
import type { SaveOutput } from './outputs.ts';
import { inRegExp, type Redact } from './redact.ts';
import { asText, type PlainFacts, plain } from './render.ts';
import { visibleLine } from './visible.ts';

const LONGEST_LINE = 300;
const LONGEST_HEADLINE = 800;
/** Of what others said in a headline. */
const LONGEST_SAID = 400;

/** What a client is sent: the facts as JSON, complete on their own, and the same as text. */
export interface Presented {
  readonly text: string;
  readonly structured: PlainFacts;
  readonly isError: boolean;
}

export interface PresentOptions {
  readonly redact: Redact;
  /** Characters of JSON that one answer may take. */
  readonly budget: number;
  readonly save: SaveOutput;
}

export interface Present {
  answer(answer: Answer): Promise<Presented>;
  failure(failure: Failure): Promise<Presented>;
  /** A short line of text on its way, such as progress: without secrets, hidden characters written out, cut. */
  line(text: string): string;
}

const redacted = <F extends Fact | undefined>(fact: F, redact: Redact): Fact | F => {
  if (typeof fact === 'string') return redact(fact);
  if (fact instanceof RemoteText) return new RemoteText(redact(fact.text), fact.totals, fact.kept);
  if (typeof fact !== 'object') return fact;
  if (Array.isArray(fact)) return fact.map((part: Fact) => redacted(part, redact));
  return Object.fromEntries(Object.entries(fact).map(([name, part]) => [redact(name), redacted(part, redact)]));
};

/** A headline on one line; what others `said` in it is fenced. */
function toldOf(headline: string, said: readonly string[], boundary: string, redact: Redact): string {
  const own = (text: string): string => shortened(visibleLine(redact(text)), LONGEST_HEADLINE);
  if (said.length === 0) return own(headline);
  const longestFirst = said.toSorted((a, b) => b.length - a.length);
  const parts = headline.split(new RegExp(`(${longestFirst.map(inRegExp).join('|')})`));
  const theirs = (text: string): string => fence(shortened(visibleLine(redact(text)), LONGEST_SAID), boundary);
  // Split by a group, every second part is what it matched.
  return parts.map((text, i) => (i % 2 === 0 ? own(text) : theirs(text))).join('');
}

/** The only way out for an answer or a failure: secrets removed first, then cut to the budget, then fenced. */
export function createPresent({ redact, budget, save }: PresentOptions): Present {
  const present = async (headline: string, facts: Facts, isError: boolean, said: readonly string[] = []) => {
    const safe = redacted(facts, redact) as Facts;
    const boundary = newBoundary();
    const told = toldOf(headline, said, boundary, redact);
    const room = Math.max(budget / 2, budget - JSON.stringify({ summary: told }).length);
    const structured = plain(await withinBudget(safe, room, save), boundary);
    return { text: asText(told, structured), structured: { summary: told, ...structured }, isError };
  };
  return {
    answer: ({ headline, facts }) => present(headline, facts, false),
    failure: ({ kind, message, hint, facts, said }) =>
      present(message, { error: kind, cure: hint, ...facts }, true, said),
    line: (text) => shortened(visibleLine(redact(text)), LONGEST_LINE),
  };
}
