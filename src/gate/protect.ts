import { z } from 'zod';
import { Failure } from '../failure.ts';
import { findGuest, type Guest, listGuests } from '../pve/guests.ts';
import { path } from '../pve/path.ts';
import { parseTarget } from '../ssh/target.ts';
import { settingsOf, type Tool, type ToolContext } from '../toolsets/tool.ts';

/** The guest that a call is about: tools name it by `guest`, `vmid` or `target`, and by nothing else. */
function guestRef(input: Record<string, unknown>): string | number | undefined {
  const { guest, vmid, target } = input;
  if (typeof guest === 'string' || typeof guest === 'number') return guest;
  if (typeof vmid === 'number') return vmid;
  if (typeof target !== 'string') return undefined;
  const place = parseTarget(target);
  return place.kind === 'host' ? undefined : place.vmid;
}

const configShape = z.object({ protection: z.coerce.number().optional() });

/** PVE's own protection flag of a guest: it forbids destroying, so we forbid all that cannot be undone. */
async function refuseFlagged(guest: Guest, tool: Tool, { pve, signal }: ToolContext): Promise<void> {
  const at = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/config`;
  const { protection } = await pve.get(at, configShape, {}, { signal });
  if (protection !== 1) return;
  throw new Failure(
    'refused',
    `${guest.label} has Proxmox's protection flag set: ${tool.name} was not run.`,
    'An operator can unset it in the guest’s options (Protection: No) when this is really wanted.',
    { sign: { is: 'protected' } },
  );
}

/** The guests that a tool's own `touches` names, as far as they exist; one that is listed is refused existing or not. */
async function touched(refs: readonly (string | number)[], tool: Tool, context: ToolContext): Promise<Guest[]> {
  const ids = refs.map(String);
  const listed = context.setup.protectedGuests.find((vmid) => ids.includes(String(vmid)));
  if (listed !== undefined) throw listedGuest(`Guest ${listed}`, tool, context);
  if (ids.length === 0) return [];
  const guests = await listGuests(context.pve, { signal: context.signal });
  return guests.filter(({ vmid, name }) => ids.includes(String(vmid)) || ids.includes(name));
}

const listedGuest = (label: string, tool: Tool, { setup }: ToolContext): Failure =>
  new Failure(
    'refused',
    `${label} is protected by the operator's settings: ${tool.name} was not run.`,
    `Only the operator can lift this, by taking it out of ${settingsOf(setup).protectedGuests}. Reading it is allowed.`,
    { sign: { is: 'protected' } },
  );

/**
 * Refuses, in every mode, a call about a protected guest: anything but a read when the operator listed it in the
 * settings, what cannot be undone when the guest has PVE's protection flag.
 */
export async function refuseProtected(tool: Tool, input: Record<string, unknown>, context: ToolContext): Promise<void> {
  if (tool.effect === 'read') return;
  const listed = context.setup.protectedGuests;
  if (listed.length === 0 && tool.effect !== 'destroy') return;
  const ref = guestRef(input);
  const guests = [
    ...(ref === undefined ? [] : [await findGuest(context.pve, ref, { signal: context.signal })]),
    ...(await touched(tool.touches?.(input, context) ?? [], tool, context)),
  ];
  const found = guests.find(({ vmid }) => listed.includes(vmid));
  if (found) throw listedGuest(found.label, tool, context);
  if (tool.effect !== 'destroy') return;
  for (const guest of guests) await refuseFlagged(guest, tool, context);
}
