import { Failure } from '../failure.ts';
import type { PveParams } from './client.ts';
import type { Method } from './errors.ts';

/** What a client was built not to do, whoever asks. */
export interface Guard {
  readonly readOnly: boolean;
  readonly protectedGuests: ReadonlySet<number>;
}

/**
 * Throws before anything is sent: `refused` for a write of a read-only client and for a write that names a protected
 * guest in its path or parameters, in whatever spelling; `invalid-input` for a path that is not one.
 */
export function check(guard: Guard, method: Method, path: string, params: PveParams): void {
  const segments = readPath(path);
  if (method === 'GET') return;
  if (guard.readOnly) {
    throw new Failure(
      'refused',
      `${method} ${path} would change something, and this client may only read.`,
      'The mode is read-only; an operator can set another one.',
    );
  }
  if (guard.protectedGuests.size === 0) return;
  const guest = [...guard.protectedGuests].find((vmid) => inPath(segments, vmid) || inParams(params, vmid));
  if (guest !== undefined) throw protectedGuest(method, path, `names guest ${guest}, which is protected`);
  if (reachesAll(segments, params)) {
    throw protectedGuest(method, path, 'reaches every guest of a node, protected ones among them');
  }
}

const protectedGuest = (method: Method, path: string, why: string): Failure =>
  new Failure(
    'refused',
    `${method} ${path} ${why}.`,
    'An operator listed it in the settings as protected; only there can that be changed.',
  );

/** Segments, decoded as the server does: empty ones skipped (pve-common, PVE/RESTHandler.pm, find_handler). */
function readPath(path: string): string[] {
  const segments = /^\/[\w\-.~!$&'()*+,;=:@%/]*$/.test(path) ? path.split('/').filter((part) => part !== '') : ['..'];
  const decoded = segments.map(decode);
  if (decoded.some((part) => part === undefined || part === '.' || part === '..')) {
    throw new Failure(
      'invalid-input',
      `${JSON.stringify(path)} is not an API path.`,
      'Give one such as /cluster/status.',
    );
  }
  return decoded as string[];
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Below /nodes/N/lxc/ID only ID counts; elsewhere any number that stands alone, as in `ct:400` or `vm-400-disk-0`. */
function inPath(segments: readonly string[], vmid: number): boolean {
  if (segments[0] !== 'nodes') return segments.some((segment) => names(segment, vmid));
  const [, , kind, id] = segments;
  if ((kind === 'lxc' || kind === 'qemu') && id !== undefined) return names(id, vmid);
  return segments.slice(2).some((segment) => names(segment, vmid));
}

/** Parameters that name guests (by the API schema: pve-vmid, vms, HA's sid, replication's id, ACL paths). */
const naming: ReadonlySet<string> = new Set([
  'vmid',
  'vmids',
  'vms',
  'newid',
  'target-vmid',
  'sid',
  'resources',
  'id',
  'path',
  'volume',
]);

function inParams(params: PveParams, vmid: number): boolean {
  return Object.entries(params).some(([name, value]) => {
    const values = [value ?? ''].flat().map(String);
    if (naming.has(name.toLowerCase())) return values.some((text) => names(text, vmid));
    return values.some((text) => new RegExp(`\\b(vm|base|subvol|basevol)-${vmid}-`, 'i').test(text));
  });
}

/** Whether a number stands alone in the text and is that guest's, written in any digits, escaped once more or not. */
function names(text: string, vmid: number): boolean {
  const spellings = [text, decode(text) ?? ''].map((spelling) => spelling.normalize('NFKC'));
  return spellings.some((spelling) => new RegExp(`(?<![\\p{L}\\p{N}])0*${vmid}(?![\\p{L}\\p{N}])`, 'u').test(spelling));
}

/** Actions that take a list of guests and mean all of them without one. */
function reachesAll(segments: readonly string[], params: PveParams): boolean {
  const action = segments.at(-1)?.toLowerCase() ?? '';
  const bulk = /^(startall|stopall|suspendall|migrateall)$/.test(action) || segments[1] === 'bulk-action';
  return bulk && String(params.vms ?? '') === '';
}
