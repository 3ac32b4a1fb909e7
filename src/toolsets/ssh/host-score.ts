import type { KnownHost } from '../tool.ts';

/** What a word is worth in each thing that is said of a host. */
const WEIGHTS = { name: 8, displayName: 6, tag: 6, purpose: 4, address: 2 };

/** How much of that: it is the whole of it, a word of it, the beginning of one, or somewhere within. */
const CLOSENESS = { whole: 3, word: 2, beginning: 1.5, within: 1 };

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}.]+/u)
    .filter((word) => word !== '');

/** The hosts that words of the query are about, the best first; a word says the more, the fewer hosts it is about. */
export function ranked(hosts: readonly KnownHost[], query: string): KnownHost[] {
  const words = wordsOf(query);
  const fits = hosts.map((host) => words.map((word) => fitOf(host, word)));
  const rarity = words.map((_, i) => Math.log1p(hosts.length / Math.max(1, fits.filter((fit) => fit[i]).length)));
  return hosts
    .map((host, at) => ({ host, score: (fits[at] ?? []).reduce((sum, fit, i) => sum + fit * (rarity[i] ?? 0), 0) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .map(({ host }) => host);
}

function fitOf({ spec, displayName = '', purpose = '', tags = [] }: KnownHost, word: string): number {
  const fields: readonly (readonly [string, number])[] = [
    [spec.name, WEIGHTS.name],
    [displayName, WEIGHTS.displayName],
    [purpose, WEIGHTS.purpose],
    [spec.address, WEIGHTS.address],
    ...tags.map((tag) => [tag, WEIGHTS.tag] as const),
  ];
  return Math.max(...fields.map(([text, weight]) => weight * closeness(text.toLowerCase(), word)));
}

function closeness(text: string, word: string): number {
  if (text === word) return CLOSENESS.whole;
  const words = text.split(/[^\p{L}\p{N}]+/u);
  if (words.includes(word)) return CLOSENESS.word;
  if (words.some((one) => one.startsWith(word))) return CLOSENESS.beginning;
  return text.includes(word) ? CLOSENESS.within : 0;
}
