import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { pause } from '../../src/pve/pause.ts';
import { type TaskOutcome, waitForTask } from '../../src/pve/task.ts';
import { faultOf, overdue, withdrawn } from '../../src/pve/transport.ts';
import type { Sent, Wire, WireRequest } from '../../src/pve/wire.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';

const upids = ['vzstart:100', 'vzdump:101'].map((what) => `UPID:pve1:00000352:00001F5E:6AFFBBDD:${what}:root@pam!mcp:`);

/** What the API does with a request: answers as it is, or not. */
type Api = 'well' | 'reset' | '595' | '596' | '401' | '500' | 'silent' | 'slow' | 'not JSON';

/** A task as the node has it; `exit` once it stopped. */
interface Task {
  exit?: string;
  readonly log: string[];
}

/** One wait, what came of it and when. */
interface Waiter {
  readonly upid: string;
  readonly began: number;
  readonly waitMs: number;
  readonly outageMs: number;
  readonly abort: AbortController;
  aborted?: true;
  over?: {
    readonly at: number;
    readonly end: TaskOutcome | Failure | Error;
    /** What was so at that moment, and what the API had said last. */
    readonly exit: string | undefined;
    readonly told: { readonly at: number; readonly running: boolean } | undefined;
  };
}

/** The truth: tasks, how the API has been since when, and when it last said what a task does. */
interface World {
  readonly tasks: Map<string, Task>;
  api: Api;
  /** Times at which the API became other than well, and well again. */
  readonly away: { from: number; to?: number }[];
  readonly told: Map<string, { at: number; running: boolean }>;
  readonly waiters: Waiter[];
  requests: number;
  flying: Map<string, number>;
  mostFlying: number;
}

const now = () => performance.now();
const answers: Partial<Record<Api, Sent>> = {
  '595': { status: 595, statusText: 'Connection refused', body: '' },
  '596': { status: 596, statusText: 'Connection timed out', body: '' },
  '401': { status: 401, statusText: 'Authentication failed!', body: '' },
  '500': { status: 500, statusText: 'got no worker upid', body: '{"data":null}' },
  'not JSON': { status: 200, statusText: 'OK', body: '<html>' },
};

const after = (ms: number, signal?: AbortSignal): Promise<'over' | 'aborted'> =>
  pause(ms, signal).then(
    () => 'over',
    () => 'aborted',
  );

/** A wire to that world. What it says of a task is so at the moment of the request. */
function wireTo(world: World): Wire {
  const reply = async ({ path, signal, timeoutMs }: WireRequest): Promise<Sent> => {
    const upid = decodeURIComponent(path.split('/')[6] ?? '');
    const task = world.tasks.get(upid);
    const { api } = world;
    if ((await after(api === 'slow' ? 900 : 5, signal)) === 'aborted') return { ...withdrawn(path), left: true };
    if (api === 'reset') return { ...faultOf('pve', Object.assign(new Error(), { code: 'ECONNRESET' })), left: true };
    if (api === 'silent') {
      const end = await after(timeoutMs - 5, signal);
      return { ...(end === 'over' ? overdue('pve', 'no answer came', timeoutMs) : withdrawn(path)), left: true };
    }
    const spoiled = answers[api];
    if (spoiled || !task) return spoiled ?? { status: 400, statusText: 'no such task', body: '' };
    if (path.includes('/log')) {
      const start = Number(new URL(path, 'https://pve').searchParams.get('start'));
      const rows = task.log.map((t, i) => ({ n: i + 1, t })).slice(start);
      const data = task.log.length === 0 ? [{ n: 1, t: 'no content' }] : rows;
      return { status: 200, statusText: 'OK', body: JSON.stringify({ data }) };
    }
    const { exit } = task;
    world.told.set(upid, { at: now(), running: exit === undefined });
    const data = exit === undefined ? { status: 'running' } : { status: 'stopped', exitstatus: exit };
    return { status: 200, statusText: 'OK', body: JSON.stringify({ data }) };
  };
  return {
    endpoint: 'pve:8006',
    async send(request) {
      world.requests += 1;
      const status = request.path.includes('/status') ? request.path : '';
      const flying = (world.flying.get(status) ?? 0) + 1;
      world.flying.set(status, flying);
      if (status) world.mostFlying = Math.max(world.mostFlying, flying);
      try {
        return await reply(request);
      } finally {
        world.flying.set(status, (world.flying.get(status) ?? 1) - 1);
      }
    },
    close: async () => {},
  };
}

