import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { allowance, countFailures, type Limits } from './limits.ts';
import type { Place } from './place.ts';

/** Answers with a JSON-RPC error and closes the connection: what else was sent on it is not read. */
export function refuse(
  res: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): false {
  res.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }));
  return false;
}

function hostnameOf(url: string): string {
  try {
    return new URL(url).hostname;
  } catch {
    return '';
  }
}

/** Whether the request is for this server and from no foreign web page (MCP 2026-07-28: Origin MUST be checked, 403). */
export function isMeantForUs(req: IncomingMessage, res: ServerResponse, { isOurs }: Pick<Place, 'isOurs'>): boolean {
  const { host = '', origin } = req.headers;
  if (!isOurs(hostnameOf(`http://${host}`))) return refuse(res, 403, 'This host name is not one of this server.');
  if (origin === undefined || isOurs(hostnameOf(origin))) return true;
  return refuse(res, 403, 'Web pages of this origin may not call this server.');
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface DoorParts {
  readonly token: string;
  readonly limits: Limits;
  /** Told of the first wrong token from an address, of a few addresses in a minute: on this machine alone anybody has 16 million. */
  readonly tell: (message: string) => void;
}

/**
 * Lets in who has the token, as often as the limits allow; answers everybody else. Nobody's wrong tokens shut out the
 * right one: on this machine all have one address, and 256 bits are not guessed.
 */
export function createDoorkeeper({ token, limits, tell }: DoorParts) {
  const right = digest(token);
  const failures = countFailures(limits.failuresMs);
  const mayPass = allowance(limits);
  const mayTell = allowance({ burst: limits.failures, perSecond: 1 / 60 });
  const wait = { 'retry-after': String(Math.ceil(limits.failuresMs / 1000)) };
  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '') ?? [];
    if (timingSafeEqual(digest(given), right)) {
      return mayPass() || refuse(res, 429, 'Too many requests with this token.', { 'retry-after': '1' });
    }
    const address = req.socket.remoteAddress ?? '';
    const count = failures(address);
    if (count === 1 && mayTell()) tell(`A request from ${address} had no token or a wrong one. It was refused.`);
    if (count > limits.failures) return refuse(res, 429, 'Too many requests without the right token.', wait);
    const message = 'The bearer token is missing or wrong. The server says at its start in which file it is.';
    return refuse(res, 401, message, { 'www-authenticate': 'Bearer' });
  };
}
