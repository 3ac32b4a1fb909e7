import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Answer, answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { rootRoad, unlockAsRoot } from './root-road.ts';
import { type GuestState, readState } from './state.ts';
import { readClusterTasks, readTasks, type TaskRow, taskFacts } from './tasks.ts';

/** A backup of several guests and a clone hold locks of guests that their id does not name. */
const mayHold = ({ id, type }: TaskRow, vmid: number): boolean =>
  id === String(vmid) || (type === 'vzdump' && !id) || /clone$/.test(type);

const rights = z.record(z.string(), z.record(z.string(), z.unknown()));

/** The lists leave out others' tasks in silence for who lacks Sys.Audit on the node (API schema, GET /nodes/{node}/tasks). */
async function refuseBlind({ pve, signal }: ToolContext, { label, node }: Guest): Promise<void> {
  const asked = `/nodes/${node}`;
  const held = await pve.get(path`/access/permissions`, rights, { path: asked }, { signal });
  if (held[asked]?.['Sys.Audit'] !== undefined) return;
  throw new Failure(
    'permission',
    `${label} is locked, and this token does not see other users' tasks on ${node}: one of them may hold the lock. Nothing was done.`,
    `Give the token Sys.Audit on ${asked} (role PVEAuditor), or look at the tasks of ${node} in the web interface and unlock there as root.`,
  );
}

/** A `conflict` with the tasks that may still hold the lock, when there are any. */
async function refuseBusy({ pve, signal }: ToolContext, guest: Guest, lock: string): Promise<void> {
  const [here, recent] = await Promise.all([
    readTasks(pve, guest.node, { source: 'active' }, signal),
    readClusterTasks(pve, signal),
  ]);
  const ours = recent.filter(({ node, id }) => node === guest.node || id === String(guest.vmid));
  const running = [...here, ...ours].filter((task) => task.status === undefined && mayHold(task, guest.vmid));
  const tasks = [...new Map(running.map((task) => [task.upid, task])).values()];
  if (tasks.length === 0) return;
  throw new Failure(
    'conflict',
    `${guest.label} is locked (${lock}), and a task that may hold the lock is running: it is not left over.`,
    'Wait for the task with pve_task_get; when it has ended, the lock is gone or can be removed.',
    { facts: { running_tasks: tasks.map(taskFacts) } },
  );
}

/** Removes a lock that its task left behind, by `pct unlock` or `qm unlock` as root; refused while any such task runs. */
export async function unlock(context: ToolContext, guest: Guest, { lock }: GuestState): Promise<Answer> {
  if (lock === undefined) {
    return answer(`${guest.label} is not locked; nothing was done`, { guest: guest.label, changed: false });
  }
  if (lock === 'suspended') {
    throw new Failure(
      'conflict',
      `${guest.label} is suspended to disk: the lock guards the memory that was saved.`,
      'Continue it with pve_guest_power, action resume.',
    );
  }
  if (lock === 'mounted') {
    throw new Failure(
      'conflict',
      `${guest.label} is mounted on ${guest.node}: the lock keeps it from being started meanwhile.`,
      `Run \`pct unmount ${guest.vmid}\` as root on ${guest.node}: it takes the lock away too.`,
    );
  }
  const host = await rootRoad(context, guest, 'removing a lock');
  await refuseBlind(context, guest);
  await refuseBusy(context, guest, lock);
  const facts = await unlockAsRoot(context, host, guest);
  const notes: string[] = [];
  const now = await attempt(readState(context.pve, guest, context.signal), notes, 'The state afterwards');
  if (now?.lock) notes.push(`It is locked again: ${now.lock}. Look for its task with pve_task_list.`);
  return answer(`${guest.label}: the lock ${lock} was removed`, {
    guest: guest.label,
    removed_lock: lock,
    lock: now?.lock,
    status: now?.status,
    ...facts,
    notes: noted(notes),
  });
}
