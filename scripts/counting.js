// Stands at the head of each file of a build that counts (scripts/build.mjs --counting), so it can import nothing. What
// ran is noted when the process ends; one that is killed notes nothing.
globalThis.counting ??= (() => {
  const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const { Session } = process.getBuiltinModule('node:inspector');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const [dist] = /^.*?\/dist\//.exec(import.meta.url);
  const folder = fileURLToPath(new URL('../reports/coverage/processes/', dist));
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  process.on('exit', () => {
    session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error || !existsSync(folder)) return;
      const ours = taken.result.filter(({ url }) => url.startsWith(dist));
      const asNumbers = ({ startOffset, endOffset, count }) => [startOffset, endOffset, count > 0 ? 1 : 0];
      const files = ours.map(({ url, functions }) => [url, functions.flatMap(({ ranges }) => ranges.map(asNumbers))]);
      try {
        writeFileSync(`${folder}${process.pid}-${Date.now()}.json`, JSON.stringify(files));
      } catch {
        // Another user than the one that runs the tests.
      }
    });
  });
  return true;
})();
