import type { Facts, RemoteText } from '../../present/answer.ts';

/** What a host printed, by the names of the parts; a part that came several times has several texts. */
export type Parts = ReadonlyMap<string, readonly string[]>;

/** What was read of some of the parts: facts, and sentences on what a person should look at. */
export interface Seen {
  readonly facts: Facts;
  readonly attention: readonly (string | RemoteText)[];
}

/** The parts of a text in which each begins with a line of `mark` and its name. */
export function partsOf(text: string, mark: string): Parts {
  const parts = new Map<string, string[]>();
  for (const piece of `\n${text}`.split(`\n${mark} `).slice(1)) {
    const [name = ''] = piece.split('\n', 1);
    parts.set(name, [...(parts.get(name) ?? []), piece.slice(name.length + 1)]);
  }
  return parts;
}

export const partOf = (parts: Parts, name: string): string => parts.get(name)?.[0] ?? '';

/** The lines of a part that say something. */
export const linesOf = (parts: Parts, name: string): string[] =>
  partOf(parts, name)
    .split('\n')
    .filter((line) => line.trim() !== '');

/** All that was seen, as one. */
export const together = (seen: readonly Seen[]): Seen => ({
  facts: Object.assign({}, ...seen.map(({ facts }) => facts)) as Facts,
  attention: seen.flatMap(({ attention }) => attention),
});