/** The longest time for which one may believe that a task still runs without having heard of it. */
const BELIEF_MS = 12_000;

/** Whether the API was other than well at some time between. */
const wasAway = ({ away }: World, from: number, to: number): boolean =>
  away.some((one) => one.from <= to && (one.to ?? Number.POSITIVE_INFINITY) >= from);

/** Holds what a waiter was told to what was so. */
function judge(world: World, waiter: Waiter): void {
  const { over, began, waitMs, upid } = waiter;
  if (!over) {
    expect(now() - began, 'it settles by its deadline').toBeLessThanOrEqual(waitMs + 50);
    return;
  }
  const { end, at, exit, told } = over;
  expect(at - began).toBeLessThanOrEqual(waitMs + 50);
  if (!(end instanceof Error)) {
    if (end.state === 'ok') expect(exit).toBe('OK');
    if (end.state === 'warnings') expect(exit).toBe(`WARNINGS: ${end.warnings}`);
    if (end.state === 'running') {
      expect(at - began).toBeGreaterThanOrEqual(waitMs - 50);
      expect(told?.running ?? exit === undefined, 'it was said to run').toBe(true);
      expect(at - (told?.at ?? 0), 'and that not long ago').toBeLessThanOrEqual(BELIEF_MS);
    }
    expect(end.log.length).toBeLessThanOrEqual(20);
    const lines = world.tasks.get(upid)?.log.join('\n') ?? '';
    expect(`\n${lines}\n`).toContain(`\n${end.log.join('\n')}${end.log.length > 0 ? '\n' : ''}`);
    return;
  }
  expect(end, String(end.stack)).toBeInstanceOf(Failure);
  const { kind, facts } = end as Failure;
  expect(facts.upid, kind).toBe(upid);
  if (kind === 'cancelled') expect(waiter.aborted).toBe(true);
  else if (kind === 'task-failed') {
    expect(exit).toBeDefined();
    expect(exit).not.toMatch(/^(OK|WARNINGS: \d+)$/);
    expect(facts.exit_status).toMatchObject({ text: exit });
  } else {
    const kinds = ['outcome-unknown', 'authentication', 'remote-error', 'not-found'];
    expect(kinds).toContain(kind);
    // A wait that is shorter than an answer hears nothing of a node that is well; one answer is asked for twice.
    const doubted = kind === 'outcome-unknown' && exit === 'unexpected status';
    if (waitMs > 100 && !doubted) expect(wasAway(world, began - 40_000, at), `${kind}: ${end.message}`).toBe(true);
  }
}

type Step = fc.AsyncCommand<World, Pve>;
const step = (
  name: string,
  run: (world: World, pve: Pve) => Promise<void> | void,
  may?: (world: World) => boolean,
): Step => ({
  check: (world) => may?.(world) ?? true,
  async run(world, pve) {
    await run(world, pve);
    await vi.advanceTimersByTimeAsync(0);
    for (const waiter of world.waiters) judge(world, waiter);
    expect(world.mostFlying, 'one poller').toBeLessThanOrEqual(1);
  },
  toString: () => name,
});

