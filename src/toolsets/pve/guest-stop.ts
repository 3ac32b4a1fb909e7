import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { guest, waitSeconds } from '../params.ts';
import { definePveTool, type Preview, type ToolContext } from '../tool.ts';
import { attempt } from './attempt.ts';
import { lastBackup } from './last-backup.ts';
import { act, nothingDone } from './power-action.ts';
import { readSnapshots } from './snapshots.ts';
import { type GuestState, inspect, since } from './state.ts';

type Action = 'stop' | 'reset';

/** A container has no reset, and a stopped VM has nothing to reset: refused before anybody is asked. */
function refuseReset(guest: Guest, state: GuestState): void {
  if (guest.kind === 'lxc') {
    throw new Failure(
      'invalid-input',
      `${guest.label} is a container, and a container has no reset.`,
      'Use pve_guest_power with action reboot, or stop it and start it.',
    );
  }
  if (state.status === 'stopped') {
    throw new Failure(
      'conflict',
      `${guest.label} is stopped: there is nothing to reset.`,
      'Start it with pve_guest_power.',
    );
  }
}

async function preview(
  guest: Guest,
  state: GuestState,
  action: Action,
  { pve, signal }: ToolContext,
): Promise<Preview> {
  const [snapshots, backup] = await Promise.all([
    attempt(readSnapshots(pve, guest, signal), [], 'Snapshots'),
    lastBackup(pve, guest, signal),
  ]);
  const what = action === 'stop' ? 'Cut the power of' : 'Press the reset button of';
  const lines = [
    `${what} ${guest.label} (${since(state)}).`,
    'Programs inside are not asked to end: what they have not written to disk is lost, and files being written may be damaged.',
    ...(state.lock ? [`It is locked by an operation that is under way: ${state.lock}.`] : []),
    `Snapshots: ${snapshots?.length ?? 'not known'}. Last backup: ${backup}.`,
  ];
  return {
    message: lines.join('\n'),
    state: {
      vmid: guest.vmid,
      name: guest.name,
      node: guest.node,
      status: state.status,
      pid: state.pid,
      lock: state.lock,
    },
  };
}

export default definePveTool({
  name: 'pve_guest_stop',
  title: 'Cut the power of a guest',
  effect: 'destroy',
  core: true,
  summary:
    'Stop a VM or container at once, or reset a VM: unsaved data is lost. For a guest that hangs; otherwise use ' +
    'pve_guest_power with shutdown.',
  search: 'force kill hard power off cut unresponsive hung lxc pct stop qm stop qm reset',
  input: {
    guest,
    action: z.enum(['stop', 'reset']).default('stop').describe('reset restarts a VM at once.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, action }, context) {
    const { guest, state } = await inspect(context, ref);
    if (action === 'reset') refuseReset(guest, state);
    if (state.status === 'stopped') {
      throw new Failure('conflict', `${guest.label} is already stopped.`, 'Nothing has to be done.');
    }
    return preview(guest, state, action, context);
  },

  async run({ guest: ref, action, wait_s }, context) {
    const { guest, state } = await inspect(context, ref);
    if (action === 'reset') refuseReset(guest, state);
    if (state.status === 'stopped') return nothingDone(guest, state);
    const leadsTo = action === 'stop' ? 'stopped' : 'running';
    return act(context, guest, { action, leadsTo, waitSeconds: wait_s });
  },
});
