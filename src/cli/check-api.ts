import { z } from 'zod';
import { endpointsOf, type PveWishes, pveOf } from '../clients.ts';
import type { Loaded } from '../config/load.ts';
import { asFailure, Failure } from '../failure.ts';
import { type Certificate, endpointOf, fetchCertificate } from '../pve/certificate.ts';
import type { Pve } from '../pve/client.ts';
import { path } from '../pve/path.ts';
import { type Check, type Checks, failed, failure, ok, skipped, warning } from './check.ts';

const CONNECT_MS = 5_000;
const SOON_DAYS = 21;
const AFTER_API = ['API certificate', 'API token', 'privileges'];

/**
 * Certificate, token and privileges. The certificate is shown without a token too: one begins with it. Of several
 * endpoints each is looked at, and one that answers is enough.
 */
export async function* apiChecks(loaded: Loaded, pve: Pve, patience: PveWishes): Checks {
  const { settings, token } = loaded;
  const places = endpointsOf(settings);
  if (places.length === 0) return yield* skipped(['API', ...AFTER_API], 'PROXMOX_HOST is not set');
  const seen = await Promise.all(places.map((place) => look(loaded, place, patience)));
  const reached = seen.filter(({ certificate }) => certificate !== undefined);
  for (const { endpoint, unreached } of seen) {
    if (unreached === undefined) yield ok('API', `${endpoint} can be reached`);
    else yield { ...failure('API', unreached), ...(reached.length > 0 && { state: 'warning' as const }) };
  }
  if (reached.length === 0) return yield* skipped(AFTER_API, 'the API cannot be reached');

  const distrusted = reached.filter(({ version }) => version instanceof Failure && version.kind === 'untrusted');
  for (const one of reached) {
    if (distrusted.includes(one)) yield failure('API certificate', one.version);
    else if (one.certificate) yield trusted(one.certificate, settings.proxmoxFingerprint !== undefined);
  }
  const believed = reached.filter((one) => !distrusted.includes(one));
  if (believed.length === 0) return yield* skipped(['API token', 'privileges'], 'the certificate is not trusted');
  const version = believed.map((one) => one.version).find((one) => typeof one === 'string') ?? believed[0]?.version;
  if (typeof version !== 'string') {
    yield failure('API token', version);
    return yield* skipped(['privileges'], 'the API does not answer this token');
  }
  yield ok('API token', `${token?.id} is accepted by Proxmox VE ${version}`);
  if (distrusted.length === 0) yield* privilegeChecks(pve, token?.id ?? '', settings.mode === 'read-only');
  else yield* skipped(['privileges'], 'a certificate is not trusted');
}

/** What one endpoint shows: why it cannot be reached, or its certificate and the version that it tells the token. */
interface Seen {
  readonly endpoint: string;
  readonly unreached?: unknown;
  readonly certificate?: Certificate;
  readonly version?: string | Failure;
}

async function look(loaded: Loaded, place: { host: string; port: number }, patience: PveWishes): Promise<Seen> {
  const endpoint = endpointOf(place.host, place.port);
  try {
    const certificate = await fetchCertificate(place.host, place.port, CONNECT_MS);
    const alone = pveOf({ ...loaded, settings: { ...loaded.settings, proxmoxHost: [place] } }, patience);
    try {
      return { endpoint, certificate, version: await versionOf(alone) };
    } finally {
      await alone.close();
    }
  } catch (unreached) {
    return { endpoint, unreached };
  }
}

async function versionOf(pve: Pve): Promise<string | Failure> {
  try {
    return (await pve.get(path`/version`, z.object({ version: z.string() }))).version;
  } catch (error) {
    return asFailure(error);
  }
}

function trusted({ fingerprint, subject, validTo }: Certificate, pinned: boolean): Check {
  const how = pinned ? 'is pinned' : 'is vouched for by a CA';
  const days = Math.floor((Date.parse(validTo) - Date.now()) / 86_400_000);
  const says = `${subject} ${how}, valid until ${validTo}, SHA-256 ${fingerprint}`;
  if (days >= SOON_DAYS) return ok('API certificate', says);
  const cure =
    'Renew it on the host (pvenode cert, or the web interface), then set PROXMOX_FINGERPRINT anew if it is set.';
  return warning('API certificate', `${says}: ${days < 0 ? 'expired' : `expires in ${days} days`}`, cure);
}

interface Need {
  /** Any one of them is enough. */
  readonly anyOf: readonly string[];
  readonly for: string;
  /** The smallest built-in role that has it. */
  readonly role: string;
  readonly changes?: true;
}

/** What tools ask for, as the API's own schema says it (`permissions` of each method). */
const needs: readonly Need[] = [
  { anyOf: ['Sys.Audit'], for: 'nodes, cluster state and the tasks of others', role: 'PVEAuditor' },
  { anyOf: ['VM.Audit'], for: 'guests', role: 'PVEAuditor' },
  { anyOf: ['Datastore.Audit', 'Datastore.AllocateSpace'], for: 'storage and backups', role: 'PVEAuditor' },
  {
    anyOf: ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted', 'VM.Monitor'],
    for: 'IP addresses of VMs',
    role: 'PVEVMAdmin',
  },
  { anyOf: ['VM.PowerMgmt'], for: 'starting and stopping guests', role: 'PVEVMUser', changes: true },
  { anyOf: ['VM.Snapshot'], for: 'snapshots', role: 'PVEVMAdmin', changes: true },
];

async function* privilegeChecks(pve: Pve, token: string, readOnly: boolean): Checks {
  let held: Record<string, Record<string, unknown>>;
  try {
    held = await pve.get(path`/access/permissions`, z.record(z.string(), z.record(z.string(), z.unknown())));
  } catch (error) {
    return yield failure('privileges', error);
  }
  if (Object.keys(held).length === 0) {
    return yield failed('privileges', `${token} has none at all.`, grant(token, 'PVEAuditor'));
  }
  const wanted = needs.filter(({ changes }) => !(readOnly && changes));
  const places = (need: Need) => Object.keys(held).filter((at) => need.anyOf.some((one) => one in (held[at] ?? {})));
  const lacking = wanted.filter((need) => places(need).length === 0);
  for (const need of lacking) {
    yield warning('privileges', `${need.anyOf.join(' or ')} is missing, for ${need.for}.`, grant(token, need.role));
  }
  const partly = wanted.filter((need) => places(need).length > 0 && !places(need).includes('/'));
  for (const need of partly) {
    yield ok('privileges', `${need.anyOf[0]} is held for ${places(need).join(', ')} only`);
  }
  if (lacking.length === 0 && partly.length === 0) yield ok('privileges', 'the token has what the tools need');
}

const grant = (token: string, role: string): string =>
  `On the host: pveum acl modify / --tokens '${token}' --roles ${role}; ` +
  'its user needs the role too, unless that is root@pam.';
