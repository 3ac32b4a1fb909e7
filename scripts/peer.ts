import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tools } from '../src/toolsets/index.ts';
import { type Counterpart, peers } from './peers/index.ts';

const root = join(import.meta.dirname, '..');

/** What is wrong with a row: the tool does not exist, or nothing proves it. */
function lacking({ tool, proof, holds }: Counterpart): string | undefined {
  if (!tools.some(({ name }) => name === tool)) return `there is no tool ${tool}`;
  const file = join(root, proof);
  if (!existsSync(file)) return `there is no ${proof}`;
  return readFileSync(file, 'utf8').includes(holds) ? undefined : `${proof} does not name ${holds}`;
}

for (const { name, rows } of peers) {
  const told = rows.map((row) => ({ row, wrong: lacking(row) }));
  const table = [
    [name, 'here', 'how', 'proved by'],
    ...told.map(({ row, wrong }) => [row.name, row.tool, row.how, wrong ? `MISSING: ${wrong}` : row.proof]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  for (const cells of table) console.log(cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  const missing = told.filter(({ wrong }) => wrong !== undefined);
  console.log(`\n${rows.length} functions, ${rows.length - missing.length} covered, ${missing.length} missing\n`);
  if (missing.length > 0) process.exitCode = 1;
}
