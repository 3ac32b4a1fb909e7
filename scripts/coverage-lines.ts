import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Lines of each source file, counted from 1. */
export type Lines = Map<string, Set<number>>;

const linesOf = (lines: Lines, file: string): Set<number> => {
  const known = lines.get(file) ?? new Set();
  lines.set(file, known);
  return known;
};

interface Counted {
  readonly path: string;
  readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>;
  readonly s: Readonly<Record<string, number>>;
}

/** Lines on which a statement begins, and those of them that ran in a process of the tests, as vitest counted. */
export function countedByVitest(file: string): { readonly all: Lines; readonly ran: Lines } {
  const [all, ran]: [Lines, Lines] = [new Map(), new Map()];
  const counted: Readonly<Record<string, Counted>> = JSON.parse(readFileSync(file, 'utf8'));
  for (const { path, statementMap, s } of Object.values(counted)) {
    for (const [id, { start }] of Object.entries(statementMap)) {
      linesOf(all, path).add(start.line);
      if ((s[id] ?? 0) > 0) linesOf(ran, path).add(start.line);
    }
  }
  return { all, ran };
}

/** Start, end and whether it ran, three numbers for each range; an inner range says more than the one around it. */
type Ranges = readonly (readonly [start: number, end: number, ran: number])[];

/** Adds to `hit`, which has a place for each character of a file, what ran in one process. */
function paint(hit: Uint8Array, ranges: Ranges): void {
  const own = new Uint8Array(hit.length);
  for (const [start, end, ran] of ranges.toSorted((a, b) => a[0] - b[0] || b[1] - a[1])) own.fill(ran, start, end);
  for (const [i, ran] of own.entries()) hit[i] ||= ran;
}

/** What one process noted: nothing, if it was killed as it did. */
function notedIn(file: string): readonly (readonly [url: string, Ranges])[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}

/** Lines that ran in processes of the built program, which scripts/counting.js has noted in `folder`. */
export function countedByProcesses(folder: string, dist: string, maps: string): Lines {
  const texts = new Map<string, { readonly text: string; readonly hit: Uint8Array }>();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    for (const [url, ranges] of notedIn(join(folder, name))) {
      const file = fileURLToPath(url);
      if (!file.startsWith(dist)) continue;
      const text = texts.get(file)?.text ?? readFileSync(file, 'utf8');
      const hit = texts.get(file)?.hit ?? new Uint8Array(text.length);
      texts.set(file, { text, hit });
      paint(hit, ranges);
    }
  }
  const ran: Lines = new Map();
  for (const [file, { text, hit }] of texts) {
    const payload: SourceMapPayload = JSON.parse(readFileSync(join(maps, `${relative(dist, file)}.map`), 'utf8'));
    addSources(ran, file, text, hit, new SourceMap(payload));
  }
  return ran;
}

/** What the beginning of each line that ran was made from. */
function addSources(ran: Lines, file: string, text: string, hit: Uint8Array, map: SourceMap): void {
  let at = 0;
  for (const [i, line] of text.split('\n').entries()) {
    const column = line.search(/\S/);
    if (column >= 0 && hit[at + column]) {
      const found = map.findEntry(i, column);
      if ('originalSource' in found) {
        linesOf(ran, resolve(dirname(file), found.originalSource)).add(found.originalLine + 1);
      }
    }
    at += line.length + 1;
  }
}
