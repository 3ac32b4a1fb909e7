import { z } from 'zod';
import { answer } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { findGuest } from '../../pve/guests.ts';
import { count, countBy, tally } from '../format.ts';
import { guest, limit, node } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';
import { eachNode } from './nodes.ts';
import { readTasks, runningFirst, taskFacts, verdict } from './tasks.ts';

/** Digits are taken as they are: a guest that was deleted has tasks too. */
async function vmidOf(pve: Pve, ref: number | string, signal: AbortSignal): Promise<number> {
  return /^\d+$/.test(String(ref)) ? Number(ref) : (await findGuest(pve, ref, { signal })).vmid;
}

export default definePveTool({
  name: 'pve_task_list',
  title: 'List tasks',
  effect: 'read',
  core: true,
  summary:
    'Tasks (starts, backups, migrations, …) of the whole cluster, running ones first, then the newest: user, ' +
    'duration, reason of a failure.',
  search: 'history log jobs running failed errors upid activity who did what recent backup vzdump',
  input: {
    errors: z.boolean().default(false).describe('Failed ones only.'),
    guest: guest.optional().describe('VMID (also of a deleted guest) or name.'),
    node: node.optional(),
    limit: limit(100, 20),
  },

  async run({ errors, guest: ref, node: only, limit }, { pve, signal }) {
    const vmid = ref === undefined ? undefined : await vmidOf(pve, ref, signal);
    const params = { limit, vmid, statusfilter: errors ? 'error,unknown' : undefined };
    const notes: string[] = [];
    const read = (name: string) => readTasks(pve, name, params, signal);
    const tasks = await eachNode({ pve, signal }, only, read, notes);
    const found = errors ? tasks.filter((task) => verdict(task.status) === 'failed') : tasks;
    const shown = runningFirst(found).slice(0, limit);
    const states = countBy(shown, (task) => verdict(task.status));
    return answer(shown.length > 0 ? `${count(shown.length, 'task')}: ${tally(states)}` : 'No such task', {
      tasks: shown.map(taskFacts),
      limit_reached: shown.length === limit || undefined,
      notes: noted(notes),
    });
  },
});
