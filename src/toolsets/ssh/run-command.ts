import type { z } from 'zod';
import { cancelled, Failure } from '../../failure.ts';
import { type Answer, answer, RemoteText } from '../../present/answer.ts';
import { openSequence } from '../../ssh/capture.ts';
import type { CommandResult } from '../../ssh/client.ts';
import type { Job, JobResult } from '../../ssh/jobs.ts';
import type { OutputReader, StreamName } from '../../ssh/output.ts';
import { count, elapsed, onOneLine } from '../format.ts';
import type { command } from '../params.ts';
import type { Preview, Shell, ToolContext } from '../tool.ts';
import { limitsTold } from './host-limits.ts';
import { cursorText } from './job-cursor.ts';
import { type HostWork, startOnHost } from './job-host.ts';
import { refuseKeyboard } from './keyboard.ts';
import { type Place, targetOf } from './place.ts';
import { runAt } from './run-at.ts';

export type CommandInput = z.infer<z.ZodObject<typeof command>>;

/** No command of ours runs longer. */
const MOST_MS = 24 * 3600_000;
const ASK_AGAIN_MS = 1_000;

/** How long a call waits for a command before that is a job, and how long it may run: a timeout alone is waited for. */
function limitsOf({ timeout_s, wait_s }: CommandInput, { commandTimeoutMs }: ToolContext['setup']) {
  const timeoutMs = timeout_s === undefined ? MOST_MS : timeout_s * 1000;
  const waitMs = timeout_s === undefined ? commandTimeoutMs : Number.POSITIVE_INFINITY;
  return { timeoutMs, waitMs: wait_s === undefined ? waitMs : wait_s * 1000 };
}

/**
 * Runs the command at its place. That it ended is an answer, whatever its exit code; so is that it goes on as a job. A
 * call that is cancelled while it waits ends the command.
 */
export async function runCommand(
  place: Place,
  input: CommandInput,
  context: ToolContext,
  sudo: boolean,
): Promise<Answer> {
  const { script, stdin, cwd, env, user } = input;
  refuseKeyboard(input);
  if (input.detach) return startOnHost(place, detached(input), context, sudo);
  const { timeoutMs, waitMs } = limitsOf(input, context.setup);
  const work = { script, stdin, cwd, env, user, timeoutMs, sudo };
  const { signal, ssh, progress } = context;
  if (signal.aborted) throw cancelled(`The command on ${place.label}`, signal.reason);
  const plan = { target: targetOf(place), label: place.label, script, tell: progress };
  const job = ssh.jobs.begin(plan, (own) => runAt(place, work, context, undefined, own));
  // Where there are too many jobs the call goes on waiting: nothing is ended that somebody began.
  for (let ms = waitMs; ; ms = ASK_AGAIN_MS) {
    const result = await job.within(ms, signal);
    if (result) return ended(place, result, ssh);
    if (ssh.jobs.adopt(job)) return await goesOn(place, job);
  }
}

/** `invalid-input` for limits that nobody would be there to keep. */
function detached({ timeout_s, wait_s, script, stdin, cwd, env, user }: CommandInput): HostWork {
  if (timeout_s === undefined && wait_s === undefined) return { script, stdin, cwd, env, user };
  throw new Failure(
    'invalid-input',
    'A detached job is neither waited for nor ended: detach goes with no timeout_s and no wait_s.',
    'Leave them out; the script itself can begin with: timeout 3600 …',
  );
}

const goesOn = async (place: Place, job: Job): Promise<Answer> =>
  answer(`still running on ${place.label} after ${elapsed(Date.now() - job.startedAt)}, as job ${job.id.text}`, {
    state: job.state,
    job: job.id.text,
    ran_on: place.label,
    ssh_host: sshHostOf(place),
    ...(await soFar(job.output)),
    next: `ssh_job_read with this job and cursor waits for more, ssh_job_kill ends it; it ends with this server.`,
  });

/** The output up to now but for a character that has not come whole, and the cursor from which more can be read. */
async function soFar(output: OutputReader) {
  const texts = output.output();
  const last = (name: StreamName) => {
    const size = output.bytes(name);
    return output.read(name, Math.max(0, size - 3), 3).then(({ bytes }) => ({ size, open: openSequence(bytes) }));
  };
  const [out, err] = await Promise.all([last('stdout'), last('stderr')]);
  const whole = ({ text, totals, kept }: RemoteText, { open }: typeof out) =>
    open === 0 ? new RemoteText(text, totals, kept) : new RemoteText(text.replace(/\ufffd$/, ''), totals, kept);
  return {
    stdout: unlessEmpty(whole(texts.stdout, out)),
    stderr: unlessEmpty(whole(texts.stderr, err)),
    cursor: cursorText({ stdout: out.size - out.open, stderr: err.size - err.open }),
  };
}

const sshHostOf = (place: Place): string | undefined =>
  'host' in place && place.container !== undefined ? place.host.spec.name : undefined;

/** What is used of the host's own limits; undefined where it has none, and in a VM, which no host is asked for. */
function limitsAt(place: Place, ssh: Shell): string | undefined {
  if (!('host' in place) || place.host.spec.limits === undefined) return undefined;
  return limitsTold(place.host.spec.limits, ssh.connection(place.host.spec));
}

const ended = (place: Place, result: JobResult, ssh: Shell): Answer =>
  answer(`${ending(result)} on ${place.label} in ${elapsed(result.durationMs)}`, {
    exit_code: result.exitCode,
    signal: result.signal,
    ran_on: place.label,
    ssh_host: sshHostOf(place),
    stdout: unlessEmpty(result.stdout),
    stderr: unlessEmpty(result.stderr),
    cut_by_the_guest_agent: result.cut?.length ? result.cut : undefined,
    duration_ms: Math.round(result.durationMs),
    background_holds_output: result.backgroundHoldsOutput,
    limits_used: limitsAt(place, ssh),
  });

export const unlessEmpty = (text: RemoteText): RemoteText | undefined => (text.totals.bytes > 0 ? text : undefined);

/** `exit 3`, `killed by signal TERM`. */
export const ending = ({ exitCode, signal }: Pick<CommandResult, 'exitCode' | 'signal'>): string =>
  exitCode !== undefined ? `exit ${exitCode}` : signal ? `killed by signal ${signal}` : 'ended without an exit status';

/** What a command is given, and the command: it comes last, because a long text loses its end. */
export const inputLines = ({ script, stdin, env }: Pick<CommandInput, 'script' | 'stdin' | 'env'>): string[] => [
  ...Object.entries(env ?? {}).map(([name, value]) => `with ${name}=${onOneLine(value)}`),
  ...(stdin === undefined ? [] : [`with ${count(stdin.length, 'character')} of input: ${onOneLine(stdin)}`]),
  script,
];

/** What a human is shown of a command before it runs. */
export function previewCommand(place: Place, input: CommandInput, sudo: boolean): Preview {
  const { cwd, user } = input;
  refuseKeyboard(input);
  const by = 'guest' in place ? 'its guest agent' : place.container === undefined ? undefined : place.host.spec.name;
  const on = by === undefined ? place.label : `${place.label}, by ${by}`;
  const as = user ?? (sudo ? 'root' : undefined);
  const lines = [
    `${input.detach ? 'Start as a job that outlives this server' : 'Run'} on ${on}${as === undefined ? '' : ` as ${as}`}${cwd === undefined ? '' : `, in ${onOneLine(cwd)}`}:`,
    ...inputLines(input),
  ];
  return {
    message: lines.join('\n'),
    state: { place: place.label, host: 'host' in place ? place.host.spec.name : place.guest.node },
  };
}
