import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import type { Hosts, KnownHost } from '../toolsets/tool.ts';
import { type ClusterNode, HostBook } from './hostbook.ts';
import { readHostsFile } from './hostsfile.ts';
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
}

export interface Inventory extends Hosts {
  /** What is wrong with the inventory file, which is read for it; ~/.ssh/config is read when a host is asked for. */
  problems(): readonly Problem[];
}

/** SSH must not wait for an API that is down: after this, the nodes known so far are all there are. */
const NODES_WITHIN_MS = 3_000;
const NODES_FRESH_MS = 60_000;
const NODES_RETRY_MS = 10_000;

/** Every host an operator may name, of all sources. The files are read anew when they have changed. */
export function createHosts(loaded: Pick<Loaded, 'settings' | 'sources'>, around: HostsAround): Inventory {
  const { inventoryFile, sshConfig: sshConfigFile } = loaded.settings;
  const nodes = rememberNodes(around.nodes);
  const hostsFile = remembered(around, (disk) => readHostsFile(inventoryFile, disk.readFile));
  const sshConfigOf = remembered(around, (disk) => readSshConfig(sshConfigFile, disk, around.home));
  const bookOf = async (askAgain: boolean): Promise<HostBook> => {
    const [known, sshConfig] = await Promise.all([nodes(askAgain), sshConfigOf()]);
    const inventory = hostsFile().hosts;
    return new HostBook({ ...around, loaded, inventory, sshConfig, nodes: known });
  };
  const problems = (): readonly Problem[] => {
    const { problem } = hostsFile();
    return problem ? [problem] : [];
  };
  return {
    problems,
    async list() {
      const book = await bookOf(true);
      return usable(book).toSorted((a, b) => a.spec.name.localeCompare(b.spec.name));
    },
    async find(name) {
      const book = await bookOf(false);
      const found = pick(book, name, loaded) ?? pick(await bookOf(true), name, loaded);
      if (found) return found;
      throw unknown(name, [...book.names.keys()], [...problems(), ...book.problems]);
    },
  };
}

/** By name, else by the address that one host alone has. */
function pick(book: HostBook, name: string, { settings }: Pick<Loaded, 'settings'>): KnownHost | undefined {
  if (book.names.has(name)) return book.host(name);
  if (book.main !== undefined && name === settings.sshHost) return book.host(book.main);
  const [only, ...others] = usable(book).filter(({ spec }) => spec.address === name);
  return others.length === 0 ? only : undefined;
}

/** The hosts that can be reached as they are described; `find` says why of the others. */
function usable(book: HostBook): KnownHost[] {
  return [...book.names.keys()].flatMap((name) => {
    try {
      return [book.host(name)];
    } catch (error) {
      if (error instanceof Failure) return [];
      throw error;
    }
  });
}

function unknown(name: string, names: readonly string[], problems: readonly Problem[]): Failure {
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
  const text = `There is no host called "${name}".`;
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
