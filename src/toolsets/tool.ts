import { z } from 'zod';
import type { PageName } from '../pages/page.ts';
import type { Answer, Facts } from '../present/answer.ts';
import type { Pve } from '../pve/client.ts';
import type { ReadSchema } from '../pve/schema.ts';
import type { Secret } from '../secret.ts';
import type { Command, CommandResult, HostConnection, HostSpec, Streams } from '../ssh/client.ts';
import type { HostKeys } from '../ssh/hostkeys.ts';
import type { JobRun, Jobs } from '../ssh/jobs.ts';
import type { Reading } from '../ssh/reading.ts';
import type { Sessions } from '../ssh/sessions.ts';

/**
 * What a tool does to the world, the one word from which policy and all MCP hints derive: `read` changes nothing,
 * `change` can be undone, `destroy` cannot, `execute` runs an arbitrary command.
 */
export type Effect = 'read' | 'change' | 'destroy' | 'execute';

/** Where a tool belongs; `server` is always there, so that something can say what is wrong. */
export type Toolset = 'pve' | 'ssh' | 'server';

/** What an operator chooses from, one or more: the tools marked `core`, all of them, or those of one toolset. */
export type ToolChoice = 'core' | 'full' | 'pve' | 'ssh';

/** Whether tools of that toolset may be among the chosen ones. */
export const reaches = (chosen: readonly ToolChoice[], toolset: 'pve' | 'ssh'): boolean =>
  chosen.some((one) => one === 'core' || one === 'full' || one === toolset);

/** What a human reads before a call is let through, made from live state. */
export interface Preview {
  /** A few lines: what will happen to what, and what is lost. */
  readonly message: string;
  /** What must still be the same when the answer comes. Nothing that changes by itself, such as an uptime. */
  readonly state: Facts;
}

/**
 * What an operator says of commands. A pattern is a whole command: `*` stands for any text of a word, `?` for one
 * character, and `*` as the last word for any further words. `otherwise` is what becomes of the rest; without it, it is asked where `allow` is there.
 */
export interface CommandRules {
  readonly allow?: readonly string[];
  readonly ask?: readonly string[];
  readonly deny?: readonly string[];
  readonly otherwise?: 'ask' | 'deny';
}

/** Commands that a call would run, with the rules that hold where they would run. */
export interface PlacedCommands {
  /** As an operator calls it. */
  readonly place: string;
  readonly rules: CommandRules;
  readonly script: string;
  readonly stdin?: string;
  /** What runs is not told by the script alone: it gets an environment, or a program reads it. */
  readonly opaque?: boolean;
}

/** The hosts that an operator may name, by inventory. */
export interface Hosts {
  /** Every known host: settings, inventory file, ~/.ssh/config, nodes of the cluster; sorted by name. */
  list(): Promise<readonly KnownHost[]>;
  /** The host of that name (node names included), or a `not-found` Failure with the nearest names. */
  find(name: string): Promise<KnownHost>;
  /** The host that a node of the call's cluster is. */
  ofNode(node: string): Promise<KnownHost>;
  /** The host that is meant where none is named: the one marked so, else the only one; else `invalid-input`. */
  usual(): Promise<KnownHost>;
  /**
   * The rules for commands at every place, undefined where the inventory file has none for any. `misconfigured` when the
   * file cannot be used and may have some.
   */
  rules(): { readonly file: string; readonly everywhere: CommandRules } | undefined;
  /** What is named somewhere and cannot be reached as it is described, with why. */
  unusable(): Promise<readonly { readonly name: string; readonly why: string }[]>;
  /**
   * Changes members of the host's entry in the inventory file, all of them or none; an entry that is not there is made.
   * Refused in read-only mode, and for the way to a host that another source describes.
   */
  change(name: string, edits: readonly HostEdit[]): Promise<HostChange>;
}

/** A member of an inventory entry, as `['limits', 'concurrent']`; without a value it is taken out. */
export interface HostEdit {
  readonly path: readonly string[];
  readonly value?: string | number | boolean | readonly string[];
}

/** The entry of a host as it was, undefined when there was none, and as it is now. */
export interface HostChange {
  readonly file: string;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  /** The host that was the default until now. */
  readonly formerDefault?: string;
}

