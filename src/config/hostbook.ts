import { Failure } from '../failure.ts';
import type { HostSpec } from '../ssh/client.ts';
import type { KnownHost } from '../toolsets/tool.ts';
import { HOST_NAME, type HostEntry } from './hostsfile.ts';
import type { Loaded } from './load.ts';
import type { Problem } from './problem.ts';
import type { Key, Settings } from './settings.ts';
import type { SshConfig, SshOptions } from './sshconfig.ts';

/** A node of the cluster, as /cluster/status tells it; `local` is the one that answers the API. */
export interface ClusterNode {
  readonly name: string;
  readonly address?: string;
  readonly local?: boolean;
}

export interface HostSources {
  readonly loaded: Pick<Loaded, 'settings' | 'sources'>;
  readonly inventory: ReadonlyMap<string, HostEntry>;
  readonly sshConfig: SshConfig;
  readonly nodes: readonly ClusterNode[];
  /** Who ssh(1) would log in as, where ~/.ssh/config does not say. */
  readonly localUser?: string;
  readonly home: string;
  exists(path: string): boolean;
}

/** All that is said of one name. `ours` are the main host and cluster nodes: settings and passwords are for them. */
interface Said {
  readonly ours: boolean;
  readonly key: string;
  readonly file?: HostEntry;
  readonly options: SshOptions;
  readonly node?: ClusterNode;
}

/** Makes complete host specifications out of all that is said of a name, by whatever source. */
export class HostBook {
  /** The name of the host that SSH_HOST means. */
  readonly main?: string;
  /** Every name with the first source that has it. */
  readonly names: ReadonlyMap<string, KnownHost['source']>;
  /** What is wrong with ~/.ssh/config. */
  readonly problems: readonly Problem[];
  readonly #settings: Settings;

  constructor(private readonly from: HostSources) {
    this.problems = from.sshConfig.problems;
    this.#settings = from.loaded.settings;
    this.main = this.#mainName();
    // What SSH_HOST names is the main host, by whatever name that goes.
    const others = (names: readonly string[]) =>
      names.filter((name) => HOST_NAME.test(name) && name !== this.#settings.sshHost);
    this.names = new Map([
      ...from.nodes.map(({ name }) => [name, 'node'] as const),
      ...others(from.sshConfig.names).map((name) => [name, 'ssh config'] as const),
      ...others([...from.inventory.keys()]).map((name) => [name, 'inventory'] as const),
      ...(this.main === undefined ? [] : [[this.main, 'settings'] as const]),
    ]);
  }

  /** A known host with all its hops. A jump in a circle, and a ProxyCommand, are `misconfigured`. */
  host(name: string): KnownHost {
    const { file } = this.#said(name);
    const source = this.names.get(name) ?? 'ssh config';
    return { spec: this.#spec(name, []), source, purpose: file?.purpose, tags: file?.tags };
  }

  /** Never by likeness: a main host taken for the wrong node would run commands on the wrong machine. */
  #mainName(): string | undefined {
    const { sshHost, proxmoxHost = [] } = this.#settings;
    if (sshHost === undefined) return undefined;
    const { nodes, sshConfig } = this.from;
    const address = this.from.inventory.get(sshHost)?.address ?? sshConfig.lookup(sshHost).hostName;
    const node =
      // Of several endpoints, nobody can tell which one answered as the local node.
      nodes.find(({ local }) => local && proxmoxHost.length === 1 && sshHost === proxmoxHost[0]?.host) ??
      nodes.find(
        (each) => [sshHost, address].includes(each.name) || (each.address && [sshHost, address].includes(each.address)),
      );
    return node?.name ?? (HOST_NAME.test(sshHost) ? sshHost : 'main');
  }

  #said(name: string): Said {
    const source = this.names.get(name);
    const key = source === 'settings' ? (this.#settings.sshHost ?? name) : name;
    return {
      key,
      ours: source === 'settings' || source === 'node',
      file: this.from.inventory.get(key),
      options: this.from.sshConfig.lookup(key),
      node: source === 'node' ? this.from.nodes.find((each) => each.name === name) : undefined,
    };
  }

  #spec(name: string, trail: readonly string[]): HostSpec {
    if (trail.includes(name)) throw circle([...trail, name]);
    const said = this.#said(name);
    const { file, options, node, key } = said;
    const keyPath = this.#set(said, 'sshKeyPath') ?? this.#keyFile(said) ?? this.#settings.sshKeyPath;
    const { sshKeyPassphrase, sshPassword, sshSudoPassword } = this.#settings;
    return {
      name,
      address: file?.address ?? node?.address ?? options.hostName ?? key,
      port: this.#set(said, 'sshPort') ?? file?.port ?? options.port ?? 22,
      user: this.#set(said, 'sshUser') ?? file?.user ?? options.user ?? this.#defaultUser(name),
      keyPath,
      keyPassphrase: keyPath === this.#settings.sshKeyPath ? sshKeyPassphrase : undefined,
      password: said.ours ? sshPassword : undefined,
      sudoPassword: said.ours ? sshSudoPassword : undefined,
      agent: this.#agent(options),
      via: this.#via(name, said, [...trail, name]),
    };
  }

