import type { Facts } from '../../present/answer.ts';
import type { SeenState } from '../../ssh/job-reply.ts';
import type { Job } from '../../ssh/jobs.ts';
import { duration, elapsed } from '../format.ts';
import { ending } from './run-command.ts';

/** A job of this process, without its output. */
export function ownFacts(job: Job): { readonly told: string; readonly facts: Facts } {
  const { state, result, failure, startedAt, endedAt = Date.now() } = job;
  const ran = elapsed(endedAt - startedAt);
  const end = result ? { exit_code: result.exitCode, signal: result.signal } : {};
  const cut = result?.cut?.length ? result.cut : undefined;
  const { remote_process, pids } = failure?.facts ?? {};
  return {
    told: result ? `${ending(result)} after ${ran}` : `${state} ${failure ? 'after' : 'for'} ${ran}`,
    facts: {
      state,
      ...end,
      ...(state === 'killed' ? {} : { why: failure?.message, cure: failure?.hint }),
      remote_process,
      pids,
      cut_by_the_guest_agent: cut,
      background_holds_output: result?.backgroundHoldsOutput,
    },
  };
}

const sentences: Readonly<Record<SeenState, string>> = {
  running: 'running',
  over: 'exited',
  killed: 'killed',
  gone: 'ended without a status',
  restarted: 'ended without a status (the host was restarted?)',
  unborn: 'never began',
};

/** A job of a host, without its output; its times are by the host's clock. */
export function hostFacts({
  state,
  exitCode,
  startedAt,
  endedAt,
}: {
  state: SeenState;
  exitCode?: number;
  startedAt?: number;
  endedAt?: number;
}): { readonly told: string; readonly facts: Facts } {
  const ran = startedAt !== undefined && endedAt !== undefined ? ` after ${duration(endedAt - startedAt)}` : '';
  const told = state === 'over' ? ending({ exitCode }) : sentences[state];
  return { told: `${told}${ran}`, facts: { state: sentences[state], exit_code: exitCode } };
}
