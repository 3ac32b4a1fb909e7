import { Failure } from '../failure.ts';
import type { HostSpec } from '../ssh/client.ts';
import type { CommandRules, KnownHost } from '../toolsets/tool.ts';
import { clusterOfHost, refuseOthers } from './hostcluster.ts';
import { HOST_NAME, type HostEntry } from './hostsfile.ts';
import type { Loaded } from './load.ts';
import { oneSpelling } from './sameaddress.ts';
import type { Key, Settings } from './settings.ts';
import type { SshConfig, SshOptions } from './sshconfig.ts';

/** A node of the cluster, as /cluster/status tells it; `local` is the one that answers the API. */
export interface ClusterNode {
  readonly name: string;
  readonly address?: string;
  readonly local?: boolean;
  /** The further cluster that it belongs to, whose name its own ends with: `pve1.attic`. */
  readonly cluster?: string;
}

export interface HostSources {
  readonly loaded: Pick<Loaded, 'settings' | 'sources'>;
  readonly inventory: ReadonlyMap<string, HostEntry>;
  /** The rules for commands everywhere. */
  readonly commands?: CommandRules;
  readonly sshConfig: SshConfig;
  readonly nodes: readonly ClusterNode[];
  /** The cluster of the settings, where there are others. */
  readonly mainCluster?: string;
  /** Who ssh(1) would log in as, where ~/.ssh/config does not say. */
  readonly localUser?: string;
  readonly home: string;
  exists(path: string): boolean;
}

/** All that is said of one name. `ours` are the main host and the nodes of its cluster: settings and passwords are for them. */
interface Said {
  readonly ours: boolean;
  readonly key: string;
  /** The entry of the inventory file that says how it is reached. */
  readonly file?: HostEntry;
  /** The same with what is said of it under another name that it goes by. */
  readonly about?: HostEntry;
  readonly options: SshOptions;
  readonly node?: ClusterNode;
}

/** Makes complete host specifications out of all that is said of a name, by whatever source. */
export class HostBook {
  /** The name of the host that SSH_HOST means. */
  readonly main?: string;
  /** Every name with the first source that has it. */
  readonly names: ReadonlyMap<string, KnownHost['source']>;
  readonly #settings: Settings;

  constructor(private readonly from: HostSources) {
    this.#settings = from.loaded.settings;
    this.main = this.#mainName();
    // What SSH_HOST names is the main host, by whatever name that goes.
    const others = (names: readonly string[]) =>
      names.filter((name) => HOST_NAME.test(name) && name !== this.#settings.sshHost);
    this.names = new Map([
      ...from.nodes.map(({ name }) => [name, 'node'] as const),
      ...others(from.sshConfig.names).map((name) => [name, 'ssh config'] as const),
      ...others(this.#described()).map((name) => [name, 'inventory'] as const),
      ...(this.main === undefined ? [] : [[this.main, 'settings'] as const]),
    ]);
  }

  /** A known host with all its hops. A jump in a circle, and a ProxyCommand, are `misconfigured`. */
  host(name: string): KnownHost {
    const { about = {} } = this.#said(name);
    const { displayName, purpose, tags, default: usual, webhook } = about;
    const source = this.names.get(name) ?? 'ssh config';
    const spec = this.#spec(name, []);
    const rules = this.#rules(name, spec);
    return { spec, source, displayName, purpose, tags, usual, webhook, rules, cluster: this.#cluster(name, spec) };
  }

  /** As the inventory file says, or by name and address; undefined where there is one cluster. */
  #cluster(name: string, { address }: HostSpec): string | undefined {
    const { nodes, mainCluster } = this.from;
    if (mainCluster === undefined) return undefined;
    return this.#said(name).about?.cluster ?? clusterOfHost(name, address, { nodes, mainCluster });
  }

  /** Those for every place and those of the host, by whatever name its address or its key goes in the file. */
  #rules(name: string, { address, hostKeyAlias }: HostSpec): CommandRules | undefined {
    const { key } = this.#said(name);
    const names = spellings(address, hostKeyAlias);
    const own = [...this.from.inventory].filter(([other, { commands }]) => {
      if (commands === undefined || other === name || other === key) return commands !== undefined;
      const said = this.#said(other);
      const theirs = spellings(addressOf(said), said.file?.hostKeyAlias ?? said.options.hostKeyAlias);
      return theirs.some((one) => names.includes(one));
    });
    const all = [this.from.commands, ...own.map(([, entry]) => entry.commands)].filter((one) => one !== undefined);
    return all.length > 0 ? together(all) : undefined;
  }

  /** The name that the inventory file has an entry under, or would have. */
  entryName(name: string): string {
    const { key } = this.#said(name);
    return this.from.inventory.has(name) || !this.from.inventory.has(key) ? name : key;
  }

  /** The names of the inventory file that it says an address of; a pattern of ~/.ssh/config may say it too. */
  #described(): string[] {
    const { inventory, sshConfig } = this.from;
    const isDescribed = (name: string, { address }: HostEntry) =>
      address !== undefined || (!sshConfig.names.includes(name) && sshConfig.lookup(name).hostName !== undefined);
    return [...inventory].flatMap(([name, entry]) => (isDescribed(name, entry) ? [name] : []));
  }

