import { join } from 'node:path';
import { Secret } from '../secret.ts';
import { type Cluster, furtherClusters, settingsCluster } from './clusters.ts';
import { type EnvFile, readEnvFile } from './envfile.ts';
import type { Problem } from './problem.ts';
import { flagOf, type Key, keys, type Settings, settingOf } from './settings.ts';
import { type ApiToken, caText, missing, tokenOf } from './token.ts';
import { fetchTokenSecret } from './tokensecret.ts';
import { guardTransferDir } from './transferdir.ts';
import { webhookProblems } from './webhook.ts';

/** What the settings are made from, as plain arguments. The functions throw as those of node:fs do. */
export interface Surroundings {
  /** Flags as given, by the key of their setting; `settingsFile` names the settings file. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Absent where files have no owner (Windows). */
  readonly uid?: number;
  /** What was wrong with the command line. */
  readonly problems?: readonly Problem[];
  readFile(path: string): string;
  /** The first line that a command prints; throws with what it said when it fails. */
  run(command: string): string;
  /** What the system's keychain holds for this account; throws when there is none, or none that works. */
  keychain(account: string): string | undefined;
  stat(path: string): { readonly mode: number; readonly uid: number };
}

export interface Loaded {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** Where each value is from: `flag --mode`, `environment variable MCP_MODE`, `/path/.env:3`, `default`. */
  readonly sources: Readonly<Record<Key, string>>;
  /** The settings file that was read. */
  readonly settingsFile?: string;
  /** Where the settings file is looked for when no flag names one. */
  readonly defaultFile: string;
  /** The API token of the settings. */
  readonly token?: ApiToken;
  /** The cluster of the settings, then those of the inventory file. */
  readonly clusters: readonly [Cluster, ...Cluster[]];
  /** Text of MCP_WEBHOOK_CA_FILE. */
  readonly webhookCa?: string;
  /** Our own known_hosts, written by `trust` and by SSH_ACCEPT_NEW. */
  readonly ownKnownHosts: string;
  /** Where the heads of audit files are kept, and their key. */
  readonly auditHeads: string;
  /** Questions that are answered in a terminal, and the key that seals them. */
  readonly approvals: { readonly folder: string; readonly keyFile: string };
  /** The bearer token of MCP over HTTP. */
  readonly httpTokenFile: string;
  /** Where what can be fetched again is kept. */
  readonly cacheFolder: string;
  /** Every secret held, for redaction. */
  readonly secrets: readonly Secret[];
  /** Environment variables that may hold secrets: to be removed before anything is started. */
  readonly scrub: readonly string[];
}

/** Taking a shorter secret out of answers would take ordinary words out of them. */
export const SHORTEST_HIDDEN = 4;

/** Where the mode is from when a setting that guards something cannot be read. */
const WRONG_SAFETY = 'a wrong safety setting';

interface Found {
  readonly text: string;
  readonly source: string;
}

/** What was found so far, which later steps add to. */
export interface Read {
  readonly values: Map<Key, unknown>;
  readonly sources: Map<Key, string>;
  readonly problems: Problem[];
}

/** Settings from flags, environment, settings file and defaults, in that order. Never throws: what is wrong is told. */
export function loadSettings(around: Surroundings): Loaded {
  const folder = join(xdg(around, 'XDG_CONFIG_HOME', '.config'), 'proxmox-ssh-mcp');
  const defaultFile = join(folder, '.env');
  const named = around.flags.settingsFile;
  const file = readEnvFile(named ?? defaultFile, named !== undefined, around);
  const read = readAll(file, around);
  derive(read, around);
  const state = xdg(around, 'XDG_STATE_HOME', '.local/state');
  const seals = join(state, 'proxmox-ssh-mcp-seals');
  const approvals = { folder: join(state, 'proxmox-ssh-mcp', 'approvals'), keyFile: join(folder, 'approvals.key') };
  const trusted = (['inventoryFile', 'auditFile', 'sshKeyPath'] as const).map((key) => read.values.get(key));
  const ours = [folder, file.path, seals, approvals.folder, join(around.home, '.ssh'), ...trusted];
  guardTransferDir(read, initial('transferDir', around), ours);

  const settings = Object.fromEntries(read.values) as Settings;
  const sources = Object.fromEntries(read.sources) as Record<Key, string>;
  const told = [...(around.problems ?? []), ...file.problems, ...read.problems];
  const token = tokenOf(settings, sources);
  const [ca, webhookCa] = (['proxmoxCaFile', 'webhookCaFile'] as const).map((key) =>
    caText(key, settings, sources, around),
  );
  const unset = missing(settings, told, file.path ?? defaultFile);
  const further = furtherClusters({ settings, file, around, unguarded: sources.mode === WRONG_SAFETY });
  const own = [token, ca, unset, webhookCa, further].flatMap((part) => part?.problem ?? []);
  const explained = further.variables.map((name) => file.unknown.get(name));
  const mine = [...told.filter((one) => !explained.includes(one)), ...own, ...webhookProblems(settings)];
  const problem = mine.find(({ blocks }) => blocks?.includes('pve'));
  const others = further.clusters;
  return {
    settings,
    sources,
    problems: [...mine, ...others.flatMap((one) => one.problem ?? [])],
    settingsFile: file.path,
    defaultFile,
    token: token?.token,
    clusters: [settingsCluster(settings, { token: token?.token, ca: ca?.text, problem }), ...others],
    webhookCa: webhookCa?.text,
    ownKnownHosts: join(folder, 'known_hosts'),
    auditHeads: seals,
    httpTokenFile: join(folder, 'http-token'),
    approvals,
    cacheFolder: join(xdg(around, 'XDG_CACHE_HOME', '.cache'), 'proxmox-ssh-mcp'),
    secrets: [
      ...[...read.values.values()].filter((value) => value instanceof Secret),
      ...others.flatMap((one) => one.token?.secret ?? []),
    ],
    scrub: [...secretNames(around.env), ...further.variables],
  };
}

