import { z } from 'zod';
import { asFailure } from '../../failure.ts';
import { type Answer, answer, type Facts } from '../../present/answer.ts';
import type { Pve } from '../../pve/client.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { pause } from '../../pve/pause.ts';
import type { ToolContext } from '../tool.ts';
import { readAddresses } from './addresses.ts';
import { attempt, noted } from './attempt.ts';
import type { Reached, Stage } from './stages.ts';
import { readState, since } from './state.ts';

/**
 * The VMID that a new guest gets: the one asked for, which has to be unused, or the next free one. It is not reserved:
 * the write itself is refused when somebody else took it meanwhile.
 */
export async function newVmid(pve: Pve, wanted: number | undefined, signal: AbortSignal): Promise<number> {
  return pve.get(path`/cluster/nextid`, z.coerce.number().int(), { vmid: wanted }, { signal });
}

/** A guest that is about to be. */
export function guestToBe(kind: Guest['kind'], vmid: number, name: string, node: string): Guest {
  const label = `${kind === 'lxc' ? 'CT' : 'VM'} ${vmid} (${name}) on ${node}`;
  return { vmid, name, kind, node, status: 'stopped', template: false, tags: [], label };
}

/** The write that starts it. */
export const startOf = ({ pve, signal }: ToolContext, { node, kind, vmid }: Guest): Stage => ({
  name: 'start',
  write: () => pve.post(path`/nodes/${node}/${kind}/${vmid}/status/start`, {}, { signal }),
});

const LONGEST_WAIT_MS = 40_000;
const PAUSE_MS = 1000;
/** Failures that waiting does not end. */
const final: ReadonlySet<string> = new Set(['permission', 'authentication', 'cancelled']);

/** The addresses of a guest that was just started, as soon as it has one; none when it has none in time. */
async function awaitAddresses(context: ToolContext, guest: Guest, waitMs: number): Promise<readonly Facts[]> {
  const { pve, signal } = context;
  const end = performance.now() + Math.min(waitMs, LONGEST_WAIT_MS);
  for (;;) {
    const found = await readAddresses(pve, guest, signal).catch((error: unknown) => asFailure(error).kind);
    if (typeof found !== 'string' && found.length > 0) return found;
    const hopeless = typeof found === 'string' && final.has(found);
    if (hopeless || signal.aborted || performance.now() + PAUSE_MS > end) return [];
    context.progress(`${guest.label}: waiting for its address`);
    await pause(PAUSE_MS, signal).catch(() => undefined);
  }
}

/** What to tell of the guest besides how far the stages came. */
export interface Telling {
  /** `created`, `cloned from …`: what it is now. */
  readonly made: string;
  readonly facts: Facts;
  readonly started: boolean;
  /** Whether an address can be seen from outside: a container's always, a VM's by its guest agent. */
  readonly seesAddress: boolean;
  readonly notes: readonly string[];
}

/** The answer of a tool that made a guest: its state as it was found, its address when it runs, and every step. */
export async function tellNew(context: ToolContext, guest: Guest, reached: Reached, telling: Telling): Promise<Answer> {
  const own = { guest: guest.label, vmid: guest.vmid, node: guest.node, ...telling.facts };
  if (!reached.complete) {
    const headline = `${guest.label}: not all is done yet; a task goes on`;
    return answer(headline, { ...own, ...reached.facts, notes: noted(telling.notes) });
  }
  const notes = [...telling.notes];
  const state = await attempt(readState(context.pve, guest, context.signal), notes, 'The state afterwards');
  const up = telling.started && state?.status === 'running';
  const seen = up && telling.seesAddress ? await awaitAddresses(context, guest, reached.leftMs()) : undefined;
  if (seen?.length === 0) notes.push('It runs, but no address was seen in time: pve_guest_get tells it later.');
  if (telling.started && state && !up) notes.push('It was started, but does not run: look with pve_guest_get.');
  return answer(`${guest.label}: ${telling.made}${state ? `, ${since(state)}` : ''}`, {
    ...own,
    status: state?.status,
    ip_addresses: seen && seen.length > 0 ? seen : undefined,
    ...reached.facts,
    notes: noted(notes),
  });
}
