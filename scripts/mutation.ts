import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { type Part, rooms } from './mutation-rooms.ts';

const PAGE = 'docs/tests.md';
const REPORTS = 'reports/mutation';
const WANTED = 85;

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

/** Makes every small change in the files of `part`, one at a time, and tells of each whether a test noticed. */
async function mutated(part: Part, name: string): Promise<readonly Mutant[]> {
  process.env.MUTATION_TESTS = part.tests.join();
  return new Stryker({ mutate: [...part.mutate], incrementalFile: `${REPORTS}/${name}.json` }).runMutationTest();
}

const having = (mutants: readonly Mutant[], ...status: readonly Mutant['status'][]): readonly Mutant[] =>
  mutants.filter((mutant) => status.includes(mutant.status));

/** `src/a.ts:3:7 was → is`, with what no test reaches marked. */
function told({ fileName, location: { start, end }, replacement = '', status }: Mutant): string {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const last = start.line === end.line ? end.column - 1 : undefined;
  const was = lines[start.line - 1]?.slice(start.column - 1, last) ?? '';
  const place = `${relative('.', fileName)}:${start.line}:${start.column}`;
  return `${place} ${status === 'NoCoverage' ? '(not reached) ' : ''}${was} → ${replacement.replace(/\s+/g, ' ')}`;
}

/** One row of the page: how many of a room's changes a test noticed. */
function row(room: string, mutants: readonly Mutant[]): { readonly text: string; readonly share: number } {
  // What breaks a file before its first test is a change that any test notices.
  const counts = [['Killed', 'RuntimeError'], ['Timeout'], ['Survived'], ['NoCoverage']] as const;
  const [killed = 0, late = 0, survived = 0, unreached = 0] = counts.map((status) => having(mutants, ...status).length);
  const all = killed + late + survived + unreached;
  const share = (100 * (killed + late)) / all;
  const cells = [`\`${room}\``, all, killed, late, survived, unreached, `${share.toFixed(1)} %`];
  return { text: `| ${[...cells, new Date().toISOString().slice(0, 10)].join(' | ')} |`, share };
}

function writeRow(room: string, text: string): void {
  const page = readFileSync(PAGE, 'utf8').split('\n');
  const at = page.findIndex((line) => line.startsWith(`| \`${room}\` |`));
  if (at < 0) throw new Error(`${PAGE} has no row for ${room}`);
  writeFileSync(PAGE, page.with(at, text).join('\n'));
}

async function testRoom(room: string): Promise<number> {
  const name = room.replace('/', '-');
  const mutants: Mutant[] = [];
  for (const [i, part] of (rooms[room] ?? []).entries()) {
    mutants.push(...(await mutated(part, `${name}-${i}`)));
    const alive = having(mutants, 'Survived', 'NoCoverage').map(told);
    writeFileSync(`${REPORTS}/${name}.txt`, alive.map((line) => `${line}\n`).join(''));
  }
  const { text, share } = row(room, mutants);
  writeRow(room, text);
  console.log(text);
  return share;
}

const wanted = process.argv.slice(2);
const strange = wanted.filter((room) => !(room in rooms));
if (strange.length > 0) throw new Error(`no room: ${strange.join()}; there are ${Object.keys(rooms).join()}`);
mkdirSync(REPORTS, { recursive: true });
const shares: number[] = [];
for (const room of wanted.length > 0 ? wanted : Object.keys(rooms)) shares.push(await testRoom(room));
console.log(`What no test noticed is in ${REPORTS}/.`);
if (shares.some((share) => share < WANTED)) process.exitCode = 1;
