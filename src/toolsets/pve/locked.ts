import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import type { GuestState } from './state.ts';

/** Refuses, as a `conflict`, what Proxmox VE would refuse in the task: the guest is held by an operation. */
export function refuseLocked(guest: Guest, { lock }: Pick<GuestState, 'lock'>): void {
  if (lock === undefined) return;
  const unlock = `${guest.kind === 'lxc' ? 'pct' : 'qm'} unlock ${guest.vmid}`;
  throw new Failure(
    'conflict',
    `${guest.label} is locked by an operation: ${lock}.`,
    `Wait until its task has ended (pve_task_list). When no such task runs, the lock is a left-over: pve_guest_configure with unlock: true removes it, or \`${unlock}\` as root on ${guest.node}.`,
  );
}
