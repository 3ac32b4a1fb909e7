import { asFailure, cancelled, Failure } from '../../failure.ts';
import type { Facts } from '../../present/answer.ts';
import type { ToolContext } from '../tool.ts';
import { settle } from './settle.ts';

/** One write of several, each of which is sent only after the one before it ended well. */
export interface Stage {
  /** `create`, `start`: what it is called in the answer. */
  readonly name: string;
  /** Sends the write, and gives what the API answered: a task's id or nothing. */
  readonly write: () => Promise<unknown>;
}

/** How far the stages came; `facts` has each of them, and what was not begun. */
export interface Reached {
  readonly complete: boolean;
  readonly facts: Facts;
  /** Milliseconds that the call may still wait. */
  readonly leftMs: () => number;
}

/**
 * Does one stage after the other, together within the time that the call or the settings allow. A task that goes on
 * past it ends the row: what was not begun is told. So does a failure, with what was done before it.
 */
export async function inStages(
  context: ToolContext,
  stages: readonly Stage[],
  { waitSeconds, facts: known = {} }: { readonly waitSeconds?: number; readonly facts?: Facts } = {},
): Promise<Reached> {
  const waitMs = waitSeconds === undefined ? context.setup.taskWaitMs : waitSeconds * 1000;
  const end = performance.now() + waitMs;
  const leftMs = (): number => Math.max(0, end - performance.now());
  const steps: Facts[] = [];
  for (const [i, { name, write }] of stages.entries()) {
    const later = stages.slice(i + 1).map((stage) => stage.name);
    try {
      if (context.signal.aborted) throw cancelled(name);
      const { done, facts } = await settle(context, await write(), leftMs() / 1000);
      steps.push({ step: name, ...facts });
      if (!done) {
        const next = then(facts.next, later);
        return { complete: false, facts: { steps, not_begun: later.length > 0 ? later : undefined, next }, leftMs };
      }
    } catch (error) {
      throw broken(asFailure(error), { name, steps, later, known });
    }
  }
  return { complete: true, facts: { steps }, leftMs };
}

const then = (next: Facts[string], later: readonly string[]): Facts[string] =>
  later.length > 0 ? `${next} Then, by tools of their own: ${later.join(', ')}.` : next;

interface Break {
  readonly name: string;
  readonly steps: readonly Facts[];
  readonly later: readonly string[];
  readonly known: Facts;
}

/** The failure of one stage, with what stays of those before it. */
function broken({ kind, message, hint, facts, cause, said }: Failure, { name, steps, later, known }: Break): Failure {
  const done = steps.map(({ step }) => String(step));
  const before = done.length > 0 ? ` Done before it, and still there: ${done.join(', ')}.` : '';
  const left = later.length > 0 ? ` Not begun: ${later.join(', ')}.` : '';
  return new Failure(kind, `${name}: ${message}${before}${left}`, hint, {
    facts: { ...known, ...facts, failed_step: name, steps: steps.length > 0 ? steps : undefined },
    cause,
    said,
  });
}
