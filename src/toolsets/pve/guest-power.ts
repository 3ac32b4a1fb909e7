import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { guest, waitSeconds } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { act, nothingDone } from './power-action.ts';
import { type GuestState, inspect, since } from './state.ts';

const actions = ['start', 'shutdown', 'reboot', 'suspend', 'resume'] as const;
type Action = (typeof actions)[number];

interface Rule {
  readonly title: string;
  /** The state that the action leads to. */
  readonly leadsTo: string;
  /** A guest that is there already needs nothing done. */
  readonly idle: boolean;
  /** States that it cannot be done from, each with what to do instead. */
  readonly not: Readonly<Record<string, string>>;
}

const resumeFirst = 'Use action resume first.';
const startIt = 'Use action start.';
const rules: Record<Action, Rule> = {
  start: { title: 'Start', leadsTo: 'running', idle: true, not: { paused: 'Use action resume.' } },
  shutdown: {
    title: 'Shut down',
    leadsTo: 'stopped',
    idle: true,
    not: { paused: `${resumeFirst} A paused guest cannot shut itself down.` },
  },
  reboot: { title: 'Reboot', leadsTo: 'running', idle: false, not: { stopped: startIt, paused: resumeFirst } },
  suspend: { title: 'Suspend', leadsTo: 'paused', idle: true, not: { stopped: startIt } },
  resume: { title: 'Resume', leadsTo: 'running', idle: true, not: { stopped: startIt } },
};

/** True when nothing has to be done; a `conflict` Failure when it cannot be done from the state the guest is in. */
function isThere(action: Action, guest: Guest, state: GuestState): boolean {
  if (guest.template) {
    throw new Failure(
      'conflict',
      `${guest.label} is a template, and a template is never run.`,
      'Clone it, and use the clone.',
    );
  }
  const frozenContainer = guest.kind === 'lxc' && (action === 'suspend' || action === 'resume');
  const onDisk = state.lock === 'suspended' && action === 'resume';
  if (frozenContainer || onDisk) return false;
  const { leadsTo, idle, not } = rules[action];
  const instead = not[state.status];
  if (instead !== undefined)
    throw new Failure('conflict', `${guest.label} is ${state.status}: ${action} cannot be done.`, instead);
  return idle && state.status === leadsTo;
}

export default definePveTool({
  name: 'pve_guest_power',
  title: 'Start, shut down, reboot, suspend or resume a guest',
  effect: 'change',
  core: true,
  summary:
    'Start, cleanly shut down, reboot, suspend or resume a VM or container. One that ignores a shutdown is for ' +
    'pve_guest_stop.',
  search: 'power on boot turn off restart vm lxc container pct start qm start pause unpause',
  input: {
    guest,
    action: z.enum(actions).describe('suspend pauses a VM in memory.'),
    timeout_s: z.number().int().min(1).max(3600).optional().describe('Seconds that it may take to go down.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, action }, context) {
    const { guest, state } = await inspect(context, ref);
    const there = isThere(action, guest, state) ? ' Nothing has to be done.' : '';
    return {
      message: `${rules[action].title} ${guest.label}. It is ${since(state)}.${there}`,
      state: { guest: guest.label, status: state.status, lock: state.lock },
    };
  },

  async run({ guest: ref, action, timeout_s, wait_s }, context) {
    const { guest, state } = await inspect(context, ref);
    if (isThere(action, guest, state)) return nothingDone(guest, state);
    const timeout = action === 'shutdown' || action === 'reboot' ? timeout_s : undefined;
    return act(context, guest, { action, leadsTo: rules[action].leadsTo, timeout, waitSeconds: wait_s });
  },
});
