import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher, Pool } from 'undici';
import { endpointOf } from './certificate.ts';
import type { Answered, Method } from './errors.ts';
import { connectTimeout, dial, distrust, type Trust } from './tls.ts';
import { type Fault, faultFrom, faultOf, notConnected, overdue, tooBig, unreadable, withdrawn } from './transport.ts';

/** One HTTP request; `path` is the whole request target with its query. */
export interface WireRequest {
  readonly method: Method;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything: queue, connection, answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** No whole answer. `left`: a byte of the request may have reached the server. */
export interface WireFault extends Fault {
  readonly left: boolean;
}

/** What carries requests. It sends each at most once, settles by the deadline, and never rejects. */
export interface Wire {
  send(request: WireRequest): Promise<Answered | WireFault>;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly trust: Trust;
}

const maxBodyBytes = 32 * 1024 * 1024;
const connectMs = 10_000;

/**
 * HTTPS to one endpoint: HTTP/1.1, at most 4 connections (pveproxy has 3 workers), each idle for 2.5 s at most (the
 * server closes after 5 s), the certificate checked on each of them before a byte of HTTP is written.
 */
export function createWire(options: WireOptions): Wire {
  const endpoint = endpointOf(options.host, options.port);
  const closing = new AbortController();
  let pool: Promise<Pool> | undefined;
  return {
    async send(request) {
      pool ??= openPool(options, closing.signal);
      try {
        return await exchange(await pool, endpoint, request);
      } catch (error) {
        return { ...faultOf(endpoint, error), left: false };
      }
    },
    async close() {
      closing.abort();
      await (await pool)?.destroy();
    },
  };
}

async function openPool({ host, port, trust }: WireOptions, signal: AbortSignal): Promise<Pool> {
  const { Pool } = await import('undici');
  const endpoint = endpointOf(host, port);
  return new Pool(`https://${endpoint}`, {
    connections: 4,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 2_500,
    keepAliveMaxTimeout: 2_500,
    // The one deadline of a request is kept by exchange().
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_, done) => {
      dial({
        host,
        port,
        ca: trust.fingerprint === undefined ? trust.ca : undefined,
        timeoutMs: connectMs,
        signal,
      }).then(
        (socket) => {
          const failure = distrust(socket, trust, endpoint);
          if (!failure) return done(null, socket);
          socket.destroy();
          done(new NotConnected(faultFrom(failure)), null);
        },
        (error: unknown) => {
          const fault = error === connectTimeout ? notConnected(endpoint) : faultOf(endpoint, error);
          done(new NotConnected(fault), null);
        },
      );
    },
  });
}

/** Carries the fault of a connection through undici to the requests that waited for it. */
class NotConnected extends Error {
  constructor(readonly fault: Fault) {
    super(fault.cause);
  }
}

function exchange(pool: Pool, endpoint: string, request: WireRequest): Promise<Answered | WireFault> {
  const what = `${request.method} ${request.path.split('?')[0]}`;
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let settled = false;
    let head: { status: number; statusText: string; gzip: boolean } | undefined;
    const chunks: Buffer[] = [];
    let size = 0;

    const settle = (outcome: Answered | WireFault | Promise<Answered | WireFault>) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', cancel);
      resolve(outcome);
    };
    const fail = (fault: Fault) => {
      settle({ ...fault, left: controller !== undefined });
      controller?.abort(new Error(fault.cause));
    };
    const cancel = () => fail(withdrawn(what));
    const timer = setTimeout(() => {
      const seen =
        controller === undefined ? 'no connection was made' : head ? 'the answer was not complete' : 'no answer came';
      fail(overdue(endpoint, seen, request.timeoutMs));
    }, request.timeoutMs);
    if (request.signal?.aborted) return cancel();
    request.signal?.addEventListener('abort', cancel, { once: true });

    const { method, path, headers, body } = request;
    pool.dispatch(
      { method, path, headers: { ...headers }, body },
      {
        onRequestStart(started) {
          // A second start would be undici sending again what it thinks never arrived.
          if (settled || controller) return started.abort(new Error('sent once already'));
          controller = started;
        },
        onResponseStart(_, status, fields, statusText = '') {
          head = { status, statusText, gzip: fields['content-encoding'] === 'gzip' };
        },
        onResponseData(_, chunk) {
          if (settled) return;
          size += chunk.length;
          if (size > maxBodyBytes) return fail(tooBig(endpoint, maxBodyBytes));
          chunks.push(chunk);
        },
        onResponseEnd() {
          if (!head) return;
          const { status, statusText, gzip } = head;
          settle(freed().then(() => readBody(endpoint, { status, statusText, gzip }, Buffer.concat(chunks))));
        },
        onResponseError(_, error) {
          fail(error instanceof NotConnected ? error.fault : faultOf(endpoint, error));
        },
      },
    );
  });
}

/** undici frees a connection one turn after its answer; a caller that goes on before that would open another one. */
const freed = (): Promise<void> => new Promise((resolve) => queueMicrotask(() => setImmediate(resolve)));

/** /nodes/N/journal is compressed whether asked for or not (recording c-journal). */
async function readBody(
  endpoint: string,
  { status, statusText, gzip }: { status: number; statusText: string; gzip: boolean },
  bytes: Buffer,
): Promise<Answered | WireFault> {
  if (!gzip) return { status, statusText, body: bytes.toString('utf8') };
  try {
    const body = await promisify(gunzip)(bytes, { maxOutputLength: maxBodyBytes });
    return { status, statusText, body: body.toString('utf8') };
  } catch (error) {
    const huge = (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    return { ...(huge ? tooBig(endpoint, maxBodyBytes) : unreadable(endpoint, error)), left: true };
  }
}
