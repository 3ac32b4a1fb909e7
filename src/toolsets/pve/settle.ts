import { type Facts, remote } from '../../present/answer.ts';
import { type TaskOutcome, waitForTask } from '../../pve/task.ts';
import { elapsed } from '../format.ts';
import type { ToolContext } from '../tool.ts';

export interface Settled {
  /** False when the task went on past the wait. */
  readonly done: boolean;
  readonly facts: Facts;
}

const LOG_LINES = 10;

/**
 * Waits for the task that a write started, as long as the call or the operator's settings say (0: not at all); a task
 * that failed is a Failure. A write that started none is done already.
 */
export async function settle(context: ToolContext, started: unknown, waitSeconds?: number): Promise<Settled> {
  if (typeof started !== 'string') return { done: true, facts: {} };
  if (waitSeconds === 0) return { done: false, facts: goesOn(started) };
  const outcome = await waitForTask(context.pve, started, {
    waitMs: waitSeconds === undefined ? context.setup.taskWaitMs : waitSeconds * 1000,
    signal: context.signal,
    onProgress: (message) => context.progress(message),
  });
  if (outcome.state === 'running') return { done: false, facts: { ...goesOn(started), log: logOf(outcome) } };
  const { state, warnings, durationMs } = outcome;
  const log = state === 'warnings' ? logOf(outcome) : undefined;
  return { done: true, facts: { upid: started, task_state: state, waited: elapsed(durationMs), warnings, log } };
}

const goesOn = (upid: string): Facts => ({
  upid,
  task_state: 'running',
  next: 'The task goes on. Wait for it with pve_task_get: this upid, wait_s 60.',
});

const logOf = ({ log }: TaskOutcome) => (log.length > 0 ? remote(log.slice(-LOG_LINES).join('\n')) : undefined);