export interface KnownHost {
  readonly spec: HostSpec;
  /** Where it is known from: `settings`, `inventory`, `ssh config`, `node`. */
  readonly source: 'settings' | 'inventory' | 'ssh config' | 'node';
  readonly displayName?: string;
  readonly purpose?: string;
  readonly tags?: readonly string[];
  /** The one that is meant where a call names none. */
  readonly usual?: boolean;
  readonly webhook?: string;
  /** The rules for commands on it, those for every place among them. */
  readonly rules?: CommandRules;
  /** The cluster that it belongs to, where there are several. */
  readonly cluster?: string;
}

/** What was learned of a host when it was last looked at; ms since 1970. */
export interface Learned {
  readonly at: number;
  readonly capabilities: readonly string[];
}

/** What was learned of hosts, by this process and by those before it. */
export interface Memory {
  /** By name; a host that is reached in another way than then is not in it. */
  of(hosts: readonly HostSpec[]): ReadonlyMap<string, Learned>;
  keep(host: HostSpec, learned: Learned): void;
}

/** SSH as tools see it. */
export interface Shell {
  /** Refused in read-only mode. A job's is ended with the job, and its output is the job's; any other's with the call. */
  run(host: HostSpec, command: Command, streams?: Streams, job?: JobRun): Promise<CommandResult>;
  /** Runs what changes nothing, in every mode. */
  look(
    host: HostSpec,
    reading: Reading,
    args: readonly string[],
    command: Omit<Command, 'script'>,
    streams?: Streams,
  ): Promise<CommandResult>;
  connection(host: HostSpec): HostConnection;
  /** Commands that no call waits for. */
  readonly jobs: Jobs;
  /** Shells that stay. None is opened in read-only mode. */
  readonly sessions: Sessions;
  readonly hosts: Hosts;
  readonly memory: Memory;
  /** None is accepted in read-only mode. */
  readonly keys: HostKeys;
}

/** What the operator set up, for server_status and for messages; never a secret. */
export interface Setup {
  readonly version: string;
  readonly mode: 'read-only' | 'guarded' | 'ask' | 'trusted';
  readonly toolsets: readonly ToolChoice[];
  readonly protectedGuests: readonly number[];
  /** The further cluster that its mode and its protected guests are of. */
  readonly cluster?: string;
  /** All clusters with their modes, where there are several. */
  readonly clusters?: readonly { readonly name: string; readonly mode: Setup['mode'] }[];
  readonly auditFile: string;
  readonly settingsFile?: string;
  /** `user@realm!tokenid`, when one is set. */
  readonly token?: string;
  /** How long one call may wait for a task before it hands back the UPID. */
  readonly taskWaitMs: number;
  /** How long a command may run when the call does not say. */
  readonly commandTimeoutMs: number;
  /** The only folder of this machine that files are sent from and fetched to; absolute. */
  readonly transferDir: string;
  /** What is wrong with the configuration, each with its cure. */
  readonly problems: readonly { readonly cause: string; readonly cure: string }[];
}

/** Where the operator says which mode is set and which guests are protected, in words for them. */
export const settingsOf = ({ cluster }: Pick<Setup, 'cluster'>) => ({
  mode: (mode: Setup['mode']): string =>
    cluster === undefined ? `MCP_MODE=${mode}` : `"mode": "${mode}" of ${cluster} in the inventory file`,
  protectedGuests:
    cluster === undefined ? 'MCP_PROTECTED_GUESTS' : `"protectedGuests" of ${cluster} in the inventory file`,
});

/** What a node is called as a host: one of a further cluster has its name too, since two may well have a `pve` each. */
export const nodeHost = (node: string, cluster: string | undefined): string =>
  cluster === undefined ? node : `${node}.${cluster}`;

/** One of several clusters, for a tool that looks at all of them. */
export interface ClusterView {
  readonly name: string;
  readonly pve: Pve;
  readonly setup: Setup;
}

