import { asFailure, Failure } from '../../failure.ts';
import { type AgentEnd, endInVm, startInVm } from '../../pve/agent.ts';
import type { Guest } from '../../pve/guests.ts';
import type { CommandResult } from '../../ssh/client.ts';
import type { JobRun } from '../../ssh/jobs.ts';
import type { Killed } from '../../ssh/kill.ts';
import type { Output, OutputReader } from '../../ssh/output.ts';
import { stopped } from '../../ssh/stopped.ts';
import { noUser } from '../../ssh/sudo.ts';
import { newMarks } from '../../ssh/wrap.ts';
import { orAfter } from '../deadline.ts';
import { elapsed } from '../format.ts';
import type { Work } from '../ssh/run-at.ts';
import type { ToolContext } from '../tool.ts';
import { endProcesses, pause } from './end.ts';
import { shellText } from './shell.ts';

/** A CommandResult, and the streams of which the agent kept the beginning only (16 MiB, QEMU's qga/commands.c). */
export interface VmResult extends CommandResult {
  readonly cut: AgentEnd['cut'];
}

const FIRST_POLL_MS = 30;
const SLOWEST_POLL_MS = 1_000;
const LAST_WORDS_MS = 1_000;

/**
 * Runs a command in a VM by its guest agent, as its root. Failures are those of a command over SSH: past `timeoutMs` or
 * when the call, or the job, is cancelled its processes are ended, and it is told what was seen of them.
 */
export async function runInVm(
  vm: { readonly guest: Guest; readonly label: string },
  input: Work,
  { pve, ssh, ...call }: ToolContext,
  job?: JobRun,
): Promise<VmResult> {
  const { signal, tell: progress, output } = job ?? { ...call, tell: call.progress, output: ssh.jobs.newOutput() };
  const { guest, label } = vm;
  const { timeoutMs } = input;
  const marks = newMarks();
  const text = shellText(input, marks);
  // Not to be broken off: the process would run, and nobody would know its pid.
  const pid = await startInVm(pve, guest, ['/bin/sh', '-s'], text);
  const began = performance.now();
  const watch = new Watch(() => endInVm(pve, guest, pid));
  const limit = timeoutMs === Number.POSITIVE_INFINITY ? signal : orAfter(signal, timeoutMs);
  const tell = () => progress(`running in ${label}, ${elapsed(performance.now() - began)}`);
  const end = await watch.until(limit, tell);
  const durationMs = Math.round(performance.now() - began);
  if (end) return { ...resultOf(end, await outputOf(end, output), label, input, marks.mark), durationMs };
  const why = signal.aborted ? 'cancelled' : 'timeout';
  const killed = await endProcesses(pve, guest, { cookie: marks.cookie, pid });
  watch.runs = undefined;
  const last = await watch.until(AbortSignal.timeout(LAST_WORDS_MS)).catch(() => undefined);
  const seen = { ...(await outputOf(last, output)), duration_ms: durationMs };
  throw stopped({ name: label }, { timeoutMs }, why, witnessed(killed, watch.runs, pid), seen);
}

/** The one that asks how a process ended; what was asked and not yet answered is never asked a second time. */
export class Watch {
  #asking: Promise<AgentEnd | undefined> | undefined;
  /** What the last answer was; undefined when there was none. */
  runs: boolean | undefined;

  constructor(private readonly ask: () => Promise<AgentEnd | undefined>) {}

  /** The end, or undefined when `limit` comes first. An API that is away for a while is asked again. */
  async until(limit: AbortSignal, tell: () => void = () => undefined): Promise<AgentEnd | undefined> {
    const over = new Promise<undefined>((resolve) => {
      if (limit.aborted) resolve(undefined);
      else limit.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 1.5, SLOWEST_POLL_MS)) {
      const end = await Promise.race([this.#next(), over]);
      if (end || limit.aborted) return end;
      if (wait === SLOWEST_POLL_MS) tell();
      await Promise.race([pause(wait), over]);
    }
  }

  #next(): Promise<AgentEnd | undefined> {
    this.#asking ??= this.ask()
      .then((end) => {
        this.runs = end === undefined;
        return end;
      })
      .catch((error: unknown) => {
        const failure = asFailure(error);
        if (failure.kind === 'unreachable' || failure.kind === 'timeout') return undefined;
        throw failure;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}

/** The agent is a second witness: what it still waits for has not ended, and without its word that is not known. */
function witnessed(killed: Killed, runs: boolean | undefined, pid: number): Killed {
  if (runs === false || killed.state !== 'terminated') return killed;
  return runs ? { ...killed, state: 'still running', pids: [pid] } : { ...killed, state: 'unknown' };
}

/** What an agent kept of the output, which comes with the end and not before. */
async function outputOf(end: AgentEnd | undefined, output: OutputReader): Promise<Output> {
  if (end) {
    await output.stdout(end.stdout);
    await output.stderr(end.stderr);
  }
  await output.end();
  return output.output();
}

/** By number, as Linux has them. */
const signals: Readonly<Record<number, string>> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  4: 'ILL',
  6: 'ABRT',
  7: 'BUS',
  8: 'FPE',
  9: 'KILL',
  11: 'SEGV',
  13: 'PIPE',
  14: 'ALRM',
  15: 'TERM',
};

function resultOf(
  { exitCode, signal, cut }: AgentEnd,
  output: Output,
  label: string,
  { cwd, user }: Work,
  mark: string,
): Omit<VmResult, 'durationMs'> {
  if (output.stderr.text === `${mark} cd\n`) {
    throw new Failure(
      'not-found',
      `${label} has no directory ${cwd} that can be entered, so the command was not run.`,
      'Correct the directory, or leave it out.',
    );
  }
  if (user !== undefined && output.stderr.text === `${mark} user\n`) throw noUser(user, label);
  const name = signal === undefined ? undefined : (signals[signal] ?? String(signal));
  return { ...output, exitCode, signal: name, cut };
}
