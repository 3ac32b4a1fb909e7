import { answer, type Facts } from '../../present/answer.ts';
import { iso } from '../format.ts';
import { definePveTool } from '../tool.ts';
import { tellDatacentre } from './all-clusters.ts';
import type { Seen } from './datacentre.ts';
import { guestRow } from './guest-list.ts';
import { runningFirst, taskFacts } from './tasks.ts';

const GUESTS_SHOWN = 60;
const TASKS_SHOWN = 12;

function shown({ facts, guests, tasks }: Seen): Facts {
  const live = guests.filter(({ template }) => !template);
  return {
    ...facts,
    failed_tasks: undefined,
    guest_list: live.slice(0, GUESTS_SHOWN).map(guestRow),
    guests_not_shown: Math.max(0, live.length - GUESTS_SHOWN) || undefined,
    tasks: runningFirst(tasks).slice(0, TASKS_SHOWN).map(taskFacts),
  };
}

export default definePveTool({
  name: 'pve_dashboard',
  title: 'Show the datacentre',
  effect: 'read',
  page: 'dashboard',
  spans: true,
  summary:
    'Shows the user a page of nodes, guests, storages, tasks and alerts where the client can; elsewhere the same as text.',
  search: 'dashboard page picture chart view visual app show me overview monitor',
  input: {},

  async run(_, context) {
    const { headline, facts } = await tellDatacentre(context, shown);
    return answer(headline, { ...facts, seen: iso(Date.now() / 1000) });
  },
});
