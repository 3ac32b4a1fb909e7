import { z } from 'zod';
import { asFailure, Failure } from '../failure.ts';
import type { Pve, PveCallOptions } from './client.ts';
import { flag, num, text } from './fields.ts';
import { type Guest, readGuest } from './guests.ts';
import { path } from './path.ts';

/** Bytes that a program can be given on standard input (schema of agent/exec). */
export const LARGEST_INPUT = 65_536;

/** How a process inside a VM ended, with what its agent kept of its output. */
export interface AgentEnd {
  readonly exitCode?: number;
  /** Number of the signal that ended it. */
  readonly signal?: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** The streams of which the agent kept the beginning only. */
  readonly cut: readonly ('stdout' | 'stderr')[];
}

const startedShape = z.object({ pid: z.coerce.number().int() });

/**
 * Starts a program of a VM by its guest agent, and gives its pid there. `command` is plain ASCII: a character above
 * U+00FF in it would leave the agent stuck for seconds. `input` travels as one character for each byte (recordings
 * exec-*). A `conflict` Failure says how to get an agent; a `remote-error` that the program could not be started.
 */
export async function startInVm(pve: Pve, guest: Guest, command: readonly string[], input: Buffer): Promise<number> {
  const exec = path`/nodes/${guest.node}/qemu/${guest.vmid}/agent/exec`;
  try {
    return startedShape.parse(await pve.post(exec, { command, 'input-data': input.toString('latin1') })).pid;
  } catch (error) {
    throw agentFailure(guest, asFailure(error), command[0]);
  }
}

const endShape = z.object({
  exited: flag,
  exitcode: num,
  signal: num,
  'out-data': text,
  'err-data': text,
  'out-truncated': flag,
  'err-truncated': flag,
});

const bytes = (data = ''): Buffer => Buffer.from(data, 'latin1');

/**
 * How a process ended, or undefined while it runs. The agent tells an end once and forgets it, so only one may ask, and
 * no question may be broken off; a VM that moved is asked at its new node. `outcome-unknown` when nobody knows any more.
 */
export async function endInVm(pve: Pve, guest: Guest, pid: number): Promise<AgentEnd | undefined> {
  const read = ({ node, vmid }: Guest) =>
    pve.get(path`/nodes/${node}/qemu/${vmid}/agent/exec-status`, endShape, { pid });
  const { value: seen } = await readGuest(pve, guest, read).catch((error: unknown) => {
    const failure = asFailure(error);
    throw failure.kind === 'unreachable' || failure.kind === 'timeout' ? failure : forgotten(guest, failure);
  });
  if (!seen.exited) return undefined;
  return {
    exitCode: seen.exitcode,
    signal: seen.signal,
    stdout: bytes(seen['out-data']),
    stderr: bytes(seen['err-data']),
    cut: [...(seen['out-truncated'] ? ['stdout' as const] : []), ...(seen['err-truncated'] ? ['stderr' as const] : [])],
  };
}

const forgotten = (guest: Guest, failure: Failure): Failure =>
  new Failure(
    'outcome-unknown',
    `What became of the command in ${guest.label} cannot be read: ${failure.message}`,
    'It was started once. Its end is told once, and is lost when the VM or its agent was restarted meanwhile. Look inside the VM before you run it again.',
    { cause: failure },
  );

const infoShape = z.object({
  result: z.object({
    version: text,
    supported_commands: z.array(z.object({ name: z.string(), enabled: z.boolean() })).catch([]),
  }),
});

/** What an agent still does while the file systems are frozen (QEMU, qga/main.c, ga_freeze_allowlist). */
const whileFrozen: ReadonlySet<string> = new Set(
  ['ping', 'info', 'sync', 'sync-delimited', 'fsfreeze-status', 'fsfreeze-thaw'].map((name) => `guest-${name}`),
);

export interface AgentInfo {
  /** Of qemu-ga; the guest tells it. */
  readonly version?: string;
  /** Names such as `guest-exec`. */
  readonly enabled: ReadonlySet<string>;
  /** The file systems are frozen: seen by what the agent has switched off, since their status itself takes a POST. */
  readonly frozen: boolean;
}

/** Whether the agent answers, and what it does; the GET among the ways to ask. A `conflict` Failure says how to get one. */
export async function agentInfo(pve: Pve, guest: Guest, options?: PveCallOptions): Promise<AgentInfo> {
  const info = path`/nodes/${guest.node}/qemu/${guest.vmid}/agent/info`;
  const { result } = await pve.get(info, infoShape, {}, options).catch((error: unknown) => {
    throw agentFailure(guest, asFailure(error));
  });
  const enabled = new Set(result.supported_commands.filter((one) => one.enabled).map(({ name }) => name));
  return {
    version: result.version,
    enabled,
    frozen: enabled.size > 0 && [...enabled].every((one) => whileFrozen.has(one)),
  };
}

/** The failure with what is wrong with the agent and its cure, where its wording tells. */
function agentFailure(guest: Guest, failure: Failure, program = 'the program'): Failure {
  const { message, kind } = failure;
  const tell = (as: Failure['kind'], what: string, cure: string) => new Failure(as, what, cure, { cause: failure });
  if (/No QEMU guest agent configured/.test(message)) return noAgent(guest, failure);
  if (/guest agent is not running/.test(message)) {
    return tell('conflict', `The guest agent of ${guest.label} does not answer.`, installing);
  }
  if (/VM \d+ is not running/.test(message)) return notRunning(guest);
  if (/in frozen state|been disabled: .*frozen/.test(message)) {
    return tell(
      'conflict',
      `The file systems of ${guest.label} are frozen.`,
      'A backup or snapshot is under way: try again when it is over.',
    );
  }
  if (/has been disabled/.test(message)) {
    return tell(
      'permission',
      `The guest agent of ${guest.label} is set up not to do this.`,
      'Inside the VM, allow guest-exec and guest-exec-status (in /etc/sysconfig/qemu-ga or /etc/qemu/qemu-ga.conf) and restart qemu-guest-agent.',
    );
  }
  const notStarted =
    (kind === 'outcome-unknown' && /596 Broken pipe/.test(message)) || /Failed to execute child/.test(message);
  return notStarted
    ? tell(
        'remote-error',
        `The guest agent of ${guest.label} could not start ${program}.`,
        'The VM has no such program, as a Windows guest has none of a Unix.',
      )
    : failure;
}

const installing =
  'Inside the VM: apt install qemu-guest-agent (or dnf, zypper, apk add), then systemctl enable --now qemu-guest-agent; on Windows the installer is on the virtio-win ISO. A VM that is paused or still booting does not answer.';

/** The VM's option `agent` is off. */
export const noAgent = (guest: Guest, cause?: unknown): Failure =>
  new Failure(
    'conflict',
    `${guest.label} has no guest agent: its option agent is off.`,
    `Set it (qm set ${guest.vmid} --agent 1 on ${guest.node}), and power the VM off and on. ${installing}`,
    { cause },
  );

export const notRunning = (guest: Guest): Failure =>
  new Failure(
    'conflict',
    `${guest.label} is not running.`,
    `Start it first: pve_guest_power with guest ${guest.vmid} and action start.`,
  );
