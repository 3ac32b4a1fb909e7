import { type Fact, type Facts, RemoteText } from './answer.ts';
import { fence } from './fence.ts';
import { visibleLine } from './visible.ts';

/** JSON as it is sent: no remote text, nothing hidden, nothing undefined. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };
export interface PlainFacts {
  readonly [name: string]: Plain;
}

/**
 * Facts as JSON: remote text fenced with `boundary`, every other string as one line with its hidden characters written
 * out, so that a name cannot pass for a member of its own in the text.
 */
export function plain(facts: Facts, boundary: string): PlainFacts {
  const each = (fact: Fact): Plain => {
    if (fact instanceof RemoteText) return fence(fact.text, boundary);
    if (typeof fact === 'string') return visibleLine(fact);
    if (typeof fact !== 'object') return fact;
    return Array.isArray(fact) ? fact.map(each) : plain(fact as Facts, boundary);
  };
  const members = Object.entries(facts).filter((entry): entry is [string, Fact] => entry[1] !== undefined);
  return Object.fromEntries(members.map(([name, fact]) => [visibleLine(name), each(fact)]));
}

const isScalar = (value: Plain): value is string | number | boolean => typeof value !== 'object';
const isFlat = (value: Plain): value is PlainFacts =>
  !isScalar(value) && !Array.isArray(value) && Object.values(value).every((v) => isScalar(v) || isWords(v));
const isWords = (value: Plain): value is readonly Plain[] => Array.isArray(value) && value.every(isScalar);

const cell = (value: Plain | undefined): string =>
  value === undefined ? '-' : Array.isArray(value) ? value.join(', ') : String(value);

/** Rows as columns, padded; the last column is not. */
function table(rows: readonly PlainFacts[], indent: string): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines.map(
    (line) =>
      indent +
      line
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
  );
}

function member(name: string, value: Plain, indent: string): string[] {
  if (isScalar(value)) {
    const text = String(value);
    return text.includes('\n') ? [`${indent}${name}:`, text] : [`${indent}${name}: ${text}`];
  }
  if (isWords(value)) return [`${indent}${name}: ${value.length > 0 ? value.join(', ') : 'none'}`];
  if (!Array.isArray(value)) return [`${indent}${name}:`, ...lines(value as PlainFacts, `${indent}  `)];
  const rows = value as readonly Plain[];
  const oneLine = rows.every((row) => isFlat(row) && !Object.values(row).some((v) => String(v).includes('\n')));
  if (oneLine) return [`${indent}${name}:`, ...table(rows as readonly PlainFacts[], `${indent}  `)];
  return [
    `${indent}${name}:`,
    ...rows.flatMap((row) =>
      isScalar(row) ? [`${indent}  - ${row}`] : [`${indent}  -`, ...lines(row as PlainFacts, `${indent}    `)],
    ),
  ];
}

const lines = (facts: PlainFacts, indent: string): string[] =>
  Object.entries(facts).flatMap(([name, value]) => member(name, value, indent));

/** The same facts as short text for a terminal or a client that reads no structure. */
export const asText = (headline: string, facts: PlainFacts): string => [headline, ...lines(facts, '')].join('\n');
