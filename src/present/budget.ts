import { type Fact, type Facts, RemoteText } from './answer.ts';
import type { SaveOutput } from './outputs.ts';
import { visible } from './visible.ts';

/** Characters that `text` takes inside JSON once its hidden characters are written out. */
const cost = (text: string): number => JSON.stringify(visible(text)).length;

const remoteTexts = (fact: Fact | undefined): RemoteText[] => {
  if (fact instanceof RemoteText) return [fact];
  if (fact === undefined || typeof fact !== 'object') return [];
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

/** Never between the two halves of a surrogate pair. */
const wholeCharacters = (text: string, index: number): number => {
  const unit = text.charCodeAt(index - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? index - 1 : index;
};

/** Head and tail of `text` with a line between them that says what is missing and where all of it is. */
function headAndTail(text: string, share: number, file: string | undefined): string {
  const where = file ? `; all of it is in ${file}` : '';
  const ratio = text.length / cost(text);
  const keep = Math.max(0, Math.floor((share - 120 - where.length) * ratio));
  const head = wholeCharacters(text, Math.ceil(keep * 0.6));
  const tail = wholeCharacters(text, text.length - Math.floor(keep * 0.4));
  return `${text.slice(0, head)}\n[… ${tail - head} characters not shown${where} …]\n${text.slice(tail)}`;
}

type Replace = Map<RemoteText, RemoteText>;

const replaced = (fact: Fact, by: Replace): Fact => {
  if (fact instanceof RemoteText) return by.get(fact) ?? fact;
  if (typeof fact !== 'object') return fact;
  if (Array.isArray(fact)) return fact.map((part: Fact) => replaced(part, by));
  const members = Object.entries(fact).filter((entry): entry is [string, Fact] => entry[1] !== undefined);
  return Object.fromEntries(members.map(([name, part]) => [name, replaced(part, by)]));
};

/** Rows off the end of the longest list until the whole fits; a list that was cut says by how much. */
function shortenLists(facts: Facts, budget: number): Facts {
  let current: Facts = facts;
  while (JSON.stringify(current).length > budget) {
    const lists = Object.entries(current).filter((e): e is [string, readonly Fact[]] => Array.isArray(e[1]));
    const longest = lists.sort((a, b) => JSON.stringify(b[1]).length - JSON.stringify(a[1]).length)[0];
    if (!longest || longest[1].length < 2) return current;
    const [name, rows] = longest;
    const kept = rows.slice(0, Math.floor(rows.length / 2));
    const before = Number(current[`${name}_not_shown`] ?? 0);
    current = { ...current, [name]: kept, [`${name}_not_shown`]: before + rows.length - kept.length };
  }
  return current;
}

/**
 * `facts` within `budget` characters of JSON: long remote texts become head and tail, with the whole text in a file;
 * when what is left is still too much, lists lose rows from the end. Nothing is cut without saying so.
 */
export async function withinBudget(facts: Facts, budget: number, save: SaveOutput): Promise<Facts> {
  const texts = remoteTexts(facts);
  const costs = texts.map((text) => cost(text.text));
  const fixed = JSON.stringify(replaced(facts, new Map(texts.map((text) => [text, new RemoteText('')])))).length;
  const share = fairShare(costs, budget - fixed - texts.length * 80);
  const by: Replace = new Map();
  for (const [i, text] of texts.entries()) {
    if ((costs[i] ?? 0) <= share) continue;
    const file = await save(text.text);
    by.set(text, new RemoteText(headAndTail(text.text, share, file), text.totals));
  }
  return shortenLists(replaced(facts, by) as Facts, budget);
}
