import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { filled } from './documents.ts';

const PAGE = 'docs/tests.md';

interface Lines {
  readonly total: number;
  readonly covered: number;
}

/** `ssh` of `/…/src/ssh/files/list.ts`; what stands beside the rooms is `*.ts`. */
function roomOf(file: string): string {
  const [, room = '', ...rest] = relative('.', file).split('/');
  return rest.length > 0 ? room : '*.ts';
}

const files: Readonly<Record<string, { readonly lines: Lines }>> = JSON.parse(
  readFileSync('coverage/coverage-summary.json', 'utf8'),
);
const rooms = new Map<string, Lines>();
for (const [file, { lines }] of Object.entries(files)) {
  const room = file === 'total' ? 'all' : roomOf(file);
  const { total, covered } = rooms.get(room) ?? { total: 0, covered: 0 };
  rooms.set(room, { total: total + lines.total, covered: covered + lines.covered });
}
const rows = [...rooms]
  .toSorted(([a], [b]) => a.localeCompare(b))
  .map(([room, { total, covered }]) => {
    const name = room === 'all' ? 'all' : `\`src/${room}\``;
    return `| ${name} | ${total} | ${covered} | ${((100 * covered) / total).toFixed(1)} % |`;
  });
const table = ['| room | lines | reached | share |', '| --- | --- | --- | --- |', ...rows].join('\n');
const date = new Date().toISOString().slice(0, 10);
writeFileSync(PAGE, filled(readFileSync(PAGE, 'utf8'), { coverage: `Counted on ${date}.\n\n${table}` }));