  /** Never by likeness: a main host taken for the wrong node would run commands on the wrong machine. */
  #mainName(): string | undefined {
    const { sshHost, proxmoxHost = [] } = this.#settings;
    if (sshHost === undefined) return undefined;
    const { nodes, sshConfig } = this.from;
    const own = nodes.filter(({ cluster }) => cluster === undefined);
    const address = this.from.inventory.get(sshHost)?.address ?? sshConfig.lookup(sshHost).hostName;
    const node =
      // Of several endpoints, nobody can tell which one answered as the local node.
      own.find(({ local }) => local && proxmoxHost.length === 1 && sshHost === proxmoxHost[0]?.host) ??
      own.find(
        (each) => [sshHost, address].includes(each.name) || (each.address && [sshHost, address].includes(each.address)),
      );
    return node?.name ?? (HOST_NAME.test(sshHost) ? sshHost : 'main');
  }

  #said(name: string): Said {
    const source = this.names.get(name);
    const key = source === 'settings' ? (this.#settings.sshHost ?? name) : name;
    const file = this.from.inventory.get(key);
    const node = source === 'node' ? this.from.nodes.find((each) => each.name === name) : undefined;
    return {
      key,
      ours: source === 'settings' || (node !== undefined && node.cluster === undefined),
      file,
      about: { ...this.from.inventory.get(name), ...file },
      options: this.from.sshConfig.lookup(key),
      node,
    };
  }

  #spec(name: string, trail: readonly string[]): HostSpec {
    if (trail.includes(name)) throw circle([...trail, name]);
    const said = this.#said(name);
    const { file, about, options, node } = said;
    if (file?.address === undefined && node?.cluster !== undefined) this.#refuseOthers(node);
    const agent = this.#agent(options);
    const keyPath = this.#set(said, 'sshKeyPath') ?? this.#keyFile(said, agent !== undefined);
    const { sshKeyPassphrase, sshPassword, sshSudoPassword } = this.#settings;
    return {
      name,
      address: addressOf(said),
      port: this.#set(said, 'sshPort') ?? file?.port ?? options.port ?? 22,
      user: this.#set(said, 'sshUser') ?? file?.user ?? options.user ?? this.#defaultUser(name),
      keyPath,
      keyPassphrase: keyPath === this.#settings.sshKeyPath ? sshKeyPassphrase : undefined,
      password: said.ours ? sshPassword : undefined,
      sudoPassword: said.ours ? sshSudoPassword : undefined,
      agent,
      via: this.#via(name, said, [...trail, name]),
      hostKeyAlias: file?.hostKeyAlias ?? options.hostKeyAlias,
      identitiesOnly: options.identitiesOnly,
      limits: about?.limits,
      notes: options.skipped.map((what) => `Note: ~/.ssh/config decides by ${what}, which is never evaluated.`),
    };
  }

  #refuseOthers(node: ClusterNode): void {
    const { nodes, mainCluster = '' } = this.from;
    const { sshHost, proxmoxHost = [] } = this.#settings;
    refuseOthers(node, [sshHost, ...proxmoxHost.map(({ host }) => host)], { nodes, mainCluster });
  }

  /** The value of a setting, where an operator set it and it is about this host. */
  #set<K extends Key>({ ours }: Said, key: K): Settings[K] | undefined {
    return ours && this.from.loaded.sources[key] !== 'default' ? this.#settings[key] : undefined;
  }

  /** As ssh(1) does it, the public key will do where an agent may have the private one. */
  #keyFile({ file, options }: Said, hasAgent: boolean): string | undefined {
    if (file?.keyPath) return file.keyPath.replace(/^~(?=\/)/, () => this.from.home);
    const files = options.identityFiles.filter((path) => path !== 'none');
    const halves = files.map((path) => path.replace(/(\.pub)?$/, '.pub'));
    const found =
      files.find((path) => !path.endsWith('.pub') && this.from.exists(path)) ??
      (hasAgent ? halves.find((path) => this.from.exists(path)) : undefined);
    const none = options.identityFiles.length > 0 && files.length === 0;
    return found ?? (none ? undefined : this.#settings.sshKeyPath);
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
  #via(name: string, { file, options, node, ours }: Said, trail: readonly string[]): readonly HostSpec[] | undefined {
    const jumps = file?.via === undefined ? options.jumps : [file.via].flat();
    if (jumps === undefined && options.proxyCommand !== undefined) throw proxyCommand(name, options.proxyCommand);
    if (jumps === undefined) return node && ours && this.main ? this.#spec(this.main, trail).via : undefined;
    const hops = jumps.map((jump) => this.#hop(jump, trail));
    // As ssh(1) does it, only the way to the first hop is looked up: each further one is reached from the one before.
    return [...(hops[0]?.via ?? []), ...hops.map((hop) => ({ ...hop, via: undefined }))];
  }

  #hop(jump: string, trail: readonly string[]): HostSpec {
    const match = /^(?:ssh:\/\/)?(?:(.+)@)?(\[[^\]]+\]|[^:@/]+)(?::(\d+))?\/?$/.exec(jump);
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

const spellings = (...names: readonly (string | undefined)[]): string[] =>
  names.flatMap((name) => (name === undefined ? [] : oneSpelling(name)));

const addressOf = ({ file, node, options, key }: Said): string =>
  file?.address ?? node?.address ?? options.hostName ?? key;

/** The lists put together; of `otherwise` the stricter. */
function together(all: readonly CommandRules[]): CommandRules {
  const joined = (list: 'allow' | 'ask' | 'deny'): readonly string[] | undefined => {
    const given = all.flatMap((one) => (one[list] ? [one[list]] : []));
    return given.length > 0 ? given.flat() : undefined;
  };
  const wishes = all.map(({ otherwise }) => otherwise);
  const otherwise = (['deny', 'ask'] as const).find((one) => wishes.includes(one));
  return { allow: joined('allow'), ask: joined('ask'), deny: joined('deny'), otherwise };
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
    `~/.ssh/config reaches ${name} by ProxyCommand (${command}), which is never run.`,
    'Use ProxyJump, or give the host a "via" in the inventory file.',
  );
