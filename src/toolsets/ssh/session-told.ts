import { Failure } from '../../failure.ts';
import { type Answer, answer, type Facts, remote } from '../../present/answer.ts';
import type { Session } from '../../ssh/session.ts';
import type { SessionCommand } from '../../ssh/session-command.ts';
import { stopped } from '../../ssh/stopped.ts';
import { parseTarget } from '../../ssh/target.ts';
import type { Unread } from '../../ssh/unread.ts';
import { elapsed } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import { shownOf } from './job-cursor.ts';
import { type Place, placeOf } from './place.ts';
import { ending, unlessEmpty } from './run-command.ts';

/** The guest that a session is inside of, where the gate asks for it. */
export function guestsOf({ session }: { readonly session: string }, context?: ToolContext): readonly number[] {
  const known = context?.ssh.sessions.peek(session);
  const place = known && parseTarget(known.plan.target);
  return place && place.kind !== 'host' ? [place.vmid] : [];
}

/** Where a session's shell runs. */
export const sessionPlace = async (session: string, context: ToolContext): Promise<Place> =>
  placeOf(context.ssh.sessions.find(session).plan.target, context);

/** The next part of an output, which then has been read. */
async function readOn(unread: Unread, goesOn: boolean): Promise<Facts> {
  const { stdout, stderr } = await unread.peek();
  const skipped = stdout.from + stderr.from - unread.at.stdout - unread.at.stderr;
  const { texts, next } = shownOf({
    stdout: { ...stdout, goesOn: goesOn || stdout.left > 0 },
    stderr: { ...stderr, goesOn: goesOn || stderr.left > 0 },
  });
  unread.at = next;
  return { ...texts, skipped_bytes: skipped || undefined, more_bytes: goesOn ? undefined : unread.bytes || undefined };
}

/** What is the same in every answer about a session. */
const common = (session: Session): Facts => ({
  session: session.id,
  session_state: session.state,
  cwd: session.cwd === undefined ? undefined : remote(session.cwd),
  background_bytes: session.strays.bytes || undefined,
});

const opens = (session: Session): string => `ssh_session_open with target ${session.plan.target} opens another.`;

/** What came of a script that the call waited for, or that goes on. What could not be run, or was stopped, is thrown. */
export async function toldRun(session: Session, command: SessionCommand, timeoutMs: number): Promise<Answer> {
  const { failure, stop, exitCode, shell, mixed } = command;
  if (failure) throw failure;
  const took = elapsed(command.durationMs);
  if (command.endedAt === undefined) return goesOn(session, command);
  if (stop === 'timeout' || stop === 'cancelled') throw stoppedIn(session, command, stop, timeoutMs);
  const { stdout, stderr } = command.output.output();
  const output = { stdout: unlessEmpty(stdout), stderr: unlessEmpty(stderr) };
  if (shell?.failure) throw broken(session, shell.failure, output);
  const end = shell
    ? `${ending(shell)} on ${session.plan.label}, which ended session ${session.id}`
    : `exit ${exitCode} on ${session.title}`;
  return answer(`${end}, in ${took}`, {
    exit_code: exitCode,
    signal: shell?.signal,
    ...output,
    duration_ms: Math.round(command.durationMs),
    interrupted: stop === 'interrupted' || undefined,
    ...common(session),
    background_may_be_mixed_in: mixed || undefined,
    cut_by_the_guest_agent: command.cut,
    next: shell
      ? `The script ended its own shell (exit, or a failure under set -e). ${opens(session)}`
      : command.forgotten
        ? 'The script ended its own shell: the session is as it was before it.'
        : undefined,
  });
}

async function goesOn(session: Session, command: SessionCommand): Promise<Answer> {
  const next = command.inlet
    ? 'ssh_session_send writes to it, ssh_session_read waits for more.'
    : 'ssh_session_read waits for more and for its end; ssh_session_send with key ctrl-c ends it.';
  return answer(`still running on ${session.title} after ${elapsed(command.durationMs)}`, {
    ...(await readOn(command.unread, true)),
    ...common(session),
    next,
  });
}

/** The failure of a command that was stopped, with what became of the session. */
function stoppedIn(
  session: Session,
  command: SessionCommand,
  why: 'timeout' | 'cancelled',
  timeoutMs: number,
): Failure {
  const seen = command.killed ?? { state: 'unknown' as const, pids: [] };
  const output = command.output.output();
  const { kind, message, hint, facts } = stopped({ name: session.title }, { timeoutMs }, why, seen, output);
  const lives = session.ended === undefined;
  const after = lives ? 'The session goes on.' : `The session ${session.ended}.`;
  return new Failure(kind, `${message} ${after}`, lives ? hint : `${hint} ${opens(session)}`, {
    facts: { ...facts, ...common(session) },
  });
}

const broken = (session: Session, failure: Failure, output: Facts): Failure =>
  failure.kind === 'outcome-unknown'
    ? new Failure(failure.kind, failure.message, `${failure.hint} The session is gone; ${opens(session)}`, {
        facts: { ...failure.facts, ...output, ...common(session) },
        cause: failure,
      })
    : new Failure('cancelled', `${session.title} ${session.ended} while its script ran.`, opens(session), {
        facts: { ...output, ...common(session) },
        cause: failure,
      });

/** What a session has to tell since it was last read: of the script that goes on, its end, and what others left behind. */
export async function toldNews(session: Session, found: boolean | undefined): Promise<Answer> {
  const command = session.untold;
  const running = command !== undefined && command.endedAt === undefined;
  const output = command ? await readOn(command.unread, running) : {};
  const over = command && !running && command.unread.bytes === 0;
  if (over) session.untold = undefined;
  const background = session.strays.bytes > 0 ? await readOn(session.strays, true) : undefined;
  return answer(`${session.title}: ${stateOf(session, command)}`, {
    ...(command && !running ? endFacts(command) : {}),
    ...output,
    background_output: background,
    found,
    ...common(session),
    next: session.ended === undefined ? undefined : opens(session),
  });
}

const endFacts = ({ exitCode, stop, killed, failure, cut, durationMs }: SessionCommand): Facts => ({
  exit_code: exitCode,
  stopped_by: stop,
  remote_process: killed?.state,
  pids: killed && killed.pids.length > 0 ? killed.pids : undefined,
  why: failure?.message,
  cure: failure?.hint,
  cut_by_the_guest_agent: cut,
  duration_ms: Math.round(durationMs),
});

/** `running sleep 60 for 3 s`, `idle`, `was lost with its connection`. */
export function stateOf(session: Session, command = session.command): string {
  if (session.ended !== undefined) return session.ended;
  if (command === undefined) return session.state;
  if (command.endedAt === undefined) return `running ${command.label} for ${elapsed(command.durationMs)}`;
  return `${ending(command)} of ${command.label} after ${elapsed(command.durationMs)}`;
}
