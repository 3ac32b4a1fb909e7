/** One line of the table: what was measured of ours, and of theirs in the same run. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly theirs?: string;
  readonly ratio?: number;
  /** What the ratio may be at most. */
  readonly most?: number;
  /** What is wanted, where it is no ratio, and whether it is met. */
  readonly wanted?: string;
  readonly met?: boolean;
}

export interface Compared {
  readonly what: string;
  readonly ours: number;
  readonly theirs: number;
  /** Who they are. */
  readonly beside: string;
  readonly most?: number;
  readonly unit?: string;
}

/** Ours and theirs in the same unit (ms unless told), as a ratio of ours to theirs. */
export function compared({ what, ours, theirs, beside, most, unit = 'ms' }: Compared): Row {
  const told = (value: number) => `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
  return { what, ours: told(ours), theirs: `${told(theirs)} ${beside}`, ratio: ours / theirs, most };
}

const isMet = ({ ratio, most, met }: Row): boolean | undefined =>
  met ?? (ratio === undefined || most === undefined ? undefined : ratio <= most);

const asCells = (row: Row): string[] => {
  const { what, ours, theirs = '', ratio, most } = row;
  const wanted = row.wanted ?? (most === undefined ? '' : `at most ${most}`);
  const met = isMet(row);
  return [what, ours, theirs, ratio?.toFixed(2) ?? '', wanted, met === undefined ? '' : met ? 'met' : 'MISSED'];
};

const HEAD = ['', 'ours', 'theirs', 'ratio', 'wanted', ''];
const WIDTHS = [40, 22, 46, 6, 14, 6];

const asLine = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join('  ')
    .trimEnd();

const missed: string[] = [];

/** Prints one question with its rows, and keeps in mind which were missed. */
export function print(question: string, rows: readonly Row[]): void {
  console.log(`\n${asLine([question, ...HEAD.slice(1)])}`);
  for (const row of rows) {
    console.log(asLine(asCells(row)));
    if (isMet(row) === false) missed.push(`${question}: ${row.what}`);
  }
}

/** Ends the output with all that was missed. */
export const printMissed = (): void =>
  console.log(`\n${missed.length === 0 ? 'All that is wanted is met.' : `MISSED: ${missed.join('; ')}.`}`);
