import { asFailure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { parseUpid } from '../../pve/task.ts';
import type { ToolContext } from '../tool.ts';
import { settle } from './settle.ts';
import { readTasks } from './tasks.ts';

/**
 * Waits for the start that a rollback begins when it is done: it is a task of its own, which may go on when the
 * rollback's has ended (PVE::API2::LXC::Snapshot, PVE::API2::Qemu). Why it failed becomes a note.
 */
export async function awaitStart(context: ToolContext, guest: Guest, after: unknown, notes: string[]): Promise<void> {
  if (typeof after !== 'string') return;
  const typefilter = guest.kind === 'lxc' ? 'vzstart' : 'qmstart';
  const asked = { vmid: guest.vmid, typefilter, since: parseUpid(after).startTime };
  try {
    const [task] = await readTasks(context.pve, guest.node, asked, context.signal);
    if (task === undefined) return;
    const { done } = await settle(context, task.upid);
    if (!done) notes.push(`Its start goes on: ${task.upid}.`);
  } catch (error) {
    const { kind, message, hint } = asFailure(error);
    if (kind === 'cancelled') throw error;
    notes.push(`Its start: ${message} ${hint}`);
  }
}