function readAll(file: EnvFile, around: Surroundings): Read {
  const read: Read = { values: new Map(), sources: new Map(), problems: [] };
  let unguarded = false;
  for (const key of keys) {
    const found = find(key, file, around);
    const value = found && parse(key, found.text, around.home);
    if (found && !value) {
      read.problems.push(wrong(key, found.source));
      unguarded ||= settingOf(key).group === 'safety';
    }
    if (found && value?.parsed instanceof Secret && value.parsed.reveal().length < SHORTEST_HIDDEN) {
      read.problems.push(tooShort(key, found.source));
    }
    read.values.set(key, value ? value.parsed : initial(key, around));
    read.sources.set(key, found && value ? found.source : 'default');
  }
  if (unguarded) {
    read.values.set('mode', 'read-only');
    read.sources.set('mode', WRONG_SAFETY);
  }
  return read;
}

/** The first place that says something. Empty, and a placeholder that the client left as it was, say nothing. */
function find(key: Key, file: EnvFile, { flags, env }: Surroundings): Found | undefined {
  const { env: name } = settingOf(key);
  const flag = flagOf(key);
  const line = file.values.get(name);
  const places = [
    { text: flag && flags[key], source: `flag ${flag}` },
    { text: env[name], source: `environment variable ${name}` },
    { text: line?.text, source: `${file.path}:${line?.line}` },
  ];
  for (const { text, source } of places) {
    if (text !== undefined && text.trim() !== '' && !/^\$\{[^{}]*\}$/.test(text.trim())) return { text, source };
  }
  return undefined;
}

function parse(key: Key, text: string, home: string): { readonly parsed: unknown } | undefined {
  const setting = settingOf(key);
  const read = setting.secret ? text : text.trim().replace(/^~(?=\/|$)/, () => home);
  const result = setting.schema.safeParse(read);
  return result.success ? { parsed: result.data } : undefined;
}

/** Says where the value is from and what it must be, but never the value: it may be a secret in the wrong place. */
function wrong(key: Key, source: string): Problem {
  const { env, takes, cure, example, group } = settingOf(key);
  const cause = `${env} (${source}) must be ${takes}.`;
  if (group === 'safety') {
    return { cause, cure: `${cure ?? `For example ${example}.`} Until then the mode is read-only.` };
  }
  const blocks = group === 'proxmox' ? (['pve'] as const) : group === 'ssh' ? (['ssh'] as const) : undefined;
  return { cause, cure: cure ?? `For example ${example}.`, blocks };
}

const tooShort = (key: Key, source: string): Problem => ({
  cause: `${settingOf(key).env} (${source}) is too short (under ${SHORTEST_HIDDEN} characters) to be cut out of answers.`,
  cure: 'Use a longer one.',
});

function initial(key: Key, around: Surroundings): unknown {
  const text = settingOf(key).initial;
  if (text === undefined) return undefined;
  const placed = text
    .replace(/^~\/\.config(?=\/)/, () => xdg(around, 'XDG_CONFIG_HOME', '.config'))
    .replace(/^~\/\.local\/state(?=\/)/, () => xdg(around, 'XDG_STATE_HOME', '.local/state'));
  return parse(key, placed, around.home)?.parsed;
}

/** A folder of the XDG base directory specification, which says that a relative one is to be ignored. */
const xdg = ({ env, home }: Surroundings, name: string, otherwise: string): string =>
  env[name]?.startsWith('/') ? env[name] : join(home, otherwise);

/** What depends on other settings or on the machine. */
function derive(read: Read, around: Surroundings): void {
  fetchTokenSecret(read, around);
  const { values, sources, problems } = read;
  const unset = (key: Key): boolean => sources.get(key) === 'default';
  const exists = (path: string): boolean => {
    try {
      return Boolean(around.stat(path));
    } catch {
      return false;
    }
  };
  if (unset('sshHost')) values.set('sshHost', (values.get('proxmoxHost') as Settings['proxmoxHost'])?.[0]?.host);
  if (unset('sshAgent')) values.set('sshAgent', around.env.SSH_AUTH_SOCK || undefined);
  const keyPath = values.get('sshKeyPath');
  if (typeof keyPath === 'string' && !exists(keyPath)) {
    problems.push({
      cause: `SSH_KEY_PATH (${sources.get('sshKeyPath')}) names a file that is not there.`,
      cure: 'Name the private key, or leave SSH_KEY_PATH out to use the keys in ~/.ssh and the agent.',
    });
  } else if (keyPath === undefined) {
    const names = ['proxmox_mcp', 'id_ed25519', 'id_ecdsa', 'id_rsa'];
    values.set('sshKeyPath', names.map((name) => join(around.home, '.ssh', name)).find(exists));
  }
}

const SECRET_NAME = /(^|_)(API_?KEY|ACCESS_KEY|PRIVATE_KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)(_|$)/i;

/** Ours, and whatever else a client passes on by inheritance that looks like a secret. */
const secretNames = (env: Surroundings['env']): string[] => {
  const ours = keys.filter((key) => settingOf(key).secret).map((key) => settingOf(key).env);
  return Object.keys(env).filter((name) => ours.includes(name) || SECRET_NAME.test(name));
};
