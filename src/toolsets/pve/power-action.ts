import { type Answer, answer } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { settle } from './settle.ts';
import { type GuestState, readState, since } from './state.ts';

export interface PowerAction {
  /** The last word of the API's path: `start`, `stop`, … */
  readonly action: string;
  /** The state that it leads to. */
  readonly leadsTo: string;
  /** Seconds that the guest may take. */
  readonly timeout?: number;
  /** Seconds to wait for the task; as configured when absent. */
  readonly waitSeconds?: number;
}

/** Does it: one write, the wait for its task, and the state that was found afterwards. */
export async function act(context: ToolContext, guest: Guest, wanted: PowerAction): Promise<Answer> {
  const { pve, signal } = context;
  const { action, leadsTo, timeout, waitSeconds } = wanted;
  const status = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/status/${action}`;
  const { done, facts } = await settle(context, await pve.post(status, { timeout }, { signal }), waitSeconds);
  if (!done) return answer(`${guest.label}: ${action} is still running`, { guest: guest.label, action, ...facts });
  const notes: string[] = [];
  const now = await attempt(readState(pve, guest, signal), notes, 'The state afterwards');
  if (now && now.status !== leadsTo) notes.push(late(now));
  return answer(`${guest.label}: ${action} done${now ? `, ${since(now)}` : ''}`, {
    guest: guest.label,
    action,
    status: now?.status,
    changed: true,
    ...facts,
    notes: noted(notes),
  });
}

const late = ({ managedByHa }: GuestState): string =>
  managedByHa
    ? 'HA carries this out a little later: look again with pve_guest_get.'
    : 'The task ended well, but the guest is not in the state it should lead to: look again with pve_guest_get.';

/** The answer for a guest that is already where the call would take it. */
export const nothingDone = (guest: Guest, state: GuestState): Answer =>
  answer(`${guest.label} is already ${since(state)}; nothing was done`, {
    guest: guest.label,
    status: state.status,
    changed: false,
  });
