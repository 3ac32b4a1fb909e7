import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'reports/coverage/processes');

// Runs before the rest of a build that counts (scripts/build.mjs --counting). A process that is killed counts nothing.
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
process.on('exit', () => {
  session.post('Profiler.takePreciseCoverage', (error, taken) => {
    if (error) return;
    const ours = taken.result.filter(({ url }) => url.startsWith('file:') && url.includes('/dist/'));
    const files = ours.map(({ url, functions }) => [url, functions.flatMap(({ ranges }) => ranges.map(asNumbers))]);
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${process.pid}-${Date.now()}.json`), JSON.stringify(files));
    } catch {
      // Another user than the one that runs the tests.
    }
  });
});

const asNumbers = ({ startOffset, endOffset, count }) => [startOffset, endOffset, count > 0 ? 1 : 0];
