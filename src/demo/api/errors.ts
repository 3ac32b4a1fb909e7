/** An answer that is an error: its status, and the message that is both reason phrase and body. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    message: string,
    /** For 400: what is wrong with which parameter. */
    readonly errors?: Readonly<Record<string, string>>,
  ) {
    super(message);
  }
}

export const badParameters = (errors: Readonly<Record<string, string>>): ApiError =>
  new ApiError(400, 'Parameter verification failed.\n', errors);

export const denied = (path: string | undefined, privileges: readonly string[]): ApiError =>
  new ApiError(403, `Permission check failed (${path ?? ''}, ${privileges.join('|')})\n`);

/** What the proxying worker says when it cannot reach a node: no body, the words in the reason phrase (z-*). */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';

  constructor(
    readonly status: number,
    readonly reason: string,
  ) {
    super(reason);
  }
}
