import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Reply } from './call.ts';
import type { Dispatched } from './dispatch.ts';
import { ApiError, ProxyError } from './errors.ts';

const json = 'application/json;charset=UTF-8';

/** The first line of a message, as much of it as a status line may hold. */
const phrase = (message: string): string => (message.split('\n')[0] ?? '').replace(/[^\t\x20-\x7e\x80-\xff]/g, '?');

interface Written {
  readonly status: number;
  readonly reason: string;
  readonly body?: string | Buffer;
  readonly type?: string;
  readonly gzip?: boolean;
  /** Says both `close` and `Keep-Alive`, and keeps the connection, as answers of pvedaemon do. */
  readonly twice?: boolean;
}

/** Answers that one connection gives (pveproxy.pm, max_requests). */
const MOST_ANSWERS = 100;
const given = new WeakMap<Socket, number>();

/** Whether this is the last answer that the connection gives. */
function isLast({ socket }: ServerResponse): boolean {
  if (!socket) return true;
  const count = (given.get(socket) ?? 0) + 1;
  given.set(socket, count);
  return count >= MOST_ANSWERS;
}

/** Writes one answer with the headers of pve-http-server; from 400 on it closes the connection (AnyEvent.pm). */
export function write(response: ServerResponse, answer: Written): void {
  const closing = isLast(response) || answer.status >= 400;
  response.statusCode = answer.status;
  response.statusMessage = phrase(answer.reason);
  response.setHeader('Cache-Control', 'max-age=0');
  response.setHeader('Connection', closing ? 'close' : answer.twice ? ['close', 'Keep-Alive'] : 'Keep-Alive');
  response.setHeader('Expires', new Date().toUTCString());
  response.setHeader('Pragma', 'no-cache');
  response.setHeader('Server', 'pve-api-daemon/3.0');
  if (answer.type !== undefined) response.setHeader('Content-Type', answer.type);
  if (answer.gzip) response.setHeader('Content-Encoding', 'gzip');
  const body = answer.body ?? '';
  // Without a body there is no length either: the end of the connection is the end of the answer (recordings auth-*).
  if (body.length === 0) response.useChunkedEncodingByDefault = false;
  else response.setHeader('Content-Length', Buffer.byteLength(body));
  response.writeHead(answer.status, response.statusMessage);
  // node:http takes the word `close` for an order; pve-http-server says it and stays (reference: Connection twice).
  if (answer.twice && !closing) Object.assign(response, { _last: false });
  response.end(body);
}

/** A protocol error: its text is the body too, without a content type (recordings chunked, bigbody, textplain). */
export const writePlain = (response: ServerResponse, status: number, text: string, body = text): void =>
  write(response, { status, reason: text, body: body === '' ? '' : `${body}\n` });

/** The answer of a method in /api2/json or /api2/extjs. */
export function writeResult(response: ServerResponse, format: string, { result, protected: twice }: Dispatched): void {
  const reply = result instanceof Reply ? result : new Reply(result);
  if (reply.more.text) {
    write(response, { status: 200, reason: 'OK', body: String(reply.data), type: 'text/plain' });
    return;
  }
  const total = reply.more.total ? { total: reply.more.total } : {};
  const extjs = format === 'extjs' ? { success: 1 } : {};
  const text = JSON.stringify({ data: reply.data ?? null, ...total, ...extjs });
  if (reply.more.gzip) {
    const body = gzipSync(reply.data === undefined ? '' : text);
    write(response, { status: 200, reason: 'OK', body, type: 'application/json', twice, gzip: true });
  } else write(response, { status: 200, reason: 'OK', body: text, type: json, twice });
}

/** Any error as pve-http-server tells it. What is none of its own is a fault of the demo, and said so. */
export function writeError(response: ServerResponse, format: string, error: unknown): void {
  if (error instanceof ProxyError) {
    write(response, { status: error.status, reason: error.reason });
    return;
  }
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, `demo fault: ${error instanceof Error ? error.stack : error}\n`);
  const { status, message, errors } = known;
  const body = { data: null, message, ...(errors === undefined ? {} : { errors }) };
  const [shown, reason, text] =
    format === 'extjs' ? [200, 'OK', { ...body, success: 0, status }] : [status, message, body];
  write(response, { status: shown, reason, body: JSON.stringify(text), type: json });
}
