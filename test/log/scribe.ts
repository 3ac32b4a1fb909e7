import { createAudit } from '../../src/gate/audit.ts';

/** A process that writes an audit: file, folder of heads, bytes of a file, days, calls (0: until it is killed), seed. */
const [file = '', headFolder = '', maxBytes, keepDays, calls, seed] = process.argv.slice(2);

/** The same numbers for the same seed. */
function numbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const next = numbers(Number(seed));
const audit = createAudit({
  file,
  headFolder,
  redact: (text) => text,
  maxBytes: Number(maxBytes),
  keepDays: Number(keepDays),
});
const most = Number(calls) || Number.POSITIVE_INFINITY;
// What a test that was killed left behind would write for ever.
const parent = process.ppid;
for (let i = 0; i < most && process.ppid === parent; i += 1) {
  const line = { call: `${seed}-${i}`, client: 'scribe 1', tool: 'ssh_exec' };
  const input = { target: 'pve1', script: 'y'.repeat(Math.floor(next() ** 4 * 9000)) };
  if (next() < 0.5) {
    await audit.write({ ...line, kind: 'outcome', effect: 'read', input, verdict: 'ok', message: 'done' });
    if (next() < 0.1) await new Promise((resolve) => setTimeout(resolve, 20 * next()));
    continue;
  }
  await audit.write({ ...line, kind: 'intent', effect: 'execute', input, approved: 'mode' });
  await audit.write({ ...line, kind: 'outcome', effect: 'execute', verdict: 'ok', message: 'done' });
}
await audit.close();
