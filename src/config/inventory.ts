import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import { type HostEdit, type Hosts, type KnownHost, nodeHost } from '../toolsets/tool.ts';
import { type ClusterNode, HostBook } from './hostbook.ts';
import { changeEntry } from './hostschange.ts';
import { HOST_NAME, readHostsFile } from './hostsfile.ts';
import type { Loaded } from './load.ts';
import type { Problem } from './problem.ts';
import { remembered } from './remembered.ts';
import { type Disk, readSshConfig } from './sshconfig.ts';

/** What the inventory is made from, beside the settings. */
export interface HostsAround extends Disk {
  readonly home: string;
  readonly localUser?: string;
  exists(path: string): boolean;
  /** The nodes of the cluster; rejects when the API cannot be asked. */
  nodes(): Promise<readonly ClusterNode[]>;
  /** The same of each further cluster, by its name. */
  readonly further?: ReadonlyMap<string, HostsAround['nodes']>;
}

export interface Inventory extends Hosts {
  /** The same as a call about that cluster sees them. */
  of(cluster: string | undefined): Hosts;
  /** What is wrong with the inventory file and ~/.ssh/config, which are read for it. */
  problems(): readonly Problem[];
  /** The webhooks of single hosts, by the names of those; from the inventory file alone. */
  webhooks(): ReadonlyMap<string, string>;
}

/** SSH must not wait for an API that is down: after this, the nodes known so far are all there are. */
const NODES_WITHIN_MS = 3_000;
const NODES_FRESH_MS = 60_000;
const NODES_RETRY_MS = 10_000;

/** Every host an operator may name, of all sources. The files are read anew when they have changed. */
export function createHosts(loaded: Pick<Loaded, 'settings' | 'sources'>, around: HostsAround): Inventory {
  const { inventoryFile, sshConfig: sshConfigFile, mode, proxmoxCluster } = loaded.settings;
  const { further = new Map() } = around;
  const mainCluster = further.size > 0 ? proxmoxCluster : undefined;
  const asking = [around.nodes, ...[...further].map(([cluster, nodes]) => nodesOf(cluster, nodes))].map(rememberNodes);
  const hostsFile = remembered(around, (disk) => readHostsFile(inventoryFile, disk.readFile));
  const sshConfigOf = remembered(around, (disk) => readSshConfig(sshConfigFile, disk, around));
  let made: { readonly book: HostBook; readonly of: readonly unknown[] } | undefined;
  const bookOf = async (askAgain: boolean): Promise<HostBook> => {
    const known = await Promise.all(asking.map((nodes) => nodes(askAgain)));
    const [file, sshConfig] = [hostsFile(), sshConfigOf()];
    const of = [...known, file, sshConfig];
    if (made?.of.every((one, i) => one === of[i])) return made.book;
    const { hosts: inventory, commands } = file;
    const nodes = known.flat();
    made = { book: new HostBook({ ...around, loaded, inventory, commands, sshConfig, nodes, mainCluster }), of };
    return made.book;
  };
  const problems = (): readonly Problem[] => {
    const { problem } = hostsFile();
    return [...(problem ? [problem] : []), ...sshConfigOf().problems];
  };
  const find = async (name: string): Promise<KnownHost> => {
    const book = await bookOf(false);
    const found = pick(book, name, loaded) ?? pick(await bookOf(true), name, loaded);
    if (found) return found;
    throw unknown(name, [...book.names.keys()], hostsFile().hosts.has(name), problems());
  };
  /** The main host goes by the name of its node as well. */
  const webhooks = (): ReadonlyMap<string, string> => {
    const { hosts } = hostsFile();
    const of = (name: string, key = name): [string, string][] => {
      const url = hosts.get(key)?.webhook;
      return url === undefined ? [] : [[name, url]];
    };
    const main = made?.book.main;
    return new Map([
      ...[...hosts.keys()].flatMap((name) => of(name)),
      ...(main === undefined ? [] : of(main, loaded.settings.sshHost)),
    ]);
  };
  const hosts: Hosts = {
    find,
    ofNode: find,
    async list() {
      const book = await bookOf(true);
      return sorted(book).flatMap(({ host }) => host ?? []);
    },
    rules() {
      const { hosts, commands, problem, rulesLost } = hostsFile();
      if (inventoryFile === undefined) return undefined;
      if (problem && rulesLost) throw withoutRules(problem);
      const some = commands ?? [...hosts.values()].find((entry) => entry.commands)?.commands;
      return some && { file: inventoryFile, everywhere: commands ?? {} };
    },
    async unusable() {
      return sorted(await bookOf(false)).flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
    },
    async usual() {
      const [marked] = [...hostsFile().hosts].find(([, entry]) => entry.default) ?? [];
      if (marked !== undefined) return find(marked);
      const hosts = sorted(await bookOf(true)).flatMap(({ host }) => host ?? []);
      const [only, ...others] = hosts;
      if (only && others.length === 0) return only;
      throw noUsual(hosts);
    },
    async change(name, edits) {
      if (mode === 'read-only') throw readOnly();
      if (inventoryFile === undefined) throw noFile();
      const host = await find(name).catch((error: unknown) => newHost(name, edits, error));
      const entry = host ? (await bookOf(false)).entryName(host.spec.name) : name;
      if (host) refuseOtherWay(host, hostsFile().hosts.get(entry)?.commands !== undefined, edits);
      return changeEntry(inventoryFile, entry, edits);
    },
  };
  const of = (cluster: string | undefined): Hosts =>
    cluster === undefined || cluster === mainCluster
      ? hosts
      : { ...hosts, ofNode: (node) => find(nodeHost(node, cluster)) };
  return { ...hosts, of, problems, webhooks };
}

