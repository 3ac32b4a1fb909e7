import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import type { Pve, PveCallOptions } from './client.ts';
import { type ResourceRow, readRows, words } from './rows.ts';

/** A container or a virtual machine, as /cluster/resources tells of it. */
export interface Guest {
  readonly vmid: number;
  readonly name: string;
  readonly kind: 'lxc' | 'qemu';
  readonly node: string;
  /** `running`, `stopped`, `paused`, `suspended` or `unknown` (its node is offline). */
  readonly status: string;
  readonly template: boolean;
  /** Share of its cores in use, 0 to 1. */
  readonly cpu?: number;
  readonly maxcpu?: number;
  /** Bytes, as all of mem, maxmem, disk and maxdisk. */
  readonly mem?: number;
  readonly maxmem?: number;
  readonly disk?: number;
  readonly maxdisk?: number;
  /** Seconds. */
  readonly uptime?: number;
  readonly tags: readonly string[];
  readonly pool?: string;
  /** What holds the guest's configuration: `backup`, `snapshot`, `migrate`, … */
  readonly lock?: string;
  readonly hastate?: string;
  /** `CT 400 (keycloak) on pve1`. */
  readonly label: string;
}

/** Every guest that the token may see, sorted by VMID; one request. */
export async function listGuests(pve: Pve, options?: PveCallOptions): Promise<Guest[]> {
  const rows = await readRows(pve, { type: 'vm' }, options);
  return guestsOf(rows);
}

/** The guest of that VMID (a number or digits) or name. Fails `not-found` with the nearest names, or `ambiguous`. */
export async function findGuest(pve: Pve, ref: number | string, options?: PveCallOptions): Promise<Guest> {
  return pickGuest(await listGuests(pve, options), ref);
}

/** The one guest among `guests` that `ref` names; a name that is all digits is read as a VMID first. */
export function pickGuest(guests: readonly Guest[], ref: number | string): Guest {
  const wanted = String(ref).trim();
  const byId = guests.find((guest) => String(guest.vmid) === wanted);
  if (byId) return byId;
  const exact = guests.filter((guest) => guest.name === wanted);
  const named = exact.length > 0 ? exact : guests.filter((guest) => guest.name.toLowerCase() === wanted.toLowerCase());
  const [only, ...others] = named;
  if (only === undefined) throw unknownGuest(guests, wanted);
  if (others.length > 0) throw severalGuests(named, wanted);
  return only;
}

/**
 * Reads something of a guest; when its node does not know it or does not answer, looks the guest up again and, if it
 * has moved, reads once more at its new place. `guest` is as it was found in the end, `movedFrom` the node it has left.
 */
export async function readGuest<T>(
  pve: Pve,
  guest: Guest,
  read: (guest: Guest) => Promise<T>,
  options?: PveCallOptions,
): Promise<{ readonly guest: Guest; readonly value: T; readonly movedFrom?: string }> {
  try {
    return { guest, value: await read(guest) };
  } catch (error) {
    if (!(error instanceof Failure) || !mayHaveMoved.has(error.kind)) throw error;
    const now = (await listGuests(pve, options)).find(({ vmid }) => vmid === guest.vmid);
    if (now === undefined) throw gone(guest, error);
    if (now.node === guest.node) throw error;
    return { guest: now, value: await read(now), movedFrom: guest.node };
  }
}

const mayHaveMoved: ReadonlySet<string> = new Set(['not-found', 'remote-error', 'unreachable', 'timeout']);

/** The guests that rows of /cluster/resources tell of, sorted by VMID; rows of other types tell of none. */
export function guestsOf(rows: readonly ResourceRow[]): Guest[] {
  // Thousands of guests share a few lists of tags, and splitting each anew would take longer than all else together.
  const known = new Map<string, readonly string[]>();
  const tagsOf = (text: string): readonly string[] => {
    const tags = known.get(text) ?? words(text);
    known.set(text, tags);
    return tags;
  };
  return rows.flatMap((row) => guestOf(row, tagsOf)).sort((a, b) => a.vmid - b.vmid);
}

function guestOf(row: ResourceRow, tagsOf: (text: string) => readonly string[]): Guest[] {
  if ((row.type !== 'lxc' && row.type !== 'qemu') || row.vmid === undefined || row.node === undefined) return [];
  const { vmid, type: kind, node, status = 'unknown', template = false } = row;
  const { cpu, maxcpu, mem, maxmem, disk, maxdisk, uptime, pool, lock, hastate } = row;
  const id = `${kind === 'lxc' ? 'CT' : 'VM'} ${vmid}`;
  const name = row.name ?? id;
  // In a question for a human, a name of several lines would be lines of the question.
  const label = name === id ? `${id} on ${node}` : `${id} (${name.replace(/\s+/g, ' ')}) on ${node}`;
  const tags = tagsOf(row.tags ?? '');
  return [
    {
      vmid,
      name,
      kind,
      node,
      status,
      template,
      cpu,
      maxcpu,
      mem,
      maxmem,
      disk,
      maxdisk,
      uptime,
      tags,
      pool,
      lock,
      hastate,
      label,
    },
  ];
}

function severalGuests(guests: readonly Guest[], name: string): Failure {
  const labels = guests.map(({ label }) => label);
  return new Failure(
    'ambiguous',
    `${guests.length} guests are named "${name}": ${labels.join(', ')}.`,
    'Give the VMID instead of the name.',
    { facts: { candidates: labels } },
  );
}

function unknownGuest(guests: readonly Guest[], wanted: string): Failure {
  const near = nearest(guests, wanted).map(({ label }) => label);
  const hint =
    near.length > 0
      ? `Nearest: ${near.join(', ')}.`
      : 'The token sees no guest at all; list what it may see, or grant it VM.Audit on /vms.';
  return new Failure('not-found', `There is no guest "${wanted}" that this token may see.`, hint, {
    facts: { candidates: near },
  });
}

function nearest(guests: readonly Guest[], wanted: string): Guest[] {
  const text = wanted.toLowerCase();
  const score = (guest: Guest): number =>
    Math.min(
      distance(text, guest.name.toLowerCase()) - (guest.name.toLowerCase().includes(text) ? text.length : 0),
      distance(text, String(guest.vmid)),
    );
  const far = ({ vmid }: Guest): number => (/^\d+$/.test(text) ? Math.abs(vmid - Number(text)) : vmid);
  const scored = guests.map((guest) => ({ guest, score: score(guest) }));
  return scored
    .sort((a, b) => a.score - b.score || far(a.guest) - far(b.guest))
    .slice(0, 3)
    .map(({ guest }) => guest);
}

const gone = (guest: Guest, cause: Failure): Failure =>
  new Failure(
    'not-found',
    `${guest.label} is no longer there: ${cause.message}`,
    'It was deleted, or the token may no longer see it; list the guests again.',
    { cause },
  );
