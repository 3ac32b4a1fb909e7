import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Pve } from '../../pve/client.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { type Parts, parseParts } from './property-string.ts';
import { effectiveAll, type Settings } from './settings.ts';

/** The network cards of a guest as its next start finds them, by key. */
export const nicsOf = (settings: Settings): ReadonlyMap<string, Parts> =>
  new Map(
    [...effectiveAll(settings)]
      .filter(([key]) => /^net\d+$/.test(key))
      .sort(([a], [b]) => Number(a.slice(3)) - Number(b.slice(3)))
      .map(([key, value]) => [key, parseParts(value)]),
  );

/** The `not-found` Failure for a card that the guest does not have, with those there are. */
export function noNic(guest: Guest, settings: Settings, key: string): Failure {
  const names = [...nicsOf(settings).keys()];
  return new Failure(
    'not-found',
    `${guest.label} has no network card "${key}".`,
    `It has: ${names.join(', ') || 'none'}.`,
    {
      facts: { candidates: names },
    },
  );
}

const shape = z.array(z.object({ iface: z.string() }));

/**
 * Refuses a bridge that the node does not have; VNets count as bridges. A token that may see none of them is told
 * nothing by the list, and by Proxmox VE itself when it writes.
 */
export async function checkBridge(pve: Pve, { node }: Guest, bridge: string, signal: AbortSignal): Promise<void> {
  const rows = await pve.get(path`/nodes/${node}/network`, shape, { type: 'any_bridge' }, { signal });
  const names = rows.map(({ iface }) => iface).sort();
  if (names.length === 0 || names.includes(bridge)) return;
  throw new Failure(
    'not-found',
    `${node} has no bridge "${bridge}" that this token may see.`,
    `It has: ${names.join(', ')}.`,
    { facts: { candidates: names } },
  );
}
