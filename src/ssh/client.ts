import type { RemoteText } from '../present/answer.ts';
import type { Secret } from '../secret.ts';
import type { OutputReader } from './output.ts';

/** How to reach and log in to one SSH host. Nothing here is looked up again later: it is complete. */
export interface HostSpec {
  /** The name the operator uses; also how failures speak of it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly keyPath?: string;
  readonly keyPassphrase?: Secret;
  readonly password?: Secret;
  readonly sudoPassword?: Secret;
  /** Path of the agent's socket. */
  readonly agent?: string;
  /** Hosts to go through, first hop first. */
  readonly via?: readonly HostSpec[];
  /** The name that known_hosts has its key under, instead of address and port (HostKeyAlias of ssh_config(5)). */
  readonly hostKeyAlias?: string;
  /** Keys of the agent are offered only when they are the one of `keyPath` (IdentitiesOnly of ssh_config(5)). */
  readonly identitiesOnly?: boolean;
  readonly limits?: HostLimits;
  /** What may lead elsewhere than this says, in sentences; told with every failure to connect. */
  readonly notes?: readonly string[];
}

/** What a host may be asked for at most; what is beyond is told `busy`, with when to come again. */
export interface HostLimits {
  /** Commands begun in any 60 s. */
  readonly commandsPerMinute?: number;
  /** Commands at the same time; those beyond wait. */
  readonly concurrent?: number;
  /** Connections begun in any 60 s. */
  readonly connectsPerMinute?: number;
}

/** One command line or script, and everything about how it is to be run. */
export interface Command {
  /** Shell text, one line or many. */
  readonly script: string;
  readonly stdin?: string | Uint8Array;
  /** Absolute directory to run in. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Counted from when the server took the command; what it waited in our queue is not in it. Infinity: no limit. */
  readonly timeoutMs: number;
  /** Run as root by sudo (nothing is wrapped when the login is root already). */
  readonly sudo?: boolean;
  /** Run as this user of the host, or of the container, instead. */
  readonly user?: string;
  /** Run inside this container of the host, by `pct exec`, as root: a login that is not root goes through sudo. */
  readonly container?: number;
}

export interface CommandResult {
  readonly stdout: RemoteText;
  readonly stderr: RemoteText;
  /** Absent when a signal ended the command, or when the server told no status. */
  readonly exitCode?: number;
  /** Without the SIG prefix, as SSH has it: KILL, TERM. */
  readonly signal?: string;
  readonly durationMs: number;
  /** The command is over, but something it left running in the background still holds its output open. */
  readonly backgroundHoldsOutput?: true;
}

/** What was seen of a command's processes after it was told to stop. */
export type RemoteProcess = 'terminated' | 'still running' | 'unknown';

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called with what came since the last call, at most twice a second. */
  readonly onOutput?: (text: string) => void;
  readonly streams?: Streams;
  /** What keeps the output, where the caller reads it while it comes; it tells of it then, not `onOutput`. */
  readonly output?: OutputReader;
  /** Over a connection of its own, which is closed with it: it goes on for long, and others need the channel. */
  readonly own?: boolean;
}

/** What a command's streams are connected to, where they are not a text that is given and texts that are kept. */
export interface Streams {
  /** What the command reads, in the place of `Command.stdin`; pulled only as fast as the server takes it. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Takes stdout piece by piece, and nothing of it is kept; while its promise is open, no more is read. */
  readonly stdout?: (piece: Buffer) => void | Promise<void>;
  /** Takes what the command itself says on stderr, in the same way; what goes wrong before it runs is kept all the same. */
  readonly stderr?: (piece: Buffer) => void;
  /** The command is over when its output is, not when it has exited; for one that leaves nothing in the background. */
  readonly toTheEnd?: true;
  /** The command runs; `pid` is its shell's, in a container as the container counts. */
  readonly running?: (pid: number) => void;
}

export interface HostConnection {
  readonly state: 'idle' | 'connected';
  readonly openChannels: number;
  readonly queued: number;
  readonly lastError?: string;
  /** When that was, and when something last came from it; ms since 1970. */
  readonly lastErrorAt?: number;
  readonly lastSeen?: number;
  /** Of the last 60 s. */
  readonly commandsLastMinute: number;
  readonly connectsLastMinute: number;
  /** How many sessions the server had given on one connection when it last refused one more (MaxSessions). */
  readonly sessionsGranted?: number;
  /** SHA256:… of the host key that this connection accepted. */
  readonly hostKey?: string;
}

/**
 * SSH to any number of hosts, one kept connection each.
 * A command that ended, whatever its exit code, is a result. Timeout, cancel and a lost connection are Failures whose
 * facts hold `stdout` and `stderr` so far, `remote_process` (a RemoteProcess) and `pids` when some still run. What
 * `streams` throw ends the command, and is thrown again.
 */
export interface Ssh {
  run(host: HostSpec, command: Command, options?: RunOptions): Promise<CommandResult>;
  /** What is known of the connection without opening one. */
  connection(host: HostSpec): HostConnection;
  close(): Promise<void>;
}
