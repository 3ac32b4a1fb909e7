import { distance } from 'fastest-levenshtein';

/** Comparing texts takes time with the square of their length. */
const LONGEST = 128;

/** The texts most like `wanted`, best first, none twice; one that holds it counts as nearer. */
export function nearestTo(wanted: string, texts: readonly string[], most = 5): string[] {
  const text = wanted.toLowerCase().slice(0, LONGEST);
  const score = (one: string): number => {
    const other = one.toLowerCase();
    const shorter = other.slice(0, Math.max(text.length, 8));
    return distance(text, shorter.slice(0, LONGEST)) - (other.includes(text) ? text.length : 0);
  };
  const scored = [...new Set(texts)].map((one) => ({ one, score: score(one) }));
  return scored
    .sort((a, b) => a.score - b.score || (a.one < b.one ? -1 : 1))
    .slice(0, most)
    .map(({ one }) => one);
}
