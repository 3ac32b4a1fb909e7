import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { guarantees } from '../test/guarantees.ts';
import { filesOf, judged, naming, page, type Report } from './proof.ts';

const root = join(import.meta.dirname, '..');
const pageFile = join(root, 'docs/guarantees.md');

const { values } = parseArgs({
  options: { only: { type: 'string' }, ci: { type: 'boolean', default: false }, hours: { type: 'string' } },
});
const all = guarantees.map(({ number }) => number);
const numbers = values.only ? values.only.split(',').map(Number) : all;
const unknown = numbers.filter((number) => !all.includes(number));
if (unknown.length > 0) throw new Error(`There is no guarantee ${unknown.join()}.`);

/** Runs the tests of the guarantees; their progress goes to standard error. */
function run(): Report {
  const folder = mkdtempSync(join(tmpdir(), 'psm-guarantees-'));
  const report = join(folder, 'report.json');
  try {
    spawnSync(
      process.execPath,
      [
        ...['node_modules/vitest/vitest.mjs', 'run', ...filesOf(numbers), '-t', naming(numbers)],
        ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ],
      {
        cwd: root,
        stdio: ['ignore', process.stderr, process.stderr],
        env: {
          ...process.env,
          ...(values.ci ? {} : { GUARANTEES: 'full' }),
          ...(values.hours ? { SOAK_HOURS: values.hours } : {}),
        },
      },
    );
    return JSON.parse(readFileSync(report, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the tests ran on, without a name of it. */
function machine(): string {
  const version = spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.split(',')[0];
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`;
  return `${system}, Node.js ${process.version}, ${version}, ${availableParallelism()} cores, ${memory}.`;
}

const rows = judged(run(), numbers, new Date().toISOString().slice(0, 10));
for (const { number, figures, verdict } of rows)
  console.log([number, guarantees[number - 1]?.sentence, figures, verdict].join(' | '));
if (!values.ci) writeFileSync(pageFile, page(readFileSync(pageFile, 'utf8'), rows, machine()));
const broken = rows.filter(({ verdict }) => verdict.startsWith('BROKEN'));
console.log(
  `\n${rows.length} guarantees, ${rows.length - broken.length} hold${values.ci ? ' at the small counts' : ''}, ${broken.length} broken`,
);
if (broken.length > 0) process.exitCode = 1;
