import { type Facts, remote } from '../../present/answer.ts';
import { waitForTask } from '../../pve/task.ts';
import { elapsed } from '../format.ts';
import type { ToolContext } from '../tool.ts';

export interface Settled {
  /** False when the task went on past the wait. */
  readonly done: boolean;
  readonly facts: Facts;
}

/** Waits for the task that a write started, as long as the call or the operator's settings say; a failed task is a Failure. */
export async function settle(context: ToolContext, started: unknown, waitSeconds?: number): Promise<Settled> {
  if (typeof started !== 'string') return { done: true, facts: {} };
  const outcome = await waitForTask(context.pve, started, {
    waitMs: waitSeconds === undefined ? context.setup.taskWaitMs : waitSeconds * 1000,
    signal: context.signal,
    onProgress: (message) => context.progress(message),
  });
  const done = outcome.state !== 'running';
  const log = outcome.log.slice(-10).join('\n');
  return {
    done,
    facts: {
      task: outcome.upid,
      task_state: outcome.state,
      waited: elapsed(outcome.durationMs),
      warnings: outcome.warnings,
      log: outcome.state === 'ok' || log === '' ? undefined : remote(log),
      next: done ? undefined : 'The task goes on. Wait for it with pve_task_get: this task, wait_s 60.',
    },
  };
}
