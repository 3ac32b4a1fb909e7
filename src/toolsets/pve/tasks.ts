import { z } from 'zod';
import { type Facts, remote } from '../../present/answer.ts';
import type { Pve, PveParams } from '../../pve/client.ts';
import { num, text } from '../../pve/fields.ts';
import { path } from '../../pve/path.ts';
import { duration, iso } from '../format.ts';

const shape = z.array(
  z.object({
    upid: z.string(),
    node: z.string(),
    type: z.string(),
    id: text,
    user: text,
    tokenid: text,
    starttime: num,
    endtime: num,
    /** `OK`, `WARNINGS: n` or the error. While it runs: nothing, or RUNNING (pve-manager, PVE/API2/Tasks.pm). */
    status: text.transform((status) => (status === 'RUNNING' ? undefined : status)),
  }),
);

export type TaskRow = z.infer<typeof shape>[number];

/** Tasks of one node, running ones included, newest first. */
export const readTasks = (pve: Pve, node: string, params: PveParams, signal: AbortSignal): Promise<TaskRow[]> =>
  pve.get(path`/nodes/${node}/tasks`, shape, { source: 'all', ...params }, { signal });

/** The recent tasks of every node; the cluster keeps only a few of each. */
export const readClusterTasks = (pve: Pve, signal: AbortSignal): Promise<TaskRow[]> =>
  pve.get(path`/cluster/tasks`, shape, {}, { signal });

/** A finished task's own word for its end; `OK` and `WARNINGS: n` are success (pve-common, PVE/UPID.pm). */
export const verdict = (exit: string | undefined): 'running' | 'ok' | 'warnings' | 'failed' => {
  if (exit === undefined) return 'running';
  if (exit === 'OK') return 'ok';
  return /^WARNINGS: \d+$/.test(exit) ? 'warnings' : 'failed';
};

/** Running tasks first, then by start, newest first. */
export const runningFirst = (tasks: readonly TaskRow[]): TaskRow[] =>
  [...tasks].sort(
    (a, b) =>
      Number(b.status === undefined) - Number(a.status === undefined) || (b.starttime ?? 0) - (a.starttime ?? 0),
  );

/** One row of an answer. */
export function taskFacts(task: TaskRow): Facts {
  const state = verdict(task.status);
  const { starttime, endtime } = task;
  return {
    upid: task.upid,
    type: task.type,
    id: task.id || undefined,
    node: task.node,
    user: task.user && task.tokenid ? `${task.user}!${task.tokenid}` : task.user,
    started: starttime === undefined ? undefined : iso(starttime),
    took: starttime !== undefined && endtime !== undefined ? duration(endtime - starttime) : undefined,
    state,
    reason: task.status && (state === 'failed' || state === 'warnings') ? remote(task.status) : undefined,
  };
}
