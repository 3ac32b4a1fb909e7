import type { ZodType } from 'zod';
import { Failure } from '../failure.ts';
import { type Answered, type Asked, failureOf, unknownOutcome } from './errors.ts';

/** The `data` of a successful answer; the Failure that any other answer stands for is thrown. */
export function dataOf(asked: Asked, answered: Answered): unknown {
  if (answered.status < 200 || answered.status > 299) throw failureOf(asked, answered);
  // A node without a journal streams nothing at all (recording c-journal); of any other answer the shape will complain.
  if (asked.method === 'GET' && answered.status === 200 && answered.body === '') return undefined;
  try {
    const body: unknown = JSON.parse(answered.body);
    if (typeof body === 'object' && body !== null && 'data' in body) return body.data;
  } catch {
    // Not JSON: told below as anything else that is not an answer of Proxmox VE.
  }
  if (asked.method !== 'GET') throw unknownOutcome(asked, `its answer (${answered.status}) cannot be read`);
  throw new Failure(
    'remote-error',
    `${asked.endpoint} answered GET ${asked.path} with something that is not JSON as Proxmox VE sends it.`,
    'Check that host and port are those of the Proxmox VE API (8006), and that no login page or proxy is in between.',
    { facts: { status: answered.status } },
  );
}

/** The text of a file that the server serves beside its API. */
export function textOf(asked: Asked, answered: Answered): string {
  if (answered.status === 200) return answered.body;
  throw new Failure(
    'remote-error',
    `${asked.endpoint} answered ${asked.method} ${asked.path} with ${answered.status} ${answered.statusText}.`,
    'Every Proxmox VE serves this file: check that no proxy is in between, and that the package pve-docs is installed.',
    { facts: { status: answered.status }, said: answered.statusText },
  );
}

/** `data` as `shape` reads it; a `remote-error` names the path and the first field that is not as expected. */
export function parse<T>(endpoint: string, path: string, shape: ZodType<T>, data: unknown): T {
  const parsed = shape.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = ['data', ...(issue?.path ?? [])].join('.');
  throw new Failure(
    'remote-error',
    `${endpoint} answered GET ${path} in a form that is not known: ${field}: ${issue?.message ?? 'unexpected'}.`,
    'Its version of Proxmox VE may be newer or older than those known here (8.4 to 9.2); please report this message.',
    { facts: { field } },
  );
}
