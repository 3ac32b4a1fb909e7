import { lookup } from 'node:dns/promises';
import { request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { hookUrl, hostOf, reachOf } from './address.ts';

export interface SendOptions {
  /** Own networks and this machine may be posted to without TLS. */
  readonly plainHttp: boolean;
  /** PEM; instead of Node's own list. */
  readonly ca?: string;
  /** For all of it, from the name to the answer's first line. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What came of one attempt: the status of the answer, or why there was none, as a sentence without its end. */
export type Sent =
  | { readonly status: number; readonly retryAfterMs?: number }
  | { readonly trouble: string; readonly status?: undefined };

interface Address {
  readonly address: string;
  readonly family: number;
}

const addressesOf = async (host: string): Promise<readonly Address[]> =>
  isIP(host) === 0 ? lookup(host, { all: true }) : [{ address: host, family: isIP(host) }];

/** Why these may not be posted to. One that is refused is enough: such an answer was not given by mistake. */
function refused(url: URL, addresses: readonly Address[], plainHttp: boolean): string | undefined {
  const reaches = addresses.map(({ address }) => reachOf(address));
  if (reaches.length === 0) return `${hostOf(url)} has no address`;
  if (reaches.includes('never')) {
    return `${hostOf(url)} leads to a link-local, multicast, metadata or reserved address`;
  }
  if (url.protocol === 'https:') return undefined;
  if (!plainHttp) return 'http:// is not allowed by the settings';
  return reaches.includes('public') ? 'http:// is for this machine and private networks only' : undefined;
}

/** Connects to the addresses that were looked at, whatever the name means by now. */
const pinned =
  (addresses: readonly Address[]): LookupFunction =>
  (_, { all }, done) => {
    const [{ address, family } = { address: '', family: 4 }] = addresses;
    if (all) done(null, [...addresses]);
    else done(null, address, family);
  };

/**
 * Posts once and reads no more than status and headers. Redirects are not followed. The name is looked up once, and what
 * was found is checked and then connected to. Never rejects.
 */
export async function send(
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  { plainHttp, ca, timeoutMs, signal }: SendOptions,
): Promise<Sent> {
  const url = hookUrl(target);
  if ('wrong' in url) return { trouble: `the URL must ${url.wrong}` };
  const limit = AbortSignal.timeout(timeoutMs);
  const over = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const addresses = await before(over, addressesOf(hostOf(url)));
    const why = refused(url, addresses, plainHttp);
    if (why !== undefined) return { trouble: why };
    const own = { rejectUnauthorized: true, ...(ca !== undefined && { ca }) };
    const options = { method: 'POST', headers, agent: false, lookup: pinned(addresses), signal: over, ...own };
    return await post(url, options, body);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const late = limit.aborted && !signal?.aborted;
    return { trouble: late ? `no answer within ${timeoutMs / 1000} s` : (code ?? message) };
  }
}

/** A look-up of names cannot be stopped, but need not be waited for. */
const before = <T>(over: AbortSignal, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(over.reason);
    if (over.aborted) stop();
    over.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => over.removeEventListener('abort', stop));
  });

const post = (url: URL, options: RequestOptions, body: string): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, options, (response) => {
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, retryAfterMs: waitOf(headers['retry-after']) });
      response.on('error', () => undefined);
      request.destroy();
    });
    request.on('error', reject);
    // Node tells a change of protocol that nobody wanted (101) by nothing else.
    request.on('close', () => reject(new Error('closed without an answer')));
    request.end(body);
  });

/** Retry-After in ms: seconds, or a date (RFC 9110, 10.2.3). */
function waitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
