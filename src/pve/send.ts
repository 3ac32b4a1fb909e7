import type { PveOptions, PveParams } from './client.ts';
import { type Answered, type Asked, type Method, unknownOutcome } from './errors.ts';
import { encodeForm } from './form.ts';
import { pause } from './pause.ts';
import { withdrawn } from './transport.ts';
import type { Sent, Wire, WireFault, WireRequest } from './wire.ts';

/** The request for a call. GET and DELETE carry parameters in the query: the server refuses a body on DELETE (501). */
export function requestOf(
  method: Method,
  path: string,
  params: PveParams,
  token: PveOptions['token'],
): Pick<WireRequest, 'method' | 'path' | 'headers' | 'body'> {
  const form = encodeForm(params);
  const target = `/api2/json${path}`;
  const headers = {
    accept: 'application/json',
    ...(token ? { authorization: `PVEAPIToken=${token.id}=${token.secret.reveal()}` } : {}),
  };
  if (method === 'GET' || method === 'DELETE') {
    return { method, path: form === '' ? target : `${target}?${form}`, headers };
  }
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method, path: target, headers: { ...headers, ...type }, body: form };
}

const pausesMs = [100, 400];

/**
 * The answer, whatever its status, within the request's `timeoutMs` overall. A GET is sent again, at most twice, when
 * the connection failed or a proxy had no answer (595-599); anything else leaves at most once, and is
 * `outcome-unknown` when it left and no answer came.
 */
export async function sendPatiently(wire: Wire, asked: Asked, request: WireRequest): Promise<Extract<Sent, Answered>> {
  const deadline = performance.now() + request.timeoutMs;
  for (let sends = 1; ; sends += 1) {
    const outcome = await wire.send({ ...request, timeoutMs: Math.max(1, deadline - performance.now()) });
    const pauseMs = pausesMs[sends - 1];
    const again = asked.method === 'GET' && mayHelp(outcome) && !request.signal?.aborted;
    if (again && pauseMs !== undefined && performance.now() + pauseMs < deadline) {
      await pause(pauseMs, request.signal).catch(() => {
        throw withdrawn(`${asked.method} ${request.path.split('?')[0]}`).failure;
      });
      continue;
    }
    if (!isFault(outcome)) return outcome;
    if (!outcome.left || asked.method === 'GET') throw outcome.failure;
    throw unknownOutcome({ ...asked, endpoint: outcome.endpoint ?? asked.endpoint }, outcome.cause);
  }
}

const isFault = (outcome: Sent): outcome is Extract<Sent, WireFault> => 'failure' in outcome;

const mayHelp = (outcome: Sent): boolean =>
  isFault(outcome) ? outcome.transient : outcome.status >= 595 && outcome.status <= 599;
