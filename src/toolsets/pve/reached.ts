import { isIP } from 'node:net';
import type { Guest } from '../../pve/guests.ts';
import type { ToolContext } from '../tool.ts';
import { readAddresses } from './addresses.ts';
import { attempt } from './attempt.ts';
import { readConfig } from './config.ts';
import { parseParts } from './property-string.ts';

/** A guest under a name of its own, and where it can be reached, when that is known. */
export interface Reached {
  readonly guest: Guest;
  readonly alias: string;
  /** IPv4 rather than IPv6. */
  readonly address?: string;
}

type Around = Pick<ToolContext, 'pve' | 'signal'>;

/** The address of a guest as it is now, else as its configuration sets it; why there is none goes to `notes`. */
export async function readAddress({ pve, signal }: Around, guest: Guest, notes: string[]): Promise<string | undefined> {
  const why = `An address of ${guest.label}`;
  if (guest.status === 'running') {
    const faces = await attempt(readAddresses(pve, guest, signal), notes, why);
    const now = best((faces ?? []).flatMap(({ addresses }) => addresses as readonly string[]));
    if (now !== undefined) return now;
  }
  const config = await attempt(readConfig(pve, guest, signal), notes, why);
  const cards = Object.entries(config?.settings ?? {}).filter(([key]) => /^(net|ipconfig)\d+$/.test(key));
  return best(
    cards.flatMap(([, value]) => {
      const parts = parseParts(String(value));
      return [parts.get('ip') ?? '', parts.get('ip6') ?? ''];
    }),
  );
}

/** The first IPv4 address, else the first IPv6 one, without its prefix. */
function best(addresses: readonly string[]): string | undefined {
  const plain = addresses.map((one) => one.split('/')[0] ?? '');
  return plain.find((one) => isIP(one) === 4) ?? plain.find((one) => isIP(one) === 6);
}
