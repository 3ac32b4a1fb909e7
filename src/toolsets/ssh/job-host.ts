import { asFailure, Failure } from '../../failure.ts';
import { type Answer, answer, remote } from '../../present/answer.ts';
import { type JobId, newJobId } from '../../ssh/job-id.ts';
import { type ListedJob, listReply, readReply, replyOf, type SeenOutput } from '../../ssh/job-reply.ts';
import { endScript, listJobs, readJob, startScript } from '../../ssh/job-script.ts';
import type { ToolContext } from '../tool.ts';
import type { Cursor } from './job-cursor.ts';
import { type Place, placeOf, targetOf } from './place.ts';
import { lookAt, runAt } from './run-at.ts';

/* Jobs that outlive this process: what is known of them is on their host. */

const PATIENCE_MS = 30_000;

/** What a job that outlives this process is started with. */
export interface HostWork {
  readonly script: string;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
}

/** Who runs it, when that is not the login: root where sudo was asked for, which guests have no use for. */
const runnerOf = (place: Place, user: string | undefined, sudo: boolean): string | undefined => {
  const onHost = 'host' in place && place.container === undefined ? place.host.spec.user : undefined;
  const runner = user ?? (sudo && onHost !== undefined ? 'root' : undefined);
  return runner === onHost ? undefined : runner;
};

/** Starts it, and answers when its first process is known. */
export async function startOnHost(place: Place, work: HostWork, context: ToolContext, sudo: boolean): Promise<Answer> {
  const { script, stdin = '', cwd, env } = work;
  const user = runnerOf(place, work.user, sudo);
  const id = newJobId(targetOf(place), user);
  const first = Buffer.byteLength(script);
  const kind = 'host' in place && place.container === undefined && user === undefined ? 'login' : 'other';
  const args = [id.name, String(first + Buffer.byteLength(stdin)), String(first), kind];
  const { book } = context.ssh.jobs;
  await book?.add(id.text);
  const start = { script: startScript(args), stdin: script + stdin, cwd, env, user, timeoutMs: PATIENCE_MS };
  const { stdout } = await runAt(place, start, context).catch((error: unknown) => {
    throw unlessNothingRuns(asFailure(error), id, context);
  });
  const [word, ...said] = replyOf(stdout.text, id.name);
  if (word !== 'ok') {
    await book?.drop([id.text]);
    throw notStarted(place, said.join(' '));
  }
  return answer(`started on ${place.label} as job ${id.text}, which outlives this server`, {
    state: 'running',
    job: id.text,
    ran_on: place.label,
    pid: Number(said[0]),
    next: 'ssh_job_read gives its output and its end; ssh_job_kill ends it, and later removes what it left.',
  });
}

/** What a failure leaves open, told with the job's id: by that it is found if it was started. */
function unlessNothingRuns(failure: Failure, id: JobId, { ssh }: ToolContext): Failure {
  const { kind, message, facts } = failure;
  const open = kind === 'outcome-unknown' || facts.remote_process === 'unknown';
  if (!open) {
    void ssh.jobs.book?.drop([id.text]);
    return failure;
  }
  return new Failure(
    'outcome-unknown',
    `${message} It may have been started as job ${id.text}.`,
    `ssh_job_read with job ${id.text} tells.`,
    { facts, cause: failure },
  );
}

const notStarted = ({ label }: Place, said: string): Failure =>
  new Failure(
    'remote-error',
    `${label} cannot keep a job, so nothing was started.`,
    'It needs room and the right to write in ~/.local/state (or XDG_STATE_HOME) of who runs it; what it said is in stderr.',
    { facts: { stderr: remote(said) } },
  );

export interface Wanted {
  /** Negative: so many bytes from the end. */
  readonly from: Cursor;
  /** Bytes of each stream at most. */
  readonly most: number;
  readonly waitS: number;
}

/** What its host knows of a job; undefined when it knows none of that name. */
export async function readOnHost(
  id: JobId,
  { from, most, waitS }: Wanted,
  context: ToolContext,
): Promise<{ readonly place: Place; readonly seen: SeenOutput | undefined }> {
  const place = await placeOf(id.target, context);
  const args = [id.name, ...[from.stdout, from.stderr, most, waitS].map(String)];
  const timeoutMs = waitS * 1000 + PATIENCE_MS;
  const { stdout } = await lookAt(place, readJob, args, { user: id.user, timeoutMs }, context);
  const seen = readReply(stdout.text, id.name);
  if (!seen) await context.ssh.jobs.book?.drop([id.text]);
  return { place, seen };
}

/** The jobs that a place knows of one runner; those that it knows no more are forgotten here. */
export async function listOnHost(
  place: Place,
  user: string | undefined,
  context: ToolContext,
): Promise<readonly (ListedJob & { readonly id: string })[]> {
  const { stdout } = await lookAt(place, listJobs, [], { user, timeoutMs: PATIENCE_MS }, context);
  const target = targetOf(place);
  const suffix = `${user === undefined ? '' : `+${user}`}@${target}`;
  return listReply(stdout.text).map((job) => ({ ...job, id: `${job.name}${suffix}` }));
}

/** What END told: `running` with how to find it, or what it was when it was removed; undefined when there was none. */
export async function endOnHost(id: JobId, context: ToolContext) {
  const place = await placeOf(id.target, context);
  const work = { script: endScript(id.name), user: id.user, timeoutMs: PATIENCE_MS };
  const { stdout } = await runAt(place, work, context);
  const [state, ...words] = replyOf(stdout.text, id.name);
  return { place, state, words };
}
