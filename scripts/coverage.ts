import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { countedByProcesses, countedByVitest, type Lines } from './coverage-lines.ts';
import { filled } from './documents.ts';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'reports/coverage');
const page = join(root, 'docs/tests.md');
const WANTED = 90;

const node = (...args: readonly string[]): boolean =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, COUNTING: 'yes' } })
    .status === 0;

/** `src/ssh` of a file in that room or below; `src` of what stands beside the rooms. */
const roomOf = (file: string): string => /^src(?:\/[^/]+(?=\/))?/.exec(relative(root, file))?.[0] ?? '';

const share = (lines: number, ran: number): string => `${((100 * ran) / lines).toFixed(1)} %`;

/** The rooms with their lines, those that ran, and those that ran only in processes of the built program. */
function table(all: Lines, inTests: Lines, inProcesses: Lines): { readonly text: string; readonly reached: number } {
  const rooms = new Map<string, { lines: number; ran: number; apart: number }>();
  for (const [file, lines] of all) {
    const here = [...lines].filter((line) => inTests.get(file)?.has(line));
    const apart = [...lines].filter((line) => !inTests.get(file)?.has(line) && inProcesses.get(file)?.has(line));
    for (const room of [roomOf(file), 'all']) {
      const sum = rooms.get(room) ?? { lines: 0, ran: 0, apart: 0 };
      const ran = sum.ran + here.length + apart.length;
      rooms.set(room, { lines: sum.lines + lines.size, ran, apart: sum.apart + apart.length });
    }
    const missed = [...lines].filter((line) => !here.includes(line) && !apart.includes(line));
    if (missed.length > 0) unreached.push(`${relative(root, file)}: ${missed.toSorted((a, b) => a - b).join(' ')}\n`);
  }
  const rows = [...rooms]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([room, { lines, ran, apart }]) => `| ${room} | ${lines} | ${ran} | ${apart} | ${share(lines, ran)} |`);
  const { lines = 0, ran = 0 } = rooms.get('all') ?? {};
  const head = [
    '| room | lines | reached | of these by the built program alone | share |',
    '| --- | --- | --- | --- | --- |',
  ];
  return { text: [...head, ...rows].join('\n'), reached: (100 * ran) / lines };
}

const unreached: string[] = [];
rmSync(reports, { recursive: true, force: true });
const chosen = process.argv.slice(2);
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--coverage', ...chosen];
const passed = node('scripts/build.mjs', '--counting') && node(...vitest);
const { all, ran } = countedByVitest(join(root, 'coverage/coverage-final.json'));
const apart = countedByProcesses(join(reports, 'processes'), join(root, 'dist'), join(reports, 'maps'));
node('scripts/build.mjs');
const { text, reached } = table(all, ran, apart);
writeFileSync(join(reports, 'unreached.txt'), unreached.toSorted().join(''));
const date = new Date().toISOString().slice(0, 10);
if (chosen.length === 0)
  writeFileSync(page, filled(readFileSync(page, 'utf8'), { coverage: `Counted on ${date}.\n\n${text}` }));
console.log(`${text}\n\nWhat no test reaches is in reports/coverage/unreached.txt.`);
if (!passed || reached < WANTED) process.exitCode = 1;
