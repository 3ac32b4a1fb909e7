import { Failure } from '../failure.ts';
import { remote } from '../present/answer.ts';
import type { Pve, PveCallOptions } from './client.ts';
import { meaningOf } from './errors.ts';
import { parseUpid } from './upid.ts';
import { type Seen, watchTask } from './watch.ts';

export { type TaskStatus, taskLog, taskStatus } from './task-status.ts';
export { parseUpid, type Upid } from './upid.ts';

/** A task that ended well, or that goes on past the time it was to be waited for. */
export interface TaskOutcome {
  readonly upid: string;
  readonly node: string;
  readonly type: string;
  readonly state: 'ok' | 'warnings' | 'running';
  /** How many warnings it ended with, when `state` is `warnings`. */
  readonly warnings?: number;
  /** The last lines of its log, at most 20. */
  readonly log: readonly string[];
  /** Milliseconds it was waited for. */
  readonly durationMs: number;
}

export interface WaitOptions extends PveCallOptions {
  /** How long to wait before `running` is the answer; 85 s unless told, so that nothing takes 90 s. */
  readonly waitMs?: number;
  /** How long the API may be away while waiting; 65 s unless told, so that a whole minute is waited through. */
  readonly outageMs?: number;
  readonly onProgress?: (message: string) => void;
}

/**
 * Waits for a task. `OK` and `WARNINGS: n` are success (pve-common, PVE/UPID.pm); anything else is a `task-failed`
 * Failure with `exit_status` and the end of the `log` as facts. Past `waitMs` the outcome is `running`; when nothing
 * could be heard of the task, an `outcome-unknown` Failure. An API that is away for up to `outageMs` is waited for.
 * An aborted wait is a `cancelled` Failure: the task itself goes on.
 */
export async function waitForTask(pve: Pve, upid: string, options: WaitOptions = {}): Promise<TaskOutcome> {
  const { node, type } = parseUpid(upid);
  const began = performance.now();
  const seen = await watchTask(pve, upid, options);
  const outcome = { upid, node, type, log: seen.log, durationMs: Math.round(performance.now() - began) };
  if (seen.exit === undefined) return { ...outcome, state: 'running' };
  if (seen.exit === 'OK') return { ...outcome, state: 'ok' };
  const warnings = /^WARNINGS: (\d+)$/.exec(seen.exit)?.[1];
  if (warnings !== undefined) return { ...outcome, state: 'warnings', warnings: Number(warnings) };
  throw failed(upid, seen);
}

function failed(upid: string, { exit = '', log }: Seen): Failure {
  const { node, type, id } = parseUpid(upid);
  const what = `Task ${type}${id === '' ? '' : ` ${id}`} on ${node}`;
  const ended =
    exit === 'unexpected status'
      ? 'was stopped before it was done, or died'
      : `failed: ${exit.trim() || 'no reason given'}`;
  return new Failure(
    'task-failed',
    `${what} ${ended}.`,
    meaningOf(exit, id)?.cure ?? 'The end of its log tells more.',
    {
      facts: { upid, node, type, exit_status: remote(exit), log: remote(log.join('\n')) },
      said: exit.trim(),
    },
  );
}
