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
      { sign: { is: 'read-only' } },
    );
  }
  if (guard.protectedGuests.size === 0) return;
  const guest = namedBy(segments, params).find((vmid) => guard.protectedGuests.has(vmid));
  if (guest !== undefined) throw protectedGuest(method, path, `names guest ${guest}, which is protected`);
  if (reachesAll(method, segments, params)) {
    throw protectedGuest(method, path, 'reaches guests that it does not name, and may reach protected ones');
  }
}

/** Every number in a request that may be a guest's: too many rather than too few. `path` is percent-encoded. */
export const guestsNamed = (path: string, params: PveParams): number[] => namedBy(readPath(path), params);

const namedBy = (segments: readonly string[], params: PveParams): number[] => [
  ...new Set([...inPath(segments), ...inParams(params)]),
];

const protectedGuest = (method: Method, path: string, why: string): Failure =>
  new Failure(
    'refused',
    `${method} ${path} ${why}.`,
    'An operator listed it in the settings as protected; only there can that be changed.',
    { sign: { is: 'protected' } },
  );

/**
 * Segments as the server has them: it decodes first and splits then (recording c-delcontent-enc), and skips empty ones
 * (pve-common, PVE/RESTHandler.pm, find_handler).
 */
function readPath(path: string): string[] {
  const segments = /^\/[\w\-.~!$&'()*+,;=:@%/]*$/.test(path) ? path.split('/').filter((part) => part !== '') : ['..'];
  const decoded = segments.flatMap((part) => decode(part)?.split('/') ?? '..').filter((part) => part !== '');
  if (decoded.some((part) => part === '.' || part === '..')) {
    throw new Failure(
      'invalid-input',
      `${JSON.stringify(path)} is not an API path.`,
      'Give one such as /cluster/status.',
    );
  }
  return decoded;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Below /nodes/N/lxc/ID only ID counts; elsewhere any number that stands alone, as in `ct:400` or `vm-400-disk-0`. */
function inPath(segments: readonly string[]): number[] {
  if (segments[0] !== 'nodes') return segments.flatMap(numbers);
  const [, , kind, id] = segments;
  if ((kind === 'lxc' || kind === 'qemu') && id !== undefined) return numbers(id);
  return segments.slice(2).flatMap(numbers);
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

/** `vm-400-disk-0`, and `local:400/any.qcow2`: in a folder of files a volume may be called anything. */
const volumeOwner = /\b(?:vm|base|subvol|basevol)-(\d+)-|(?<![^=,])[a-z][\w.-]*:(\d+)\//gi;

function inParams(params: PveParams): number[] {
  return Object.entries(params).flatMap(([name, value]) => {
    const values = [value ?? ''].flat().map(String);
    if (naming.has(name.toLowerCase())) return values.flatMap(numbers);
    const volumes = values.flatMap((text) => [...text.matchAll(volumeOwner)]);
    return volumes.map(([, byName, byFolder]) => Number(byName ?? byFolder));
  });
}

/** The numbers that stand alone in the text, in any digits, escaped once more or not. */
function numbers(text: string): number[] {
  const spellings = [text, decode(text) ?? ''].map((spelling) => spelling.normalize('NFKC'));
  const alone = /(?<![\p{L}\p{N}])\d+(?![\p{L}\p{N}])/gu;
  return spellings.flatMap((spelling) => (spelling.match(alone) ?? []).map(Number));
}

/** What takes a list of guests and means all without one: an empty list is none, be it written as a comma or a blank. */
function reachesAll(method: Method, segments: readonly string[], params: PveParams): boolean {
  const action = segments.at(-1)?.toLowerCase() ?? '';
  const named = (name: string): boolean => numbers(String(params[name] ?? '')).length > 0;
  const given = (name: string): boolean => !/^(0|false)?$/.test(String(params[name] ?? ''));
  if (/^(startall|stopall|suspendall|migrateall)$/.test(action) || segments[1] === 'bulk-action') return !named('vms');
  const backup = action === 'vzdump' || (segments[0] === 'cluster' && segments[1] === 'backup');
  if (backup && (given('all') || given('pool'))) return true;
  return method === 'DELETE' && action === 'prunebackups' && !named('vmid');
}
