import { z } from 'zod';
import { type PveWishes, pveOf } from '../clients.ts';
import type { Cluster } from '../config/clusters.ts';
import type { Loaded } from '../config/load.ts';
import { asFailure, Failure } from '../failure.ts';
import { type Certificate, endpointOf, fetchCertificate } from '../pve/certificate.ts';
import type { Pve } from '../pve/client.ts';
import { readCluster } from '../pve/cluster.ts';
import { path } from '../pve/path.ts';
import { gapsIn, type Rights, rightsShape } from '../toolsets/pve/access-gaps.ts';
import { needsOf } from '../toolsets/pve/access-needs.ts';
import { type Check, type Checks, failed, failure, ok, skipped, speedCheck, warning } from './check.ts';

const CONNECT_MS = 5_000;
const SOON_DAYS = 21;
const AFTER_API = ['API certificate', 'API token', 'privileges'];

/**
 * Certificate, token and privileges. The certificate is shown without a token too: one begins with it. Of several
 * endpoints each is looked at, and one that answers is enough.
 */
export async function* apiChecks(loaded: Loaded, cluster: Cluster, pve: Pve, patience: PveWishes): Checks {
  const { token, endpoints: places, fingerprint } = cluster;
  if (places.length === 0) return yield* skipped(['API', ...AFTER_API], 'PROXMOX_HOST is not set');
  const seen = await Promise.all(places.map((place) => look(cluster, place, patience)));
  const reached = seen.filter(({ certificate }) => certificate !== undefined);
  for (const { endpoint, unreached } of seen) {
    if (unreached === undefined) yield ok('API', `${endpoint} can be reached`);
    else yield { ...failure('API', unreached), ...(reached.length > 0 && { state: 'warning' as const }) };
  }
  if (reached.length === 0) return yield* skipped(AFTER_API, 'the API cannot be reached');

  const distrusted = reached.filter(({ version }) => version instanceof Failure && version.kind === 'untrusted');
  for (const one of reached) {
    if (distrusted.includes(one)) yield failure('API certificate', one.version);
    else if (one.certificate) yield trusted(one.certificate, fingerprint !== undefined);
  }
  const believed = reached.filter((one) => !distrusted.includes(one));
  if (believed.length === 0) return yield* skipped(['API token', 'privileges'], 'the certificate is not trusted');
  const version = believed.map((one) => one.version).find((one) => typeof one === 'string') ?? believed[0]?.version;
  if (typeof version !== 'string') {
    yield failure('API token', version);
    return yield* skipped(['privileges'], 'the API does not answer this token');
  }
  yield ok('API token', `${token?.id} is accepted by Proxmox VE ${version}`);
  yield* expiryCheck(pve, token?.id ?? '');
  if (distrusted.length === 0) yield* privilegeChecks(loaded, cluster, pve, version);
  else yield* skipped(['privileges'], 'a certificate is not trusted');
  yield* clockCheck(pve);
  yield* speedCheck('API speed', () => pve.get(path`/version`, z.unknown()));
}

/** What one endpoint shows: why it cannot be reached, or its certificate and the version that it tells the token. */
interface Seen {
  readonly endpoint: string;
  readonly unreached?: unknown;
  readonly certificate?: Certificate;
  readonly version?: string | Failure;
}

async function look(cluster: Cluster, place: Cluster['endpoints'][number], patience: PveWishes): Promise<Seen> {
  const endpoint = endpointOf(place.host, place.port);
  try {
    const certificate = await fetchCertificate(place.host, place.port, CONNECT_MS);
    const alone = pveOf({ ...cluster, endpoints: [place] }, patience);
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

/** What the chosen tools need and the token has not, with the line that gives it. */
async function* privilegeChecks(loaded: Loaded, cluster: Cluster, pve: Pve, version: string): Checks {
  const token = cluster.token?.id ?? '';
  let rights: Rights;
  try {
    rights = await pve.get(path`/access/permissions`, rightsShape);
  } catch (error) {
    return yield failure('privileges', error);
  }
  if (Object.keys(rights).length === 0) {
    const cure = `On the host: pveum acl modify / --tokens '${token}' --roles PVEAuditor; its user needs the role too.`;
    return yield failed('privileges', `${token} has none at all.`, cure);
  }
  const chosen = await chosenTools(loaded, cluster);
  const needs = [...needsOf(Number.parseInt(version, 10))].filter(([tool]) => chosen.has(tool));
  const gaps = gapsIn(new Map(needs), rights, token);
  for (const { privileges, on, tools, partly, cure } of gaps) {
    const says = `${privileges.join(', ')} on ${on}, for ${tools.join(', ')}`;
    if (partly.length > 0) yield ok('privileges', `held on ${partly.join(', ')} only: ${says}`);
    else yield warning('privileges', `Missing: ${says}.`, cure);
  }
  if (gaps.length === 0) yield ok('privileges', 'the token has what the chosen tools need');
}

/** The names of the tools that a client sees with these settings. */
async function chosenTools({ settings: { toolsets } }: Loaded, { mode }: Cluster): Promise<ReadonlySet<string>> {
  const { tools } = await import('../toolsets/index.ts');
  const chosen = tools.filter(
    ({ toolset, core, effect }) =>
      (mode !== 'read-only' || effect === 'read') &&
      toolsets.some((one) => one === 'full' || one === toolset || (one === 'core' && core)),
  );
  return new Set(chosen.map(({ name }) => name));
}

const EXPIRES_SOON_DAYS = 14;
const tokenShape = z.object({ expire: z.coerce.number().optional() });

/** Whether the token expires soon; a token may not always look at itself. */
async function* expiryCheck(pve: Pve, id: string): Checks {
  const [user = '', name = ''] = id.split('!');
  const { expire = 0 } = await pve
    .get(path`/access/users/${user}/token/${name}`, tokenShape)
    .catch(() => ({ expire: 0 }));
  if (expire === 0) return;
  const days = Math.floor((expire * 1000 - Date.now()) / 86_400_000);
  const says = `${id} expires in ${days} days`;
  if (days >= EXPIRES_SOON_DAYS) yield ok('API token', says);
  else
    yield warning(
      'API token',
      `${says}.`,
      `On the host: pveum user token modify ${user} ${name} --expire 0, or a later time.`,
    );
}

/** Further than this, and what is written down here and there cannot be put side by side. */
const SKEW_S = 30;

/** How far the clock of the node is from ours. */
async function* clockCheck(pve: Pve): Checks {
  const shape = z.object({ time: z.coerce.number() });
  const told = await readCluster(pve)
    .then(({ nodes }) => pve.get(path`/nodes/${nodes.find(({ local }) => local)?.name ?? 'localhost'}/time`, shape))
    .catch(() => undefined);
  if (!told) return;
  const skew = Math.round(told.time - Date.now() / 1000);
  if (Math.abs(skew) <= SKEW_S) yield ok('clock', `the host's clock is ours, within ${SKEW_S} s`);
  else
    yield warning(
      'clock',
      `The host's clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} ours.`,
      'Have both set by NTP.',
    );
}
