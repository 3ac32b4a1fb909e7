import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tools } from '../src/toolsets/index.ts';
import { type Counterpart, counterparts, proofOf } from './peer-functions.ts';

const root = join(import.meta.dirname, '..');

/** What is wrong with a row: the tool does not exist, or nothing proves it. */
function lacking(counterpart: Counterpart): string | undefined {
  const { tool } = counterpart;
  if (!tools.some(({ name }) => name === tool)) return `there is no tool ${tool}`;
  const file = join(root, proofOf(counterpart));
  if (!existsSync(file)) return `there is no ${proofOf(counterpart)}`;
  return readFileSync(file, 'utf8').includes(tool) ? undefined : `${proofOf(counterpart)} does not name ${tool}`;
}

const rows = [...counterparts].map(([name, one]) => ({ name, one, wrong: lacking(one) }));
const table = [
  ['gilby125/mcp-proxmox', 'here', 'how', 'proved by'],
  ...rows.map(({ name, one, wrong }) => [name, one.tool, one.how, wrong ? `MISSING: ${wrong}` : proofOf(one)]),
];
const widths = [0, 1, 2].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
for (const cells of table) console.log(cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
const missing = rows.filter(({ wrong }) => wrong !== undefined);
console.log(`\n${rows.length} functions, ${rows.length - missing.length} covered, ${missing.length} missing`);
if (missing.length > 0) process.exitCode = 1;
