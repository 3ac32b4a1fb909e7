import { describe, expect, it, vi } from 'vitest';
import { RemoteText } from '../../src/present/answer.ts';
import { createPve } from '../../src/pve/client.ts';
import { taskLog, waitForTask } from '../../src/pve/task.ts';
import { counted } from '../counts.ts';
import { figure } from '../figures.ts';
import { answer, type Behaviour, json, refusal, route, silence } from '../rig/tls.ts';
import { failureOf, rigged } from './rigged.ts';

const upid = 'UPID:pve1:00000352:00001F5E:6AFFBBDD:vzstart:100:root@pam!mcp:';
const other = 'UPID:pve1:00000353:00001F5F:6AFFBBDE:vzstop:100:root@pam!mcp:';

interface Task {
  /** What each status read says, the last one for ever after: `running`, or an exit status. */
  readonly states: (string | Behaviour)[];
  readonly log?: readonly string[];
}

/** A node that knows one task, with its log as PVE serves it: by start and limit, an empty one as "no content". */
function node({ states, log = [] }: Task): Behaviour {
  return route(({ target }) => {
    const url = new URL(target, 'https://pve');
    if (url.pathname.endsWith('/log')) {
      const start = Number(url.searchParams.get('start'));
      const rows = log.slice(start, start + Number(url.searchParams.get('limit')));
      const lines = rows.map((t, i) => ({ n: start + i + 1, t }));
      return log.length === 0
        ? json({ data: [{ n: 1, t: 'no content' }], total: 1 })
        : json({ data: lines, total: log.length });
    }
    const state = states.length > 1 ? states.shift() : states[0];
    if (typeof state === 'function') return state;
    const stopped = state === 'running' ? {} : { exitstatus: state };
    return json({ data: { status: state === 'running' ? 'running' : 'stopped', upid, ...stopped } });
  });
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i + 1}`);
const statusReads = (requests: readonly { target: string }[]): number =>
  requests.filter(({ target }) => target.includes('/status')).length;

/** By a real clock. */
const secondsOfOutage = counted(60, 2);

describe('guarantee 15: a task is told as it was', () => {
  it('OK, with the last 20 lines of its log', async () => {
    const { pve } = await rigged(node({ states: ['running', 'running', 'OK'], log: [...lines(29), 'TASK OK'] }));
    const outcome = await waitForTask(pve, upid);
    expect(outcome).toMatchObject({ upid, node: 'pve1', type: 'vzstart', state: 'ok' });
    expect(outcome.log).toEqual([...lines(29).slice(10), 'TASK OK']);
    expect(outcome.durationMs).toBeGreaterThan(100);
    expect(outcome.durationMs).toBeLessThan(2_000);
  });

  it('OK with an empty log, without the placeholder', async () => {
    const { pve } = await rigged(node({ states: ['OK'] }));
    expect((await waitForTask(pve, upid)).log).toEqual([]);
  });

  it('WARNINGS: 2 is a success that says so', async () => {
    const { pve } = await rigged(node({ states: ['running', 'WARNINGS: 2'], log: ['TASK WARNINGS: 2'] }));
    expect(await waitForTask(pve, upid)).toMatchObject({ state: 'warnings', warnings: 2, log: ['TASK WARNINGS: 2'] });
  });

  it('an error is a failure with exit status, log and cure', async () => {
    const log = ['trying to acquire lock...', 'TASK ERROR: CT is locked (backup)'];
    const { pve } = await rigged(node({ states: ['running', 'CT is locked (backup)'], log }));
    const failure = await failureOf(waitForTask(pve, upid));
    expect(failure.kind).toBe('task-failed');
    expect(failure.message).toBe('Task vzstart 100 on pve1 failed: CT is locked (backup).');
    expect(failure.hint).toContain('pct unlock 100');
    expect(failure.facts.exit_status).toEqual(new RemoteText('CT is locked (backup)'));
    expect(failure.facts.log).toEqual(new RemoteText(log.join('\n')));
    expect(failure.facts.upid).toBe(upid);
  });

  it('"WARNINGS: 2" inside a longer exit status is no success', async () => {
    const { pve } = await rigged(node({ states: ['command failed: WARNINGS: 2'] }));
    expect((await failureOf(waitForTask(pve, upid))).kind).toBe('task-failed');
  });

  it('a first "unexpected status" is read again', async () => {
    const { pve } = await rigged(node({ states: ['unexpected status', 'OK'] }));
    expect((await waitForTask(pve, upid)).state).toBe('ok');
  });

  it('a task that was killed is a failure', async () => {
    const { pve, rig } = await rigged(node({ states: ['running', 'unexpected status'] }));
    const failure = await failureOf(waitForTask(pve, upid));
    expect(failure.message).toContain('was stopped before it was done, or died');
    expect(statusReads(rig.requests)).toBe(3);
  });

  it(`an API that is away for ${secondsOfOutage} s is waited for, and that is told`, { timeout: 120_000 }, async () => {
    const { pve, rig } = await rigged(node({ states: ['running', 'running', 'OK'], log: ['TASK OK'] }));
    const told: string[] = [];
    const waiting = waitForTask(pve, upid, { onProgress: (message) => told.push(message) });
    await vi.waitUntil(() => rig.requests.length > 0);
    rig.accept = 'reset';
    rig.drop();
    const began = performance.now();
    await vi.waitUntil(() => told.some((message) => message.includes('Still waiting')), { timeout: 5_000 });
    await new Promise((resolve) => setTimeout(resolve, secondsOfOutage * 1_000 - (performance.now() - began)));
    rig.accept = 'tls';
    expect((await waiting).state).toBe('ok');
    expect(told.some((message) => message.includes('answers again'))).toBe(true);
    figure(15, `waited through ${((performance.now() - began) / 1_000).toFixed(0)} s of outage`);
    expect(told[0]).toContain('vzstart 100 on pve1');
  });

  it('an API that stays away longer than it may: outcome unknown, with the UPID', async () => {
    const { pve } = await rigged(node({ states: ['running', answer(595, 'Connection refused')] }));
    const failure = await failureOf(waitForTask(pve, upid, { outageMs: 700 }));
    expect(failure.kind).toBe('outcome-unknown');
    expect(failure.message).toContain(upid);
    expect(failure.message).toContain('595 Connection refused');
  });

  it('a node that is gone: outcome unknown, naming the node', async () => {
    const { pve } = await rigged(node({ states: [answer(595, 'No route to host')] }));
    const failure = await failureOf(waitForTask(pve, upid, { outageMs: 500 }));
    expect(failure.kind).toBe('outcome-unknown');
    expect(failure.message).toContain('node pve1 did not answer');
    expect(failure.facts).toMatchObject({ upid, node: 'pve1' });
  });

  it('an outage that lasts until the wait is over: outcome unknown, not "running"', async () => {
    const { pve } = await rigged(node({ states: ['running', answer(596, 'Connection timed out')] }));
    const failure = await failureOf(waitForTask(pve, upid, { waitMs: 1_200 }));
    expect(failure.kind).toBe('outcome-unknown');
  });

  it('a server that never says a word: outcome unknown by the deadline', async () => {
    const { pve } = await rigged(() => {});
    const began = performance.now();
    expect((await failureOf(waitForTask(pve, upid, { waitMs: 400 }))).kind).toBe('outcome-unknown');
    expect(performance.now() - began).toBeLessThan(800);
  });

  it('a task that never ends is running by the deadline, with its log so far', async () => {
    const { pve } = await rigged(node({ states: ['running'], log: lines(30) }));
    const began = performance.now();
    const outcome = await waitForTask(pve, upid, { waitMs: 2_500 });
    expect(performance.now() - began).toBeLessThan(2_900);
    expect(outcome).toMatchObject({ upid, state: 'running', log: lines(30).slice(10) });
  });

  it('a task that never ends is running within 90 s when nothing else is said', async () => {
    vi.useFakeTimers();
    try {
      const body = '{"data":{"status":"running"}}';
      const send = async () => ({ status: 200, statusText: 'OK', body });
      const pve = createPve({ host: 'pve1', port: 8006, wire: { endpoint: 'pve1:8006', send, close: async () => {} } });
      const waiting = waitForTask(pve, upid).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(90_000);
      expect(await Promise.race([waiting, 'still waiting'])).toMatchObject({ state: 'running' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('a server that falls silent near the end of the wait: outcome unknown, not "running"', async () => {
    vi.useFakeTimers();
    try {
      let silent = false;
      const body = '{"data":{"status":"running"}}';
      const send = () =>
        silent ? new Promise<never>(() => {}) : Promise.resolve({ status: 200, statusText: 'OK', body });
      const pve = createPve({ host: 'pve1', port: 8006, wire: { endpoint: 'pve1:8006', send, close: async () => {} } });
      const waiting = failureOf(waitForTask(pve, upid));
      await vi.advanceTimersByTimeAsync(60_000);
      silent = true;
      await vi.advanceTimersByTimeAsync(25_000);
      expect((await waiting).kind).toBe('outcome-unknown');
    } finally {
      vi.useRealTimers();
    }
  });

  it('a task that has ended is told as ended though its log does not come', async () => {
    const { pve } = await rigged(route(({ target }) => (target.includes('/log') ? silence : node({ states: ['OK'] }))));
    expect(await waitForTask(pve, upid, { waitMs: 500 })).toMatchObject({ state: 'ok', log: [] });
  });

  it('a node that does not know it: not found, at once', async () => {
    const unknown = refusal(400, 'Parameter verification failed.', { upid: 'no such task' });
    const { pve } = await rigged(node({ states: [unknown] }));
    const failure = await failureOf(waitForTask(pve, upid));
    expect(failure.kind).toBe('not-found');
    expect(failure.facts.upid).toBe(upid);
  });

  it('a token that is refused meanwhile: told with the UPID', async () => {
    const { pve } = await rigged(node({ states: ['running', answer(401, 'Authentication failed!')] }));
    const failure = await failureOf(waitForTask(pve, upid));
    expect(failure.kind).toBe('authentication');
    expect(failure.facts.upid).toBe(upid);
  });
});

describe('waiting', () => {
  it('is one poller however many wait, and each task has its own', async () => {
    const { pve, rig } = await rigged(node({ states: ['running', 'running', 'running', 'running', 'OK'] }));
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => waitForTask(pve, upid)));
    expect(outcomes.map(({ state }) => state)).toEqual(Array(20).fill('ok'));
    expect(statusReads(rig.requests)).toBe(5);
    await waitForTask(pve, other);
    expect(rig.requests.some(({ target }) => target.includes(encodeURIComponent(other)))).toBe(true);
  });

  it('goes on for the others when one gives up', async () => {
    const { pve } = await rigged(node({ states: ['running', 'running', 'running', 'running', 'OK'] }));
    const abort = new AbortController();
    const one = failureOf(waitForTask(pve, upid, { signal: abort.signal }));
    const two = waitForTask(pve, upid);
    abort.abort();
    expect((await one).kind).toBe('cancelled');
    expect((await two).state).toBe('ok');
  });

  it('is cancelled at once, says that the task goes on, and asks no more', async () => {
    const { pve, rig } = await rigged(node({ states: ['running'] }));
    const abort = new AbortController();
    const waiting = failureOf(waitForTask(pve, upid, { signal: abort.signal }));
    await vi.waitUntil(() => rig.requests.length > 1);
    abort.abort();
    const failure = await waiting;
    expect(failure.kind).toBe('cancelled');
    expect(failure.message).toContain(`the task itself goes on: ${upid}`);
    const asked = rig.requests.length;
    const marker = waitForTask(pve, other, { waitMs: 700 });
    await marker;
    expect(rig.requests.slice(asked).filter(({ target }) => target.includes(encodeURIComponent(upid)))).toEqual([]);
  });

  it('refuses what is no task id before it asks', async () => {
    const { pve, rig } = await rigged();
    expect((await failureOf(waitForTask(pve, 'UPID:pve1:oops'))).kind).toBe('invalid-input');
    expect(rig.connections).toBe(0);
  });
});

it('reads the end of a long log page by page', async () => {
  const { pve, rig } = await rigged(node({ states: ['OK'], log: lines(12_000) }));
  const log = await taskLog(pve, upid, { lines: 3 });
  expect(log).toEqual({ lines: ['line 11998', 'line 11999', 'line 12000'], total: 12_000 });
  expect(rig.requests).toHaveLength(3);
});
