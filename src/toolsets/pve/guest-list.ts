import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { count, countBy, duration, percent, tally, usage } from '../format.ts';
import { limit, node } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { noted } from './attempt.ts';

const input = {
  kind: z.enum(['lxc', 'qemu']).optional().describe('Only containers (lxc) or only VMs (qemu).'),
  status: z
    .enum(['running', 'stopped', 'paused', 'suspended', 'unknown', 'template'])
    .optional()
    .describe('Only guests in this state; unknown: their node is offline.'),
  node: node.optional(),
  name: z.string().min(1).max(128).optional().describe('Only guests whose name contains this, in any case.'),
  tag: z.string().min(1).max(128).optional().describe('Only guests with this tag.'),
  pool: z.string().min(1).max(128).optional().describe('Only guests of this resource pool.'),
  limit: limit.max(200).default(100),
};

/** A template is never run, so that it is not one of the stopped guests. */
const stateOf = ({ template, status }: Guest): string => (template ? 'template' : status);

type Filter = z.infer<z.ZodObject<typeof input>>;

const matches = (guest: Guest, { kind, status, node, name, tag, pool }: Filter): boolean =>
  (kind === undefined || guest.kind === kind) &&
  (status === undefined || stateOf(guest) === status) &&
  (node === undefined || guest.node === node) &&
  (name === undefined || guest.name.toLowerCase().includes(name.toLowerCase())) &&
  (tag === undefined || guest.tags.includes(tag)) &&
  (pool === undefined || guest.pool === pool);

function row(guest: Guest): Facts {
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

/** Why nothing was found, where that can be told. */
function emptyNotes(guests: readonly Guest[], found: readonly Guest[], node: string | undefined): string[] {
  if (guests.length === 0) return ['The token sees no guest at all: there are none, or it lacks VM.Audit on /vms.'];
  if (found.length > 0 || node === undefined) return [];
  const nodes = [...new Set(guests.map((guest) => guest.node))].sort();
  return nodes.includes(node) ? [] : [`No guest is on a node named ${node}; guests are on ${nodes.join(', ')}.`];
}

export default definePveTool({
  name: 'pve_guest_list',
  title: 'List guests',
  effect: 'read',
  core: true,
  summary:
    'List the VMs and LXC containers of the whole datacentre: VMID, name, kind, state, node, CPU, memory, uptime, tags. ' +
    'Filters by kind, state, node, name, tag and pool. Totals by state count every match, also past the limit.',
  search: 'show all virtual machines vms containers lxc qemu guests running stopped inventory ct pct list qm list',
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
      guests: shown.map(row),
      not_shown: found.length - shown.length || undefined,
      notes: noted(emptyNotes(guests, found, filter.node)),
    });
  },
});