const wait = (upid: string, waitMs: number, outageMs: number) =>
  step(`wait(${upid.split(':')[5]}, ${waitMs}, ${outageMs})`, (world, pve) => {
    const abort = new AbortController();
    const waiter: Waiter = { upid, began: now(), waitMs, outageMs, abort };
    world.waiters.push(waiter);
    const end = (value: TaskOutcome | Error) => {
      waiter.over = { at: now(), end: value, exit: world.tasks.get(upid)?.exit, told: world.told.get(upid) };
    };
    waitForTask(pve, upid, { waitMs, outageMs, signal: abort.signal }).then(end, end);
  });
const abort = (which: number) =>
  step(`abort(${which})`, ({ waiters }) => {
    const waiter = waiters[which % Math.max(1, waiters.length)];
    if (!waiter || waiter.over) return;
    waiter.aborted = true;
    waiter.abort.abort();
  });
const ends = (upid: string, exit: string) =>
  step(`ends(${upid.split(':')[5]}, ${exit})`, ({ tasks }) => {
    const task = tasks.get(upid);
    if (task) Object.assign(task, { exit: task.exit ?? exit });
  });
const logs = (upid: string, lines: number) =>
  step(`logs(${lines})`, ({ tasks }) => {
    const log = tasks.get(upid)?.log ?? [];
    for (let i = 0; i < lines; i++) log.push(`line ${log.length + 1}`);
  });
const becomes = (api: Api) =>
  step(`api(${api})`, (world) => {
    const last = world.away.at(-1);
    if (api === 'well' && last) last.to ??= now();
    if (api !== 'well' && (!last || last.to !== undefined)) world.away.push({ from: now() });
    world.api = api;
  });
const passes = (ms: number) => step(`clock(${ms})`, async () => void (await vi.advanceTimersByTimeAsync(ms)));

const upid = fc.constantFrom(...upids);
const exits = ['OK', 'WARNINGS: 2', 'WARNINGS: 2 and more', 'unexpected status', 'CT is locked (backup)', ' ', ''];
const steps = [
  fc.tuple(upid, fc.constantFrom(40, 400, 3_000, 85_000), fc.constantFrom(500, 60_000)).map((given) => wait(...given)),
  fc.nat(5).map(abort),
  fc.tuple(upid, fc.constantFrom(...exits)).map((given) => ends(...given)),
  fc.tuple(upid, fc.constantFrom(1, 30)).map((given) => logs(...given)),
  fc.constantFrom<Api[]>('well', 'reset', '595', '596', '401', '500', 'silent', 'slow', 'not JSON').map(becomes),
  fc.constant(becomes('well')),
  fc.constantFrom(1, 90, 700, 2_500, 20_000, 61_000).map(passes),
  fc.constantFrom(300, 5_000).map(passes),
];

describe('guarantee 15: whatever a task and the API do while it is waited for', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const COURSES = counted(20_000, 1_000);
  it(`what is told is true, by the deadline, and nobody asks for longer: ${COURSES} courses`, {
    timeout: 600_000,
  }, async () => {
    let told = 0;
    const property = fc.asyncProperty(fc.commands(steps, { maxCommands: 30, size: 'max' }), async (course) => {
      const world: World = {
        tasks: new Map(upids.map((each) => [each, { log: [] }])),
        api: 'well',
        away: [],
        told: new Map(),
        waiters: [],
        requests: 0,
        flying: new Map(),
        mostFlying: 0,
      };
      const pve = createPve({ host: 'pve', port: 8006, wire: wireTo(world) });
      await fc.asyncModelRun(() => ({ model: world, real: pve }), course);
      await vi.advanceTimersByTimeAsync(90_000);
      for (const waiter of world.waiters) {
        judge(world, waiter);
        expect(waiter.over, 'it is over').toBeDefined();
        told += 1;
      }
      const asked = world.requests;
      await vi.advanceTimersByTimeAsync(60_000);
      expect(world.requests, 'nobody asks any more').toBe(asked);
    });
    await fc.assert(property, { numRuns: COURSES });
    figure(15, `${grouped(COURSES)} courses of tasks and outages, ${grouped(told)} waits: each told what was so`);
  });
});
