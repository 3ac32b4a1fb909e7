import { Failure } from '../failure.ts';
import type { Command, HostSpec } from './client.ts';
import type { Ending } from './ending.ts';
import type { Killed } from './kill.ts';
import type { Output } from './output.ts';

/** What is told of a command besides how it ended. */
export interface Seen extends Output {
  /** Until it ended, or was told to. */
  readonly duration_ms?: number;
}

/** Why there is no result of a command that we ended, and what was seen of its processes. */
export function stopped(
  host: Pick<HostSpec, 'name'>,
  command: Pick<Command, 'container' | 'timeoutMs'>,
  why: 'timeout' | 'cancelled',
  killed: Killed,
  output: Seen,
): Failure {
  const place = command.container === undefined ? host.name : `container ${command.container} (${host.name})`;
  const cause = why === 'timeout' ? `ran longer than ${command.timeoutMs / 1000} s` : 'was cancelled by the client';
  const pids = killed.pids.join(', ');
  const seen = {
    terminated: 'all its processes have been ended',
    'still running': `told to stop, it still runs (pids ${pids})`,
    unknown: 'whether it still runs is unknown',
  }[killed.state];
  const half = killed.by === 'group' ? ` ${host.name} has no /proc, so only its process group was looked at.` : '';
  const again =
    why === 'timeout'
      ? 'Give it more time, or start it as a service and look at it later.'
      : 'Call again if it is still wanted.';
  const look = `Look with ps on ${host.name} before you run it again; what runs there may need root to be ended.`;
  return new Failure(
    why,
    `The command on ${place} ${cause}; ${seen}.${half}`,
    killed.state === 'terminated' ? again : look,
    { facts: { ...output, remote_process: killed.state, pids: killed.pids.length > 0 ? killed.pids : undefined } },
  );
}

/** The connection is gone. Only when the end of the command had been told is its outcome known. */
export function lost(host: HostSpec, end: Ending, output: Seen, cause: unknown): Failure {
  const { exitCode, signal } = end;
  const known = exitCode !== undefined || signal !== undefined;
  const outcome = exitCode === undefined ? `by signal ${signal}` : `with exit code ${exitCode}`;
  return new Failure(
    'outcome-unknown',
    known
      ? `Connection to ${host.name} was lost right after the command ended ${outcome}; output may be missing.`
      : `Connection to ${host.name} was lost while the command ran; whether it did its work is unknown.`,
    'Look at the host before you run it again; the next call connects anew.',
    {
      facts: { ...output, exit_code: exitCode, signal, remote_process: known ? 'terminated' : 'unknown' },
      cause,
    },
  );
}