const nodesOf =
  (cluster: string, nodes: HostsAround['nodes']): HostsAround['nodes'] =>
  async () =>
    (await nodes()).map(({ name, address }) => ({ name: nodeHost(name, cluster), address, cluster }));

/** Members that say how a host is reached. */
const WAY = ['address', 'port', 'user', 'keyPath', 'via', 'hostKeyAlias'];

/** A name that nothing knows is the name of a host that is added, when it is said where that is. */
function newHost(name: string, edits: readonly HostEdit[], error: unknown): undefined {
  const said = edits.some(({ path, value }) => path[0] === 'address' && value !== undefined);
  if (!(error instanceof Failure) || error.kind !== 'not-found') throw error;
  if (said && HOST_NAME.test(name)) return undefined;
  const hint = said ? 'A name has letters, digits, dots, - and _.' : `${error.hint} With an address it would be added.`;
  throw new Failure(said ? 'invalid-input' : 'not-found', error.message, hint, { facts: error.facts });
}

const PLACES: Readonly<Record<Exclude<KnownHost['source'], 'inventory'>, string>> = {
  settings: 'the settings say: SSH_HOST, SSH_PORT, SSH_USER, SSH_KEY_PATH',
  'ssh config': '~/.ssh/config says',
  node: 'the cluster and the SSH_ settings say',
};

/** Passwords are sent to the hosts of the settings and to nodes, so nothing but their own source says where those are. */
function refuseOtherWay({ source, spec }: KnownHost, ruled: boolean, edits: readonly HostEdit[]): void {
  const way = edits.map(({ path: [member = ''] }) => member).filter((member) => WAY.includes(member));
  if (way.length > 0 && ruled) {
    throw new Failure(
      'refused',
      `There are rules for commands on ${spec.name}, so how it is reached is not changed by a tool.`,
      'The operator can change it in the inventory file.',
    );
  }
  if (way.length === 0 || source === 'inventory') return;
  throw new Failure(
    'refused',
    `How ${spec.name} is reached is what ${PLACES[source]}; nothing was changed.`,
    'Change it there. The rest can be set here: name, purpose, tags, default, webhook, limits.',
  );
}

