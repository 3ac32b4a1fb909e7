import type { RemoteText } from '../present/answer.ts';
import type { Secret } from '../secret.ts';

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
}

/** One command line or script, and everything about how it is to be run. */
export interface Command {
  /** Shell text, one line or many. */
  readonly script: string;
  readonly stdin?: string | Uint8Array;
  /** Absolute directory to run in. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Counted from when the server took the command; what it waited in our queue is not in it. */
  readonly timeoutMs: number;
  /** Run as root by sudo (nothing is wrapped when the login is root already). */
  readonly sudo?: boolean;
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
}

export interface HostConnection {
  readonly state: 'idle' | 'connected';
  readonly openChannels: number;
  readonly queued: number;
  readonly lastError?: string;
  /** SHA256:… of the host key that this connection accepted. */
  readonly hostKey?: string;
}

/**
 * SSH to any number of hosts, one kept connection each.
 * A command that ended, whatever its exit code, is a result. Timeout, cancel and a lost connection are Failures whose
 * facts hold `stdout` and `stderr` so far, `remote_process` (a RemoteProcess) and `pids` when some still run.
 */
export interface Ssh {
  run(host: HostSpec, command: Command, options?: RunOptions): Promise<CommandResult>;
  /** What is known of the connection without opening one. */
  connection(host: HostSpec): HostConnection;
  close(): Promise<void>;
}
