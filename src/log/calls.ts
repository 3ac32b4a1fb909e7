import type { AuditLine } from './line.ts';

/** One call, put together from its lines. */
export interface AuditCall {
  readonly call: string;
  /** When its first line was written. */
  readonly time: string;
  readonly tool: string;
  readonly effect: string;
  readonly client: string;
  readonly protocol?: string;
  readonly mode?: string;
  readonly about?: string;
  readonly approved?: string;
  readonly question?: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly command?: Readonly<Record<string, string>>;
  /** `ok`, the kind of a failure, `asked`, or `unfinished` where there is an intent and no outcome. */
  readonly verdict: string;
  readonly exitCode?: number;
  readonly durationMs?: number;
  readonly message?: string;
  readonly output?: AuditLine['output'];
}

/** What is said by the outcome of a call and not by its intent. */
const OF_OUTCOME = ['exitCode', 'durationMs', 'message', 'output'] as const;

function callOf(first: AuditLine, outcome?: AuditLine): AuditCall {
  const { call, time, tool, effect, client, protocol, mode, about, approved, question, input, command } = first;
  const last = outcome ?? first;
  const verdict = last.kind === 'outcome' ? (last.verdict ?? 'ok') : last.kind === 'asked' ? 'asked' : 'unfinished';
  const all = {
    ...{ call, time, tool, effect, client, protocol, mode, about, approved, question, input, command, verdict },
    ...Object.fromEntries(OF_OUTCOME.map((name) => [name, last[name]])),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as AuditCall;
}

/** Calls that may be waited for at once; of more than that, the oldest are told as they are. */
const MOST_OPEN = 10_000;

/**
 * The calls of a stream of lines, in the order of their first lines. An intent whose outcome never comes is told when so
 * many others have begun since, or at the end; an outcome without its intent is a call of its own.
 */
export class Calls {
  readonly #open = new Map<string, { readonly first: AuditLine; done?: AuditCall }>();

  /** The calls that are complete with this line, and that no earlier one is waited before. */
  add(line: AuditLine): AuditCall[] {
    const waiting = this.#open.get(line.call);
    if (line.kind === 'intent') this.#open.set(line.call, { first: line });
    else if (line.kind === 'outcome' && waiting) waiting.done = callOf(waiting.first, line);
    else this.#open.set(`${line.call} ${line.kind}`, { first: line, done: callOf(line) });
    const ready: AuditCall[] = [];
    for (const [key, { first, done }] of this.#open) {
      if (!done && this.#open.size <= MOST_OPEN) break;
      this.#open.delete(key);
      ready.push(done ?? callOf(first));
    }
    return ready;
  }

  /** Those that have ended, although an earlier one has not. */
  ended(): AuditCall[] {
    const ended = [...this.#open].flatMap(([key, { done }]) => (done ? [{ key, done }] : []));
    for (const { key } of ended) this.#open.delete(key);
    return ended.map(({ done }) => done);
  }

  /** All that are left, when no more lines come. */
  rest(): AuditCall[] {
    const left = [...this.#open.values()];
    this.#open.clear();
    return left.map(({ first, done }) => done ?? callOf(first));
  }
}