/** Without the rules nobody can tell what may run. */
const withoutRules = ({ cause, cure }: Problem): Failure =>
  new Failure('misconfigured', `${cause} It may have rules for commands, so none is run.`, cure);

const readOnly = (): Failure =>
  new Failure(
    'refused',
    'The inventory file is not changed in read-only mode.',
    'The operator can set MCP_MODE=guarded.',
  );

const noFile = (): Failure =>
  new Failure('misconfigured', 'There is no inventory file: MCP_INVENTORY_FILE is none.', 'Set it to a path.');

function noUsual(hosts: readonly KnownHost[]): Failure {
  const names = hosts.slice(0, 5).map(({ spec }) => spec.name);
  if (names.length === 0) {
    return new Failure('not-found', 'No host is known.', 'Set SSH_HOST, or describe hosts in the inventory file.');
  }
  const more = hosts.length > names.length ? ', …' : '';
  return new Failure(
    'invalid-input',
    `No host was named, ${hosts.length} are known, and none of them is the default.`,
    `Name one (${names.join(', ')}${more}), or make one the default: ssh_host_set with its name and default true.`,
  );
}

/** Every name in order, with the host or why there is none. */
function sorted(book: HostBook): { readonly name: string; readonly host?: KnownHost; readonly why?: string }[] {
  return [...book.names.keys()]
    .toSorted((a, b) => a.localeCompare(b))
    .map((name) => {
      try {
        return { name, host: book.host(name) };
      } catch (error) {
        if (error instanceof Failure) return { name, why: error.message };
        throw error;
      }
    });
}

/** By name, else by the address that one host alone has. */
function pick(book: HostBook, name: string, { settings }: Pick<Loaded, 'settings'>): KnownHost | undefined {
  if (book.names.has(name)) return book.host(name);
  if (book.main !== undefined && name === settings.sshHost) return book.host(book.main);
  const [only, ...others] = sorted(book).flatMap(({ host }) => (host?.spec.address === name ? [host] : []));
  return others.length === 0 ? only : undefined;
}

function unknown(name: string, names: readonly string[], noted: boolean, problems: readonly Problem[]): Failure {
  const near = names
    .map((each) => ({ each, far: distance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, far }) => far <= Math.max(2, Math.floor(each.length / 3)))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ each }) => each);
  const guess =
    near.length > 0
      ? `Did you mean ${near.join(' or ')}?`
      : 'ssh_host_list shows the hosts there are, and so does `proxmox-ssh-mcp hosts`.';
  const [problem] = problems;
  const where = noted ? ' that is known: the inventory file says no address of it, and nothing else does now' : '';
  const text = `There is no host called "${name}"${where}.`;
  return new Failure('not-found', text, problem ? `${guess} Also: ${problem.cause}` : guess, {
    facts: near.length > 0 ? { nearest: near } : {},
  });
}

/** The nodes as last told; asked one at a time, waited for a short while, and kept when the API does not answer. */
function rememberNodes(
  ask: () => Promise<readonly ClusterNode[]>,
): (again: boolean) => Promise<readonly ClusterNode[]> {
  let known: readonly ClusterNode[] = [];
  let told = Number.NEGATIVE_INFINITY;
  let tried = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const refresh = async (): Promise<void> => {
    try {
      known = await ask();
      told = performance.now();
    } catch {
      // The tools that need the API say what is wrong with it; hosts known from elsewhere can be used meanwhile.
    } finally {
      asking = undefined;
    }
  };
  return async (again) => {
    const now = performance.now();
    const wanted = told === Number.NEGATIVE_INFINITY || (again && now - told > NODES_FRESH_MS);
    if (wanted && !asking && now - tried > NODES_RETRY_MS) {
      tried = now;
      asking = refresh();
    }
    if (asking) await within(asking, tried + NODES_WITHIN_MS - now);
    return known;
  };
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
