import { asFailure, Failure } from '../failure.ts';
import type { Pve, PveCallOptions } from './client.ts';
import { pause } from './pause.ts';
import { taskLog, taskStatus } from './task-status.ts';
import { parseUpid } from './upid.ts';

/** What is known of a task: its exit status once it stopped, and the last lines of its log. */
export interface Seen {
  readonly exit?: string;
  readonly log: readonly string[];
}

export interface WatchOptions extends PveCallOptions {
  readonly waitMs?: number;
  readonly outageMs?: number;
  readonly onProgress?: (message: string) => void;
}

/** One poller, however many wait for its task. */
interface Watch {
  readonly upid: string;
  readonly outageMs: number;
  readonly began: number;
  readonly stop: AbortController;
  readonly listeners: Set<(message: string) => void>;
  waiting: number;
  /** When the node last said "running". */
  heardAt?: number;
  /** How the task ended, once that is known. */
  exit?: string;
  /** When the API was first found to be away. */
  awaySince?: number;
  log: readonly string[];
  lines: number;
  ended: Promise<Seen>;
}

const watches = new WeakMap<Pve, Map<string, Watch>>();

const firstPollMs = 100;
const slowestPollMs = 2_000;
const keptLines = 20;
/** A task of which nothing was heard for so long may have ended. */
const believedMs = 10_000;

/** Waits until the task stopped or `waitMs` passed, whichever comes first; see waitForTask for the failures. */
export async function watchTask(pve: Pve, upid: string, options: WatchOptions): Promise<Seen> {
  const { waitMs = 85_000, outageMs = 65_000, signal, onProgress } = options;
  if (signal?.aborted) throw goesOn(upid);
  const watch = join(pve, upid, outageMs);
  if (onProgress) watch.listeners.add(onProgress);
  const patience = new AbortController();
  const gaveUp = signal ? AbortSignal.any([signal, patience.signal]) : patience.signal;
  try {
    const late = pause(waitMs, gaveUp).then(() => soFar(watch));
    late.catch(() => {});
    return await Promise.race([watch.ended, late]);
  } catch (error) {
    if (signal?.aborted) throw goesOn(upid);
    throw error;
  } finally {
    patience.abort();
    if (onProgress) watch.listeners.delete(onProgress);
    watch.waiting -= 1;
    if (watch.waiting === 0) leave(pve, watch);
  }
}

function join(pve: Pve, upid: string, outageMs: number): Watch {
  const ofPve = watches.get(pve) ?? new Map<string, Watch>();
  watches.set(pve, ofPve);
  const running = ofPve.get(upid);
  if (running) {
    running.waiting += 1;
    return running;
  }
  const watch: Watch = {
    upid,
    outageMs,
    began: performance.now(),
    stop: new AbortController(),
    listeners: new Set(),
    waiting: 1,
    log: [],
    lines: 0,
    ended: new Promise(() => {}),
  };
  watch.ended = poll(pve, watch);
  watch.ended.catch(() => {});
  ofPve.set(upid, watch);
  return watch;
}

function leave(pve: Pve, watch: Watch): void {
  watch.stop.abort();
  const ofPve = watches.get(pve);
  if (ofPve?.get(watch.upid) === watch) ofPve.delete(watch.upid);
}

async function poll(pve: Pve, watch: Watch): Promise<Seen> {
  const { signal } = watch.stop;
  let doubted = false;
  for (let pauseMs = firstPollMs; ; pauseMs = Math.min(pauseMs * 1.5, slowestPollMs)) {
    const exit = await readExit(pve, watch);
    // A worker may still hold the state from before the last line of the log was written.
    if (exit === 'unexpected status' && !doubted) {
      doubted = true;
      watch.heardAt = undefined;
      pauseMs = firstPollMs;
    } else if (exit !== undefined) {
      watch.exit = exit;
      return { exit, log: await readLog(pve, watch) };
    }
    await pause(pauseMs, signal);
  }
}

/** The exit status; none while the task runs, and none while the API is away for less than `outageMs`. */
async function readExit(pve: Pve, watch: Watch): Promise<string | undefined> {
  const { signal } = watch.stop;
  const began = performance.now();
  try {
    const status = await taskStatus(pve, watch.upid, { signal });
    if (!status.running) return status.exit ?? 'unexpected status';
    if (watch.awaySince !== undefined) tell(watch, `${pve.endpoint} answers again`);
    watch.awaySince = undefined;
    watch.heardAt = performance.now();
    if (began - watch.began > 1_000) {
      const log = await readLog(pve, watch);
      tell(watch, log.at(-1));
    }
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind !== 'unreachable' && failure.kind !== 'timeout') throw withTask(watch, failure);
    watch.awaySince ??= began;
    if (performance.now() - watch.awaySince >= watch.outageMs) throw lostSight(watch, failure);
    tell(watch, `${failure.message} Still waiting for the task.`);
  }
  return undefined;
}

/** The log is told as far as it can be read; what counts is the status. */
async function readLog(pve: Pve, watch: Watch): Promise<readonly string[]> {
  const { signal } = watch.stop;
  try {
    const { lines, total } = await taskLog(pve, watch.upid, { start: watch.lines, lines: keptLines, signal });
    watch.log = [...watch.log, ...lines].slice(-keptLines);
    watch.lines = total;
  } catch {
    // Whatever is wrong shows at the next read of the status.
  }
  return watch.log;
}

function soFar(watch: Watch): Seen {
  const { exit, heardAt = Number.NEGATIVE_INFINITY, awaySince, log } = watch;
  const runs = awaySince === undefined && performance.now() - heardAt < believedMs;
  if (exit !== undefined || runs) return { exit, log };
  throw lostSight(watch);
}

function tell(watch: Watch, news: string | undefined): void {
  const { type, id, node } = parseUpid(watch.upid);
  const seconds = Math.round((performance.now() - watch.began) / 1_000);
  const what = [type, id, `on ${node}`].filter((part) => part !== '').join(' ');
  const text = news === undefined ? 'running' : news.slice(0, 200);
  for (const listener of watch.listeners) listener(`${what}, ${seconds} s: ${text}`);
}

const look = 'Look at it again with its UPID before anything is repeated.';

const goesOn = (upid: string): Failure =>
  new Failure('cancelled', `Waiting was cancelled; the task itself goes on: ${upid}`, look, { facts: { upid } });

const lostSight = (watch: Watch, cause?: Failure): Failure =>
  new Failure(
    'outcome-unknown',
    `Nothing could be heard of task ${watch.upid}${cause ? `: ${cause.message}` : '.'} Whether it ended is unknown.`,
    look,
    { facts: { upid: watch.upid, node: parseUpid(watch.upid).node }, cause },
  );

const withTask = (watch: Watch, failure: Failure): Failure =>
  new Failure(failure.kind, `Task ${watch.upid} cannot be watched: ${failure.message}`, failure.hint, {
    facts: { ...failure.facts, upid: watch.upid },
    cause: failure,
  });
