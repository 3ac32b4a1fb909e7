import fc from 'fast-check';
import { expect } from 'vitest';
import { Failure } from '../src/failure.ts';

const UNITS = [
  ...[' ', '\t', '\n', '\r\n', ' \n', '\n ', 'a', 'a ', ' a', '0', 'ä', '😀', '\0', '\ud800', '\u2028', '\ufeff'],
  ...['*', '*a', '?', '?*', '[', '(', '{', ')', '"', "'", '"a" ', '\\', '\\"', '#', ' #', '=', ' = ', ':', '::', ';'],
  ...['/', '../', ',', ', ', '-', '--', '.', 'a.', '!', '@', '%', '%h', '|', '|1|', '+', '$', '`', '<', '&', '_', '~'],
  ...[
    'A=',
    'A=b\n',
    '[[',
    '{"a":',
    '[1,',
    '"\\u',
    'aa-',
    '*!',
    'Host a\n',
    'no such ',
    'TASK ',
    "'/etc/pve/",
    'cfs-lock ',
  ],
];
const SLOW_MS = 4_000;

/** What a parser may throw: a Failure, or an error of one of these classes. */
type Allowed = readonly (new (...given: never[]) => Error)[];

const attempt = <T>(parse: (text: string) => T, text: string, allowed: Allowed): T | undefined => {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof Failure || allowed.some((one) => error instanceof one)) return undefined;
    throw new Error(`${JSON.stringify(text.slice(0, 200))}: ${(error as Error).stack}`);
  }
};

/**
 * Holds a parser to linear time: 100 KB of each repeat that makes a careless pattern try for ever, in these places, and
 * these long texts. `but` leaves repeats out.
 */
export function expectLinear(
  parse: (text: string) => unknown,
  places: readonly ((repeat: string) => string)[] = [],
  { allowed = [] as Allowed, but = /(?!)/, texts = [] as readonly string[] } = {},
): void {
  const expectQuick = (text: string, what: string) => {
    const began = performance.now();
    attempt(parse, text, allowed);
    expect(performance.now() - began, what).toBeLessThan(SLOW_MS);
  };
  for (const unit of UNITS.filter((one) => !but.test(one))) {
    const repeat = unit.repeat(Math.ceil(100_000 / unit.length));
    for (const place of [(text: string) => text, (text: string) => `${text}\u0001`, ...places]) {
      expectQuick(place(repeat), `${JSON.stringify(place(unit)).slice(0, 100)}, 100 KB of ${JSON.stringify(unit)}`);
    }
  }
  for (const text of texts) expectQuick(text, JSON.stringify(text).slice(0, 100));
}

/** Valid text with some of it taken out, doubled, moved or replaced. */
export const mutated = (valid: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(
        fc.tuple(
          fc.nat(10_000),
          fc.nat(12),
          fc.oneof(
            fc.constantFrom(...UNITS, ...valid.flatMap((text) => text.split(/(?=[\s:,="])/)).slice(0, 200)),
            fc.string({ unit: 'binary', maxLength: 6 }),
          ),
        ),
        { minLength: 1, maxLength: 5 },
      ),
    )
    .map(([text, cuts]) =>
      cuts.reduce((made, [at, length, other]) => {
        const from = at % (made.length + 1);
        return made.slice(0, from) + other + made.slice(from + length);
      }, text),
    );

/** Holds a parser to a Failure or a result that `holds`, over arbitrary text and mutations of valid text. */
export function expectSound<T>(
  parse: (text: string) => T,
  valid: readonly string[],
  holds: (result: T, text: string) => void = () => {},
  { runs = 2_000, allowed = [] as Allowed } = {},
): void {
  for (const text of valid) parse(text);
  const text = fc.oneof(mutated(valid), mutated(valid), fc.string({ unit: 'binary', maxLength: 200 }), fc.json());
  fc.assert(
    fc.property(text, (given) => {
      const result = attempt(parse, given, allowed);
      if (result !== undefined) holds(result, given);
    }),
    { numRuns: runs },
  );
}
