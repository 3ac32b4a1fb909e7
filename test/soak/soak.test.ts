import { readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { counted } from '../counts.ts';
import { parse } from '../e2e/raw.ts';
import { figure, grouped, unproven } from '../figures.ts';
import { memoryOf } from '../rig/memory.ts';
import { type SoakLab, startSoakLab } from './lab.ts';
import { type Call, mix } from './mix.ts';

const hours = Number(process.env.SOAK_HOURS ?? 0);
const secondsOfSoak = counted(600, 12);
const seconds = hours > 0 ? hours * 3600 : secondsOfSoak;
const perSecond = hours > 0 ? 1 : 10;
/** What the first calls take stays: code that is compiled, connections, V8's heap up to its usual size. */
const warmUp = Math.min(seconds / 3, 1800);
/** One fault after so many calls. */
const FAULT_EVERY = 20;

let lab: SoakLab;
beforeAll(async () => {
  lab = await startSoakLab();
});
afterAll(() => lab.stop());

const open = new Set<Promise<unknown>>();
const seen = { calls: 0, answered: 0, failed: 0, cancelled: 0, faults: 0 };
let wrong: string[] = [];

/** Sends a call; every ninth is cancelled soon after. */
function send(call: Call): void {
  const { session } = lab;
  const id = session.send('tools/call', { ...call });
  seen.calls++;
  if (seen.calls % 9 === 0) {
    seen.cancelled++;
    setTimeout(() => {
      const params = { requestId: id, reason: 'soak' };
      session.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })}\n`);
    }, seen.calls % 400);
    return;
  }
  const answered = session.reply(id).then(({ result }) => {
    open.delete(answered);
    seen.answered++;
    if (result?.isError === true) seen.failed++;
  });
  open.add(answered);
}

/** One call after the other at that pace until the time is over, with faults between them; MiB of memory meanwhile. */
async function soak(calls: Generator<Call>, until: number): Promise<number[]> {
  const memory: number[] = [];
  const began = performance.now();
  const faults = Object.values(lab.faults);
  let fault: Promise<void> | undefined;
  for (let i = 1; performance.now() < until; i++) {
    send(calls.next().value);
    if (i % FAULT_EVERY === 0) {
      await fault;
      fault = Promise.resolve(faults[seen.faults++ % faults.length]?.());
    }
    if (i % 200 === 0) keepLittle();
    if (i % perSecond === 0) memory.push(memoryOf(lab.pid, 'VmRSS'));
    await wait(began + (i * 1_000) / perSecond - performance.now());
  }
  await fault;
  return memory;
}

/** The median of what it held in the last seconds: how much V8 has collected just then differs by a fifth. */
const usual = (memory: readonly number[]): number => {
  const last = memory.slice(-warmUp / 2).toSorted((a, b) => a - b);
  return last[Math.floor(last.length / 2)] ?? 0;
};

/** Forgets what was read, after a look at it; the datacentre begins anew. */
function keepLittle(): void {
  wrong = [...wrong, ...lab.session.lines.filter((line) => parse(line) === undefined)];
  lab.session.forget();
  lab.restore();
}

const ask = async (name: string, args: object = {}): Promise<Record<string, unknown>> => {
  const { result } = await lab.session.request('tools/call', { name, arguments: args });
  expect(result?.isError, `${name}: ${JSON.stringify(result)}`).not.toBe(true);
  return result?.structuredContent as Record<string, unknown>;
};

/** Open descriptors when all is answered, its sessions are closed, and each of its ways was used once more. */
async function descriptors(): Promise<number> {
  await Promise.all(open);
  keepLittle();
  const { sessions = [] } = await ask('ssh_session_list');
  for (const { session } of sessions as { session: string }[]) await ask('ssh_session_close', { session });
  await ask('pve_overview');
  for (const target of ['pve1', 'real']) await ask('ssh_exec', { target, script: 'true' });
  await wait(3_000);
  return readdirSync(`/proc/${lab.pid}/fd`).length;
}

const span = hours > 0 ? `${hours} h` : `${seconds / 60} minutes`;
const change = (from: number, to: number, unit = '') =>
  `${from.toFixed(0)} → ${to.toFixed(0)}${unit} (${(((to - from) / from) * 100).toFixed(1)} %)`;

it('guarantee 26: through calls of every tool, faults and cancels, memory and descriptors stay within 10 %', {
  timeout: (seconds + 300) * 1_000,
}, async () => {
  const calls = mix(lab.dc);
  const begin = performance.now();
  const before = { memory: usual(await soak(calls, begin + warmUp * 1_000)), descriptors: await descriptors() };
  const until = performance.now() + (seconds - warmUp) * 1_000;
  const after = { memory: usual(await soak(calls, until)), descriptors: await descriptors() };

  const { answered, failed, cancelled, faults } = seen;
  figure(
    26,
    `${grouped(seen.calls)} calls in ${span}: ${grouped(answered)} answered, ${grouped(failed)} of them as failed, ${grouped(cancelled)} cancelled; ${grouped(faults)} faults`,
  );
  figure(
    26,
    `resident memory (median) ${change(before.memory, after.memory, ' MiB')}, descriptors ${change(before.descriptors, after.descriptors)}`,
  );
  if (hours < 24) unproven(26, `24 h (this soak took ${span}; --hours 24 runs all of it)`);
  expect(wrong).toEqual([]);
  expect(lab.session.stderr()).not.toMatch(/unhandled|TypeError|Unexpected error/i);
  expect(answered).toBe(seen.calls - cancelled);
  expect(answered - failed).toBeGreaterThan(seen.calls / 5);
  expect(Math.abs(after.descriptors - before.descriptors)).toBeLessThanOrEqual(before.descriptors / 10);
  // In the first minutes the memory grows to its usual size: a shorter soak has nothing to compare.
  if (seconds >= 600) expect(after.memory).toBeLessThan(before.memory * 1.1);
});
