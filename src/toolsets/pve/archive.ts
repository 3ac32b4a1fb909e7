import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { iso } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import { attempt } from './attempt.ts';
import { kindOf } from './backups.ts';
import { parseParts } from './property-string.ts';
import { effectiveAll, readSettings } from './settings.ts';
import { findVolume, type Volume } from './volumes.ts';

type Config = ReadonlyMap<string, string>;

/** A backup that can be restored, and the configuration that it holds, as far as it could be read. */
export interface Archive {
  readonly volume: Volume;
  readonly kind: Guest['kind'];
  readonly config: Config;
}

/** `key: value` lines; what follows the first section header is of snapshots, what begins with # is a description. */
function parseConfig(text: string): Config {
  const own = text.split(/^\[/m)[0] ?? '';
  const pairs = [...own.matchAll(/^([A-Za-z]\w*): (.*)$/gm)];
  return new Map(pairs.map(([, key = '', value = '']) => [key, value]));
}

/** The backup of that id with what it holds; a Failure when there is none, or when it is none of a guest. */
export async function readArchive(
  context: ToolContext,
  volid: string,
  node: string | undefined,
  notes: string[],
): Promise<Archive> {
  const { pve, signal } = context;
  const volume = await findVolume(context, volid, node);
  const kind = kindOf(volume);
  if (volume.content !== 'backup' || kind === undefined) {
    throw new Failure('invalid-input', `${volid} is no backup of a guest.`, 'Take the id from pve_backup_list.');
  }
  const at = path`/nodes/${volume.nodes[0] ?? ''}/vzdump/extractconfig`;
  const read = pve.get(at, z.string(), { volume: volid }, { signal });
  const text = await attempt(read, notes, 'The configuration in the backup');
  return { volume, kind, config: parseConfig(text ?? '') };
}

/** `taken 2026-11-20T00:10:00Z`. */
export const taken = ({ ctime }: Volume): string => (ctime === undefined ? 'of unknown time' : `of ${iso(ctime)}`);

/** The storage of a container's root disk. */
export const rootStorage = (config: Config): string | undefined => /^([^:,]+):/.exec(config.get('rootfs') ?? '')?.[1];

/** The fixed addresses of its network cards, without what DHCP gives. */
const addressesIn = (config: Config): string[] =>
  [...config]
    .filter(([key]) => /^(net|ipconfig)\d+$/.test(key))
    .flatMap(([, value]) => [parseParts(value).get('ip'), parseParts(value).get('ip6')])
    .filter((one) => one?.includes('/'))
    .map(String);

/** The guest that a backup was made of, when it is still there, and the addresses that a copy would share with it. */
export async function readOrigin(
  { pve, signal }: ToolContext,
  { volume, kind, config }: Archive,
  notes: string[],
): Promise<{ readonly origin?: Guest; readonly shared: readonly string[] }> {
  const guests = await listGuests(pve, { signal });
  const origin = guests.find((one) => one.vmid === volume.vmid && one.kind === kind);
  if (origin === undefined) return { shared: [] };
  const settings = await attempt(readSettings(pve, origin, signal), notes, `The addresses of ${origin.label}`);
  const own = settings ? addressesIn(effectiveAll(settings)) : [];
  return { origin, shared: addressesIn(config).filter((address) => own.includes(address)) };
}
