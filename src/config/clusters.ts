import type { Secret } from '../secret.ts';
import type { ClusterEntry } from './clusterentry.ts';
import type { EnvFile } from './envfile.ts';
import { type HostsFile, readHostsFile } from './hostsfile.ts';
import type { Surroundings } from './load.ts';
import { type Problem, reason } from './problem.ts';
import type { Settings } from './settings.ts';
import { type ApiToken, textOfCa } from './token.ts';
import { tokenValue } from './values.ts';

/** One Proxmox VE: how it is reached, and what may be done with it. */
export interface Cluster {
  readonly name: string;
  /** Any of them will do; none where no setting names one. */
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  readonly token?: ApiToken;
  readonly fingerprint?: readonly string[];
  /** PEM text. */
  readonly ca?: string;
  readonly timeoutMs: number;
  readonly mode: Settings['mode'];
  readonly protectedGuests: readonly number[];
  /** Why it cannot be used. */
  readonly problem?: Problem;
}

/** What the clusters of the inventory file are made from, beside that file. */
interface Around {
  readonly around: Surroundings;
  readonly settings: Settings;
  readonly file: EnvFile;
  /** A safety setting is wrong, so nothing is done but to look. */
  readonly unguarded: boolean;
}

/** The clusters that the inventory file describes. */
export interface FurtherClusters {
  readonly clusters: readonly Cluster[];
  /** Why the file is not used, where it may describe some: then nobody can tell which cluster a call is about. */
  readonly problem?: Problem;
  /** The variables that hold secrets of tokens. */
  readonly variables: readonly string[];
}

/** Reads them. A cluster without a usable token is there all the same, with its problem. */
export function furtherClusters(from: Around): FurtherClusters {
  const { inventoryFile } = from.settings;
  if (inventoryFile === undefined) return { clusters: [], variables: [] };
  const read = readHostsFile(inventoryFile, from.around.readFile);
  const found = [...(read.clusters ?? [])];
  const problem = unusable(inventoryFile, read, from);
  if (problem) return { clusters: [], problem: { ...problem, blocks: ['pve'] }, variables: [] };
  const clusters = found.map(([name, entry]) => clusterOf(name, entry, from));
  return { clusters, variables: found.flatMap(([, { token }]) => token.variable ?? []) };
}

function unusable(path: string, { clusters, clustersLost, problem }: HostsFile, from: Around): Problem | undefined {
  if (problem && clustersLost) return { ...problem, cause: `${problem.cause} It may describe clusters.` };
  if (!clusters) return undefined;
  if (clusters.has(from.settings.proxmoxCluster)) {
    return {
      cause: `The inventory file ${path} describes a cluster ${from.settings.proxmoxCluster}, which is what that of the settings is called.`,
      cure: 'Call it otherwise there, or set PROXMOX_CLUSTER to another name.',
    };
  }
  const { mode, uid } = from.around.stat(path);
  if (from.around.uid === undefined || (uid === from.around.uid && (mode & 0o022) === 0)) return undefined;
  return {
    cause: `The inventory file ${path} describes clusters, and other users can change it, so it is not used for them.`,
    cure: `Make it yours alone: chown it to uid ${from.around.uid}, and chmod 600.`,
  };
}

function clusterOf(name: string, entry: ClusterEntry, from: Around): Cluster {
  const { host, port = from.settings.proxmoxPort, fingerprint, protectedGuests = [], caFile } = entry;
  const secret = secretOf(name, entry, from);
  const file = caFile?.replace(/^~(?=\/)/, () => from.around.home);
  const ca = file === undefined ? undefined : textOfCa(file, from.around);
  const badCa = ca && 'why' in ca ? `its caFile cannot be used: ${ca.why}` : undefined;
  const why = 'why' in secret ? secret.why : badCa;
  return {
    name,
    endpoints: host.map((one) => ({ host: one.host, port: one.port ?? port })),
    token: 'why' in secret ? undefined : { id: entry.token.id, secret: secret.value },
    fingerprint,
    ca: ca && 'text' in ca ? ca.text : undefined,
    timeoutMs: from.settings.proxmoxTimeoutS * 1000,
    mode: from.unguarded ? 'read-only' : (entry.mode ?? from.settings.mode),
    protectedGuests,
    problem: why === undefined ? undefined : { cause: `The cluster ${name} cannot be used: ${why}.`, cure: CURE },
  };
}

const CURE = 'Put that right, and start the server again.';

/** Secrets are where the operator said; the inventory file holds none. */
function secretOf(
  name: string,
  { token: { id, variable, command, keychain } }: ClusterEntry,
  { around, file }: Around,
): { readonly value: Secret } | { readonly why: string } {
  const place = variable ?? (keychain ? 'the keychain' : 'the command of its token');
  const none = variable ? `${variable} is not set` : `${place} has none for ${id}${keychain ? help(name) : ''}`;
  const ask = (): string | undefined => {
    if (variable !== undefined) return around.env[variable] || file.values.get(variable)?.text;
    return keychain ? around.keychain(keychainAccount(name, id)) : around.run(command ?? '');
  };
  try {
    const text = ask();
    if (!text) return { why: none };
    const read = tokenValue.schema.safeParse(text);
    return read.success ? { value: read.data } : { why: `${place} must be ${tokenValue.takes}` };
  } catch (error) {
    return { why: `${place} gives no secret: ${(error as Error).message.replace(/\.$/, '') || reason(error)}` };
  }
}

/** What the keychain has the secret of a further cluster's token under: tokens are often called the same everywhere. */
export const keychainAccount = (cluster: string, id: string): string => `${cluster}/${id}`;

const help = (name: string): string => ` (proxmox-ssh-mcp cluster-secret ${name} puts it there)`;

/** The cluster that the settings describe, which is the first. */
export const settingsCluster = (
  settings: Settings,
  { token, ca, problem }: Pick<Cluster, 'token' | 'ca' | 'problem'>,
): Cluster => ({
  name: settings.proxmoxCluster,
  endpoints: (settings.proxmoxHost ?? []).map(({ host, port = settings.proxmoxPort }) => ({ host, port })),
  token,
  fingerprint: settings.proxmoxFingerprint,
  ca,
  timeoutMs: settings.proxmoxTimeoutS * 1000,
  mode: settings.mode,
  protectedGuests: settings.protectedGuests,
  problem,
});
