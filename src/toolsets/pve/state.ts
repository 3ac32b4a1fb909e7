import { z } from 'zod';
import type { Facts } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import { flag, num, text } from '../../pve/fields.ts';
import { findGuest, type Guest, readGuest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { duration, percent, usage } from '../format.ts';
import type { ToolContext } from '../tool.ts';

const shape = z.object({
  status: z.string(),
  qmpstatus: text,
  uptime: num,
  cpu: num,
  cpus: num,
  mem: num,
  maxmem: num,
  disk: num,
  maxdisk: num,
  lock: text,
  pid: num,
  template: flag,
  ha: z.object({ managed: flag }).optional().catch(undefined),
});

export interface GuestState extends Omit<z.infer<typeof shape>, 'qmpstatus' | 'ha'> {
  /** `running`, `stopped`, and for a VM QEMU's own word: `paused`, `io-error`, … */
  readonly status: string;
  readonly managedByHa: boolean;
}

/** The guest's state as its node sees it now; /cluster/resources lags by up to 10 s. */
export async function readState(pve: Pve, { node, kind, vmid }: Guest, signal: AbortSignal): Promise<GuestState> {
  const current = path`/nodes/${node}/${kind}/${vmid}/status/current`;
  const { qmpstatus, ha, ...rest } = await pve.get(current, shape, {}, { signal });
  return { ...rest, status: qmpstatus ?? rest.status, managedByHa: ha?.managed ?? false };
}

/** The guest that `ref` names, where it is now, and its state. */
export async function inspect(
  { pve, signal }: Pick<ToolContext, 'pve' | 'signal'>,
  ref: number | string,
): Promise<{ readonly guest: Guest; readonly state: GuestState }> {
  const found = await findGuest(pve, ref, { signal });
  const { guest, value } = await readGuest(pve, found, (there) => readState(pve, there, signal), { signal });
  return { guest, state: value };
}

/** `running, up 3 s`, `stopped`. */
export const since = ({ status, uptime }: GuestState): string =>
  status !== 'stopped' && uptime !== undefined && uptime > 0 ? `${status}, up ${duration(uptime)}` : status;

/** State and load for an answer; load only of a guest that has one. */
export function stateFacts(state: GuestState, kind: Guest['kind']): Facts {
  const up = state.status !== 'stopped';
  return {
    status: state.status,
    uptime: up && state.uptime !== undefined ? duration(state.uptime) : undefined,
    cpu: up && state.cpu !== undefined && state.cpus ? `${percent(state.cpu)} of ${state.cpus}` : undefined,
    memory: usage(up ? state.mem : undefined, state.maxmem),
    disk: usage(up && kind === 'lxc' ? state.disk : undefined, state.maxdisk),
    lock: state.lock,
    managed_by_ha: state.managedByHa || undefined,
  };
}
