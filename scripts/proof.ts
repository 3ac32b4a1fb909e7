import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, grouped } from '../test/figures.ts';
import { guarantees } from '../test/guarantees.ts';

const root = join(import.meta.dirname, '..');

/** What became of one guarantee. */
export interface Row {
  readonly number: number;
  readonly figures: string;
  /** `holds`, `BROKEN: why`, or `holds; not proven here: what`. */
  readonly verdict: string;
  /** The day of the run, `2026-11-20`. */
  readonly date: string;
}

/** The part of vitest's JSON report that matters here. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
      readonly meta: { readonly figures?: readonly Figure[] };
    }[];
  }[];
}

/** A pattern of the names of tests that are about one of these guarantees: `guarantee 4: …`, `guarantees 13 and 14: …`. */
export const naming = (numbers: readonly number[]): string =>
  `guarantees? (?:[\\d, ]|and )*\\b(?:${numbers.join('|')})\\b`;

/** The files under test/ in which a test of one of these guarantees is, relative to the repository. */
export const filesOf = (numbers: readonly number[]): string[] =>
  testFiles().filter((file) => new RegExp(`['\`]${naming(numbers)}`).test(readFileSync(join(root, file), 'utf8')));

const testFiles = (): string[] =>
  readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file}`)
    .toSorted();

const took = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** The figures of a guarantee, each once, counts added up and of times the longest. */
export function summed(figures: readonly Figure[]): string {
  const alike = (one: Figure) => figures.filter(({ text, unit }) => text === one.text && unit === one.unit);
  return [...new Set(figures.map((one) => together(alike(one))))].join('; ');
}

function together(alike: readonly Figure[]): string {
  const { text = '', unit } = alike[0] ?? {};
  const values = alike.map(({ value = 0 }) => value);
  if (unit === 'count') return `${grouped(values.reduce((sum, one) => sum + one, 0))} ${text}`;
  if (unit === 'most') return `${text} ${grouped(Math.max(...values))} at most`;
  if (unit !== 'ms') return text;
  return `${text} ${took(Math.max(...values))}${values.length > 1 ? ` at most (${grouped(values.length)} times)` : ''}`;
}

/** What became of each of these guarantees in a run. */
export function judged(report: Report, numbers: readonly number[], date: string): Row[] {
  return numbers.map((number) => {
    const name = new RegExp(naming([number]));
    const tests = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ fullName }) => name.test(fullName)),
    );
    const figures = tests.flatMap(({ meta }) => meta.figures ?? []).filter(({ guarantee }) => guarantee === number);
    const proven = figures.filter(({ unproven }) => !unproven);
    const open = figures.filter(({ unproven }) => unproven).map(({ text }) => text);
    const wrong = wrongWith(report, number, tests) ?? (proven.length === 0 ? 'its tests told no figure' : undefined);
    const holds = open.length === 0 ? 'holds' : `holds; not proven here: ${[...new Set(open)].join('; ')}`;
    return { number, figures: summed(proven), verdict: wrong ? `BROKEN: ${wrong}` : holds, date };
  });
}

type Tested = Report['testResults'][number]['assertionResults'];

/** Why a guarantee is not proven: the first of its tests that did not pass, or a file of it that did not run. */
function wrongWith(report: Report, number: number, tests: Tested): string | undefined {
  const files = filesOf([number]);
  const missing = files.find((file) => !report.testResults.some(({ name }) => name.endsWith(file)));
  if (missing) return `${missing} did not run`;
  const dead = report.testResults.find(
    ({ name, status, assertionResults }) =>
      status === 'failed' &&
      files.some((file) => name.endsWith(file)) &&
      assertionResults.every((one) => one.status !== 'failed'),
  );
  if (dead) return firstLine(dead.message);
  const bad = tests.find(({ status }) => status !== 'passed');
  if (bad) return `${bad.fullName}: ${firstLine(bad.failureMessages[0] ?? bad.status)}`;
  return tests.length === 0 ? 'there is no test' : undefined;
}

/** Of a test that ran out of time, vitest gives no more than a name of its own. */
const firstLine = (text: string): string =>
  (text.split('\n', 1)[0] ?? '').replace('Error: STACK_TRACE_ERROR', 'it took too long');

/** The counts that are smaller in CI, by file: `- test/x.test.ts: 100 of 10,000 lists`. */
function smaller(): string[] {
  return testFiles().flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const counts = [...text.matchAll(/(?:(\w+) ?[=:] )?counted\(([^,()]+), ([^()]+)\)/g)]
      .filter(([, name]) => name !== 'timeout')
      .map(([, name = '', full = '', ci = '']) => `${plain(ci)} of ${plain(full)}${name && ` ${worded(name)}`}`);
    return counts.length > 0 ? [`- \`${file}\`: ${counts.join(', ')}`] : [];
  });
}

const plain = (number: string): string =>
  /^[\d_]+$/.test(number) ? grouped(Number(number.replaceAll('_', ''))) : number;
/** `secondsOfOutage` and `RUNS` as words. */
const worded = (name: string): string => name.replace(/_|(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((text) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |`;

/** The rows of a page that was written before. */
const rowsOf = (page: string): Row[] =>
  [...page.matchAll(/^\| (\d+) \|.*$/gm)].map(([line, number]) => {
    const [, , , figures = '', verdict = '', date = ''] = line.split(/ *(?<!\\)\| */);
    return { number: Number(number), figures: figures.replaceAll('\\|', '|'), verdict, date };
  });

/** docs/guarantees.md from what it was, with new rows in the place of old ones; `machine` says what they ran on. */
export function page(before: string, rows: readonly Row[] = [], machine?: string): string {
  const known = new Map([...rowsOf(before), ...rows].map((row) => [row.number, row]));
  const ranOn = machine ?? /^Last run on (.*)$/m.exec(before)?.[1] ?? 'nothing yet.';
  const tables = [...new Set(guarantees.map(({ about }) => about))].map((about) => {
    const lines = guarantees
      .filter((each) => each.about === about)
      .map(({ number, sentence }) => {
        const { figures = '', verdict = 'not run yet', date = '' } = known.get(number) ?? {};
        return row(String(number), sentence, figures, verdict, date);
      });
    const head = [row('', 'what is promised', 'what was measured', 'verdict', 'date'), row(...Array(5).fill('---'))];
    return [`## ${about}`, '', ...head, ...lines].join('\n');
  });
  return `${[HEAD, `Last run on ${ranOn}`, ...tables, CI, smaller().join('\n')].join('\n\n')}\n`;
}

const HEAD = `# The guarantees

Each sentence is a promise that a test can show false. \`npm run test:guarantees\` runs these tests at full size and
writes this page; \`--only 1,2\` runs some of them, \`--ci\` the small counts, \`--hours 24\` the soak of guarantee 26 at
full length. A guarantee without a test, with a skipped one, or whose tests measured nothing counts as broken.`;

const CI = `## What CI runs smaller

CI runs every test of every guarantee. These take too long for it at full size (what \`GUARANTEES=full\` asks for), and a
soak of less than 10 minutes does not compare memory:`;
