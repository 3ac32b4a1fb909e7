import { answer, type Facts } from '../../present/answer.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { count, countBy, duration, percent, tally, usage } from '../format.ts';
import { limit } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';
import { emptyNotes, guestFilter, matches, stateOf } from './guest-filter.ts';

const input = { ...guestFilter, limit: limit(200, 100) };

/** One guest of a list. */
export function guestRow(guest: Guest): Facts {
  const running = guest.status === 'running';
  return {
    vmid: guest.vmid,
    name: guest.name,
    kind: guest.kind,
    status: stateOf(guest),
    node: guest.node,
    cpu: running && guest.cpu !== undefined ? percent(guest.cpu) : undefined,
    memory: usage(running ? guest.mem : undefined, guest.maxmem),
    uptime: running && guest.uptime ? duration(guest.uptime) : undefined,
    tags: guest.tags.length > 0 ? guest.tags : undefined,
    pool: guest.pool,
    lock: guest.lock,
  };
}

export default definePveTool({
  name: 'pve_guest_list',
  title: 'List guests',
  effect: 'read',
  core: true,
  summary:
    'List VMs and LXC containers of the whole datacentre: VMID, name, state, node, CPU, memory, uptime, tags. ' +
    'Totals by state count past the limit.',
  search: 'show all virtual machines qemu guests running stopped inventory ct pct qm',
  input,

  async run(filter, { pve, signal }) {
    const guests = await listGuests(pve, { signal });
    const found = guests.filter((guest) => matches(guest, filter));
    const states = countBy(found, stateOf);
    const shown = found.slice(0, filter.limit);
    const of =
      found.length < guests.length
        ? `${found.length} of ${count(guests.length, 'guest')} match`
        : count(found.length, 'guest');
    const more = shown.length < found.length ? `, the first ${shown.length} shown` : '';
    return answer(`${of}${found.length > 0 ? `: ${tally(states)}` : ''}${more}`, {
      total: found.length,
      by_status: states,
      guests: shown.map(guestRow),
      not_shown: found.length - shown.length || undefined,
      notes: noted(emptyNotes(guests, found, filter.node)),
    });
  },
});
