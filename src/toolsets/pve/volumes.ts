import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { flag, num, text } from '../../pve/fields.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import { attempt } from './attempt.ts';
import { findPlaces, type Place } from './places.ts';

const shape = z.array(
  z.object({
    volid: z.string(),
    content: text,
    format: text,
    /** Bytes, as `used`. */
    size: num,
    used: num,
    vmid: num,
    /** Seconds since 1970. */
    ctime: num,
    notes: text,
    protected: flag,
    subtype: text,
    parent: text,
    encrypted: text,
    verification: z.object({ state: z.string() }).optional().catch(undefined),
  }),
);

/** A volume, the storage that it is on, and the nodes that reach it there. */
export type Volume = z.infer<typeof shape>[number] & Pick<Place, 'storage' | 'nodes'>;

export interface Wanted {
  readonly storage?: string;
  readonly node?: string;
  readonly content?: string;
  readonly vmid?: number;
}

type Reader = Pick<ToolContext, 'pve' | 'signal'>;

async function readPlace({ pve, signal }: Reader, { storage, nodes }: Place, params: Wanted): Promise<Volume[]> {
  const [node = ''] = nodes;
  const { content, vmid } = params;
  const at = path`/nodes/${node}/storage/${storage}/content`;
  const rows = await pve.get(at, shape, { content, vmid }, { signal });
  return rows.filter((row) => vmid === undefined || row.vmid === vmid).map((row) => ({ ...row, storage, nodes }));
}

/**
 * The volumes of every storage, or of the one that is asked for: that one has to answer, where all are asked one that
 * does not becomes a note. The server leaves out in silence what the token may not use.
 */
export async function readVolumes(context: Reader, wanted: Wanted, notes: string[]): Promise<Volume[]> {
  const places = await findPlaces(context, wanted, notes);
  const lists = await Promise.all(
    places.map((place) => {
      const read = readPlace(context, place, wanted);
      const alone = wanted.storage !== undefined && places.length === 1;
      return alone ? read : attempt(read, notes, `Storage ${place.storage} on ${place.nodes[0]}`);
    }),
  );
  return lists.flatMap((list) => list ?? []);
}

const seeing = (volid: string): string[] =>
  /:backup\//.test(volid)
    ? ['A token sees a backup with Datastore.AllocateSpace on its storage and VM.Backup on its guest.']
    : [];

/** The one volume of that id; a `not-found` Failure, or `ambiguous` when several nodes have one of their own. */
export async function findVolume(context: Reader, volid: string, node?: string): Promise<Volume> {
  const notes: string[] = [];
  const storage = volid.slice(0, volid.indexOf(':'));
  const found = (await readVolumes(context, { storage, node }, notes)).filter((one) => one.volid === volid);
  const [only, other] = found;
  if (only === undefined) {
    throw new Failure(
      'not-found',
      `There is no volume ${volid} that this token may see${node === undefined ? '' : ` on ${node}`}.`,
      ['Take the id from pve_backup_list or pve_storage_content.', ...seeing(volid), ...notes].join(' '),
    );
  }
  if (other === undefined) return only;
  const nodes = found.flatMap((one) => one.nodes);
  throw new Failure('ambiguous', `${volid} is there on each of ${nodes.join(', ')}.`, 'Say which one with node.', {
    facts: { candidates: nodes },
  });
}

/** Whether the node's storage lists the volume; undefined, with a note, when that cannot be seen. */
export async function isListed(
  context: Reader,
  volid: string,
  node: string,
  notes: string[],
): Promise<boolean | undefined> {
  const silent: string[] = [];
  const storage = volid.slice(0, volid.indexOf(':'));
  const found = await attempt(readVolumes(context, { storage, node }, silent), notes, `Storage ${storage}`);
  notes.push(...silent);
  return found === undefined || silent.length > 0 ? undefined : found.some((one) => one.volid === volid);
}

const owner = /(?:vm|base|subvol|basevol|vzdump-lxc|vzdump-qemu|vzdump-openvz)-(\d+)-|backup\/(?:ct|vm|host)\/(\d+)\//g;

/** The guests that the id of a volume names: `local-lvm:vm-400-disk-0`, `pbs:backup/ct/400/…`. */
export const ownersOf = (volid: string): number[] =>
  [...volid.matchAll(owner)].map(([, disk, backup]) => Number(disk ?? backup));
