import { type Fact, type Facts, type KeptText, RemoteText } from './answer.ts';
import { headAndTail } from './cut.ts';
import type { SaveOutput } from './outputs.ts';
import { visible, visibleLine } from './visible.ts';

/** What a remote text may always take: below that, its mark would be longer than what it stands for. */
const LEAST = 400;
/** What the fence around a text takes, and what the mark in its middle takes besides the name of a file. */
const FENCE = 80;
const MARK = 80;

/** Characters that `text` takes inside JSON once its hidden characters are written out. */
const cost = (text: string): number => JSON.stringify(visible(text)).length;

/** `facts` as JSON that is as long as what is sent, each remote text at `most` characters. */
const drafted = (facts: Fact | undefined, most: number): string =>
  JSON.stringify(facts, (_, fact: Fact) => {
    if (fact instanceof RemoteText) return 'x'.repeat(Math.min(cost(fact.text), most) + FENCE);
    return typeof fact === 'string' ? visibleLine(fact) : fact;
  }) ?? '';

const size = (facts: Fact | undefined, most: number): number => drafted(facts, most).length;

const remoteTexts = (fact: Fact | undefined): RemoteText[] => {
  if (fact instanceof RemoteText) return [fact];
  if (typeof fact !== 'object') return [];
  return Object.values(fact).flatMap((part) => remoteTexts(part));
};

/** The largest length that every text may keep so that all of them fit into `room`. */
export function fairShare(costs: readonly number[], room: number): number {
  let left = Math.max(0, room);
  const sorted = [...costs].sort((a, b) => a - b);
  for (const [i, size] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - i));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

type Replace = Map<RemoteText, RemoteText>;

const replaced = <F extends Fact | undefined>(fact: F, by: Replace): Fact | F => {
  if (fact instanceof RemoteText) return by.get(fact) ?? fact;
  if (typeof fact !== 'object') return fact;
  if (Array.isArray(fact)) return fact.map((part: Fact) => replaced(part, by));
  return Object.fromEntries(Object.entries(fact).map(([name, part]) => [name, replaced(part, by)]));
};

/** One text of what is no list of rows, to be cut as such. */
const asText = (fact: Fact): RemoteText =>
  new RemoteText(
    typeof fact === 'string'
      ? fact
      : JSON.stringify(fact, (_, part: Fact) => (part instanceof RemoteText ? part.text : part)),
  );

/** The largest member made smaller: a list keeps `part` of its rows and says how many it lost, anything else becomes one text. */
function lessened(facts: Facts, part: number): Facts | undefined {
  const sizes = Object.entries(facts).map(([name, fact]) => ({ name, fact, size: size(fact, LEAST) }));
  const largest = sizes.sort((a, b) => b.size - a.size)[0];
  if (largest?.fact === undefined || largest.fact instanceof RemoteText || largest.size <= LEAST) return undefined;
  const { name, fact } = largest;
  if (!Array.isArray(fact) || fact.length < 2) return { ...facts, [name]: asText(fact) };
  const kept = fact.slice(0, Math.floor(fact.length * part));
  const before = Number(facts[`${name}_not_shown`] ?? 0);
  return { ...facts, [name]: kept, [`${name}_not_shown`]: before + fact.length - kept.length };
}

/** `facts` that fit when each of their texts takes no more than it may always take. */
function lessenedTo(budget: number, facts: Facts): Facts {
  let current = facts;
  for (let taken = size(current, LEAST); taken > budget; taken = size(current, LEAST)) {
    const next = lessened(current, Math.max(0.5, Math.min(0.9, budget / taken)));
    if (!next) break;
    current = next;
  }
  return current;
}

/** What is not shown of a text, in characters; of a stream that is not in memory whole, in bytes. */
const notShown = ({ text, totals }: RemoteText, missing: number): string =>
  totals.omitted > 0
    ? `about ${missing + totals.omitted} of ${totals.bytes} bytes not shown`
    : `${missing} of ${text.length} characters not shown`;

function placeOf({ file, lacks }: KeptText): string {
  if (file === undefined) return lacks === undefined ? '' : `; ${lacks}`;
  return lacks === undefined ? `; all of it is in ${file}` : `; ${file} has all but ${lacks}`;
}

/**
 * `facts` within `budget` characters of JSON: long remote texts become head and tail, with the whole text in a file.
 * When that is not enough, lists lose rows from the end, and what else is too long is cut as a text. Nothing is cut
 * without saying so.
 */
export async function withinBudget(facts: Facts, budget: number, save: SaveOutput): Promise<Facts> {
  if (size(facts, Number.POSITIVE_INFINITY) <= budget) return facts;
  const least = lessenedTo(budget, facts);
  const texts = remoteTexts(least);
  const costs = texts.map((text) => cost(text.text));
  const share = Math.max(LEAST, fairShare(costs, budget - size(least, 0)));
  const by: Replace = new Map();
  for (const [i, text] of texts.entries()) {
    if ((costs[i] ?? 0) <= share) continue;
    const where = placeOf(text.kept ?? { file: await save(text.text) });
    const mark = (missing: number) => `\n[… ${notShown(text, missing)}${where} …]\n`;
    by.set(text, new RemoteText(headAndTail(text.text, share - MARK - where.length, mark, cost), text.totals));
  }
  return replaced(least, by) as Facts;
}