  /** The value of a setting, where an operator set it and it is about this host. */
  #set<K extends Key>({ ours }: Said, key: K): Settings[K] | undefined {
    return ours && this.from.loaded.sources[key] !== 'default' ? this.#settings[key] : undefined;
  }

  #keyFile({ file, options }: Said): string | undefined {
    if (file?.keyPath) return file.keyPath.replace(/^~(?=\/)/, () => this.from.home);
    return options.identityFiles.find((path) => !path.endsWith('.pub') && this.from.exists(path));
  }

  #defaultUser(name: string): string {
    const byOpenSsh = this.names.get(name) === 'ssh config' || !this.names.has(name);
    return (byOpenSsh && this.from.localUser) || this.#settings.sshUser;
  }

  #agent({ identityAgent }: SshOptions): string | undefined {
    const { sshAgent } = this.#settings;
    if (this.from.loaded.sources.sshAgent !== 'default') return sshAgent;
    if (identityAgent === undefined || identityAgent === 'SSH_AUTH_SOCK') return sshAgent;
    return identityAgent === 'none' ? undefined : identityAgent;
  }

  /** The hops of one host. A node without any of its own is reached as the main host is. */
  #via(name: string, { file, options, node }: Said, trail: readonly string[]): readonly HostSpec[] | undefined {
    const jumps = file?.via === undefined ? options.jumps : [file.via].flat();
    if (jumps === undefined && options.proxyCommand !== undefined) throw proxyCommand(name, options.proxyCommand);
    if (jumps === undefined) return node && this.main ? this.#spec(this.main, trail).via : undefined;
    const hops = jumps.map((jump) => this.#hop(jump, trail));
    // As ssh(1) does it, only the way to the first hop is looked up: each further one is reached from the one before.
    return [...(hops[0]?.via ?? []), ...hops.map((hop) => ({ ...hop, via: undefined }))];
  }

  #hop(jump: string, trail: readonly string[]): HostSpec {
    const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?\/?$/.exec(jump);
    if (!match?.[2]) {
      const text = `"${jump}" is not a host to jump through.`;
      throw new Failure('misconfigured', text, 'Write [user@]host[:port] in ProxyJump or "via".');
    }
    const [, user, host, port] = match;
    const address = host.replace(/^\[(.*)\]$/, '$1');
    const spec = this.#spec(this.main !== undefined && address === this.#settings.sshHost ? this.main : address, trail);
    const other = port === undefined ? {} : { name: `${host}:${port}`, port: Number(port) };
    return { ...spec, user: user ?? spec.user, ...other };
  }
}

const circle = (trail: readonly string[]): Failure =>
  new Failure(
    'misconfigured',
    `The way to ${trail[0]} goes in a circle: ${trail.join(' through ')}.`,
    'Correct ProxyJump in ~/.ssh/config or "via" in the inventory file.',
  );

const proxyCommand = (name: string, command: string): Failure =>
  new Failure(
    'misconfigured',
    `~/.ssh/config reaches ${name} by ProxyCommand (${command}), which is not supported.`,
    'Use ProxyJump, or give the host a "via" in the inventory file.',
  );
