import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { guest, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { refuseLocked } from './locked.ts';
import { settle } from './settle.ts';
import { readSnapshots } from './snapshots.ts';
import { type GuestState, inspect, readState, since } from './state.ts';

/** What Proxmox VE would refuse is told before anybody is asked. */
async function refuse(found: Guest, state: GuestState, { pve, signal }: ToolContext): Promise<void> {
  const no = (why: string, cure: string): Failure =>
    new Failure('conflict', `${found.label} ${why} Nothing was done.`, cure);
  if (state.template ?? found.template) throw no('is a template already.', 'Clone it with pve_guest_clone.');
  if (state.status !== 'stopped') {
    throw no(
      `is ${since(state)}; only a stopped guest can become a template.`,
      'Shut it down with pve_guest_power first.',
    );
  }
  refuseLocked(found, state);
  const snapshots = await readSnapshots(pve, found, signal);
  if (snapshots.length === 0) return;
  const names = snapshots.map(({ name }) => name).join(', ');
  throw no(
    `has snapshots (${names}), and a template has none.`,
    'Delete them with pve_snapshot_delete, or make the template of a clone.',
  );
}

export default definePveTool({
  name: 'pve_guest_template',
  title: 'Make a template of a guest',
  effect: 'destroy',
  summary:
    'Make a template of a stopped VM or container without snapshots. It can be cloned and never runs again; there ' +
    'is no way back.',
  search: 'convert golden image base qm template pct template reusable',
  input: { guest, wait_s: waitSeconds.optional() },

  async confirm({ guest: ref }, context) {
    const { guest: found, state } = await inspect(context, ref);
    await refuse(found, state, context);
    const { vmid, name, node } = found;
    return {
      message: `Make a template of ${found.label}. It never runs again, and cannot be made a guest again: only its clones run.`,
      state: { vmid, name, node, status: state.status, lock: state.lock },
    };
  },

  async run({ guest: ref, wait_s }, context) {
    const { pve, signal } = context;
    const { guest: found, state } = await inspect(context, ref);
    await refuse(found, state, context);
    const at = path`/nodes/${found.node}/${found.kind}/${found.vmid}/template`;
    const { done, facts } = await settle(context, await pve.post(at, {}, { signal }), wait_s);
    if (!done) return answer(`${found.label} is still being made a template`, { guest: found.label, ...facts });
    const notes: string[] = [];
    const now = await attempt(readState(pve, found, signal), notes, 'The state afterwards');
    if (now && !now.template) notes.push('Proxmox VE does not show it as a template yet: look with pve_guest_get.');
    return answer(`${found.label} is a template now`, {
      guest: found.label,
      template: now?.template,
      ...facts,
      notes: noted(notes),
    });
  },
});
