import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher, Pool } from 'undici';
import { endpointOf } from './certificate.ts';
import type { Answered, Method } from './errors.ts';
import { dial, distrust, type Trust } from './tls.ts';
import { type Fault, faultFrom, faultOf, overdue, tooBig, unreadable, withdrawn } from './transport.ts';

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

/** What became of a request; `endpoint` says where, when there are several. */
export type Sent = (Answered | WireFault) & { readonly endpoint?: string };

/** What carries requests. It sends each at most once, settles by the deadline, and never rejects. */
export interface Wire {
  /** `host:port` that it asks, or asks first. */
  readonly endpoint: string;
  send(request: WireRequest): Promise<Sent>;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly trust: Trust;
  /** For TCP and TLS together; 10 s unless told. */
  readonly connectMs?: number;
}

const maxBodyBytes = 32 * 1024 * 1024;

/**
 * HTTPS to one endpoint: HTTP/1.1, at most 4 connections (pveproxy has 3 workers), each idle for 2.5 s at most (the
 * server closes after 5 s), the certificate checked on each of them before a byte of HTTP is written.
 */
export function createWire(options: WireOptions): Wire {
  const endpoint = endpointOf(options.host, options.port);
  const closing = new AbortController();
  let pool: Promise<Pool> | undefined;
  return {
    endpoint,
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
      await pool?.then(
        (opened) => opened.destroy(),
        () => {},
      );
    },
  };
}

async function openPool({ host, port, trust, connectMs = 10_000 }: WireOptions, signal: AbortSignal): Promise<Pool> {
  const { Pool } = await import('undici');
  const endpoint = endpointOf(host, port);
  return new Pool(`https://${endpoint}`, {
    connections: 4,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 2_500,
    keepAliveMaxTimeout: 2_500,
    // The one deadline of a request is kept by its Exchange.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_, done) => {
      const ca = trust.fingerprint === undefined ? trust.ca : undefined;
      dial({ host, port, ca, timeoutMs: connectMs, signal }).then(
        (socket) => {
          const failure = distrust(socket, trust, endpoint);
          if (!failure) return done(null, socket);
          socket.destroy();
          done(new NotConnected(faultFrom(failure)), null);
        },
        (error: unknown) => done(new NotConnected(faultOf(endpoint, error)), null),
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

/** One request on its way through undici, which is asked once and told to stop when the deadline or the caller says so. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<Answered | WireFault>;
  #resolve: (outcome: Answered | WireFault | Promise<Answered | WireFault>) => void = () => {};
  #settled = false;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Head | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(
    readonly endpoint: string,
    readonly request: WireRequest,
  ) {
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setTimeout(
      () => this.#fail(overdue(endpoint, this.#progress(), request.timeoutMs)),
      request.timeoutMs,
    );
    if (request.signal?.aborted) this.#cancel();
    else request.signal?.addEventListener('abort', this.#cancel, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A second start would be undici sending again what it thinks never arrived.
    if (this.#settled || this.#controller) controller.abort(new Error('not to be sent'));
    else this.#controller = controller;
  }

  onResponseStart(_: unknown, status: number, fields: Record<string, unknown>, statusText = ''): void {
    this.#head = { status, statusText, gzip: fields['content-encoding'] === 'gzip' };
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    if (this.#settled) return;
    this.#size += chunk.length;
    if (this.#size > maxBodyBytes) this.#fail(tooBig(this.endpoint, maxBodyBytes));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const head = this.#head;
    if (head) this.#settle(freed().then(() => readBody(this.endpoint, head, Buffer.concat(this.#chunks))));
  }

  onResponseError(_: unknown, error: Error): void {
    this.#fail(error instanceof NotConnected ? error.fault : faultOf(this.endpoint, error));
  }

  #cancel = (): void => this.#fail(withdrawn(`${this.request.method} ${this.request.path.split('?')[0]}`));

  #fail(fault: Fault): void {
    this.#settle({ ...fault, left: this.#controller !== undefined });
    this.#controller?.abort(new Error(fault.cause));
  }

  #settle(outcome: Answered | WireFault | Promise<Answered | WireFault>): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.request.signal?.removeEventListener('abort', this.#cancel);
    this.#resolve(outcome);
  }

  #progress(): string {
    if (this.#head) return 'the answer was not complete';
    return this.#controller ? 'no answer came' : 'no connection was made';
  }
}

interface Head {
  readonly status: number;
  readonly statusText: string;
  readonly gzip: boolean;
}

function exchange(pool: Pool, endpoint: string, request: WireRequest): Promise<Answered | WireFault> {
  const { method, path, headers, body } = request;
  const exchanged = new Exchange(endpoint, request);
  if (!request.signal?.aborted) pool.dispatch({ method, path, headers: { ...headers }, body }, exchanged);
  return exchanged.outcome;
}

/** undici frees a connection one turn after its answer; a caller that goes on before that would open another one. */
const freed = (): Promise<void> => new Promise((resolve) => queueMicrotask(() => setImmediate(resolve)));

/** /nodes/N/journal is compressed whether asked for or not (recording c-journal). */
async function readBody(
  endpoint: string,
  { status, statusText, gzip }: Head,
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