/** Everything a tool may use. It lives for one call. */
export interface ToolContext {
  /** The API of the cluster that the call is about. */
  readonly pve: Pve;
  /** The name of that cluster; undefined where there is one alone. */
  readonly cluster?: string;
  /** All clusters, where there are several and a tool that spans them was told of none. */
  readonly clusters?: readonly ClusterView[];
  /** The API as the server itself describes it; the first call may fetch it. */
  readonly schema: ReadSchema;
  readonly ssh: Shell;
  readonly setup: Setup;
  /** Aborts when the client cancels the call or the server shuts down. */
  readonly signal: AbortSignal;
  /** Tells a waiting human how far it is. */
  progress(message: string): void;
  /**
   * Makes a random password, keeps it in a file that only the operator may read, and takes it out of everything that
   * is told from then on. `label` names the file; a `misconfigured` Failure when it cannot be written.
   */
  keepSecret(label: string): Promise<{ readonly value: Secret; readonly file: string }>;
  /** Writes a text into a new file that only the operator may read, and gives its path, else `misconfigured`. */
  saveFile(name: string, text: string): Promise<string>;
}

/** A tool as its file defines it; `Input` follows from `input`. */
export interface ToolSpec<Shape extends z.ZodRawShape> {
  /** `pve_guest_list`: toolset, noun, verb. At most 64 characters with the client's prefix. */
  readonly name: string;
  readonly title: string;
  readonly effect: Effect;
  /** What it does, what it needs, what it gives; under 400 characters. */
  readonly summary: string;
  /** Words a user might say that are not in the name or the summary. */
  readonly search: string;
  readonly input: Shape;
  /** The page that shows its answer, in clients that show pages. */
  readonly page?: PageName;
  /** Looks at all clusters where there are several and none is named. */
  readonly spans?: true;
  /** Belongs to the set that is there unless the operator chooses another one. */
  readonly core?: true;
  /** Every guest that the input names in other ways than by `guest`, `vmid` or `target`: VMIDs or names, unused ones too. */
  readonly touches?: (input: z.infer<z.ZodObject<Shape>>, context?: ToolContext) => readonly (string | number)[];
  /** Asked of a human before it runs, where policy says so. Every `destroy` tool has one. */
  readonly confirm?: (input: z.infer<z.ZodObject<Shape>>, context: ToolContext) => Promise<Preview>;
  /**
   * Asked of a human whatever the mode, because no setting may let a model do it by itself. Says how a human does it
   * without this server, for a client that cannot ask one.
   */
  readonly human?: string;
  /** Why this very input should be asked about even in `guarded` mode; `undefined` when it need not be. */
  readonly alarm?: (input: z.infer<z.ZodObject<Shape>>, context?: ToolContext) => string | undefined;
  /** The commands that this input would run, with their rules. Every `execute` tool has it; nothing runs that is not in it. */
  readonly commands?: (input: z.infer<z.ZodObject<Shape>>, context: ToolContext) => Promise<readonly PlacedCommands[]>;
  readonly run: (input: z.infer<z.ZodObject<Shape>>, context: ToolContext) => Promise<Answer>;
}

/** A tool as the registry holds it: its input is parsed by the gate, so `run` takes what `schema` gave. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly effect: Effect;
  readonly toolset: Toolset;
  readonly summary: string;
  readonly search: string;
  readonly schema: z.ZodObject;
  readonly core?: true;
  readonly page?: PageName;
  readonly spans?: true;
  /** The clusters that its input may name, where there are several. */
  readonly clusters?: readonly string[];
  readonly human?: string;
  touches?(input: unknown, context?: ToolContext): readonly (string | number)[];
  confirm?(input: unknown, context: ToolContext): Promise<Preview>;
  alarm?(input: unknown, context?: ToolContext): string | undefined;
  commands?(input: unknown, context: ToolContext): Promise<readonly PlacedCommands[]>;
  run(input: unknown, context: ToolContext): Promise<Answer>;
}

const define =
  (toolset: Toolset) =>
  <Shape extends z.ZodRawShape>(spec: ToolSpec<Shape>): Tool => {
    const { input, ...rest } = spec;
    return { ...rest, toolset, schema: z.strictObject(input) } as Tool;
  };

export const definePveTool = define('pve');
export const defineSshTool = define('ssh');
export const defineServerTool = define('server');
