import type { Facts } from './present/answer.ts';

/**
 * What went wrong, in the one word that a caller can act on:
 * - `invalid-input`, `not-found`, `ambiguous`: the call has to change
 * - `misconfigured`, `authentication`, `permission`, `untrusted`: the operator has to change something
 * - `refused`: our own policy says no; `busy`, `conflict`: try again later; `unreachable`, `timeout`: nobody answered
 * - `remote-error`, `task-failed`: the other side said no; `outcome-unknown`: it may or may not have happened
 * - `cancelled`: the caller gave up; `internal`: a bug of ours
 */
export type FailureKind =
  | 'invalid-input'
  | 'not-found'
  | 'ambiguous'
  | 'misconfigured'
  | 'authentication'
  | 'permission'
  | 'untrusted'
  | 'refused'
  | 'busy'
  | 'conflict'
  | 'unreachable'
  | 'timeout'
  | 'remote-error'
  | 'task-failed'
  | 'outcome-unknown'
  | 'cancelled'
  | 'internal';

/** What a failure tells beside its kind to those who look for it, such as webhooks; no answer shows it. */
export type Sign =
  | { readonly is: 'read-only' | 'protected' }
  | {
      readonly is: 'host-key-changed' | 'host-key-revoked';
      readonly host: string;
      readonly offered: string;
      readonly known: readonly string[];
    };

export interface FailureDetail {
  /** What was seen before it went wrong, told with the failure (output so far, process ids, candidates). */
  readonly facts?: Facts;
  readonly cause?: unknown;
  /** What in the message are the words of a server or host, as they stand there; those of a `cause` count as well. */
  readonly said?: string | readonly string[];
  readonly sign?: Sign;
}

/**
 * The only error that is raised on purpose. `message` says the cause and `hint` the cure, each a full sentence that
 * an operator can act on; neither says more than is known.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly facts: Facts;
  /** What in the message others chose the words of: it is fenced before a model reads it. */
  readonly said: readonly string[];
  readonly sign?: Sign;

  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly hint: string,
    detail: FailureDetail = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.facts = detail.facts ?? {};
    const inherited = detail.cause instanceof Failure ? detail.cause.said : [];
    // What is shorter says nothing, and would be found in words of ours.
    this.said = [detail.said ?? [], inherited]
      .flat()
      .filter((text) => text.trim().length > 3 && message.includes(text));
    this.sign = detail.sign ?? (detail.cause instanceof Failure ? detail.cause.sign : undefined);
  }
}

/** The reason with which calls are aborted when the process ends: what is running remotely has to be ended at once. */
export const SHUTDOWN = Symbol('shutdown');

/** The failure that a caller's own cancellation is told as, whatever was being waited for. */
export const cancelled = (what: string, cause?: unknown): Failure =>
  new Failure('cancelled', `${what} was cancelled by the client.`, 'Call again if it is still wanted.', { cause });

/** Any thrown value as a Failure; what was not raised on purpose is `internal`. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('internal', `Unexpected error: ${message}`, 'This is a bug; please report it with this message.', {
    cause: error,
  });
}
