import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, type McpServer } from '@modelcontextprotocol/server';
import type { Lifetime } from '../lifetime.ts';
import { createDoorkeeper, isMeantForUs, refuse } from './doorkeeper.ts';
import type { Limits } from './limits.ts';
import type { Place } from './place.ts';
import { createSessions } from './sessions.ts';

/** What answers at one address. */
export interface EndpointParts extends Pick<Lifetime, 'shutdown' | 'track' | 'tell'>, Pick<Place, 'isOurs'> {
  readonly token: string;
  readonly version: string;
  readonly limits: Limits;
  /** An MCP server for one request (protocol 2026-07-28) or one session (before it). */
  readonly build: () => McpServer;
}

const METHODS = ['GET', 'POST', 'DELETE'];

/** Streams that end with their client only; the header is the SDK's to compare with the body. */
const isLasting = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' || headers['mcp-method'] === 'subscriptions/listen';

/** Both eras of the protocol. */
function protocolOf({ build, tell, limits: { bodyBytes } }: EndpointParts) {
  const size = { maxRequestBodySize: bodyBytes };
  const modern = createMcpHandler(build, { legacy: 'reject', onerror: tell, ...size });
  const older = createSessions({ build, bodyBytes, tell });
  const fetch = async (request: Request): Promise<Response> =>
    (await isLegacyRequest(request, undefined, size)) ? older(request) : modern.fetch(request);
  return toNodeHandler({ fetch }, { onerror: tell, ...size });
}

/** `GET /health` for everybody on an allowed name, `/mcp` for who has the token, nothing else. */
export function createEndpoint(parts: EndpointParts): RequestListener {
  const { shutdown, track, version } = parts;
  const admits = createDoorkeeper(parts);
  const protocol = protocolOf(parts);
  const health = (res: ServerResponse): void => {
    res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    res.end(JSON.stringify({ status: 'ok', version }));
  };
  return (req, res) => {
    if (!isMeantForUs(req, res, parts)) return;
    if (shutdown.aborted) return void refuse(res, 503, 'This server is ending.');
    const { method = '' } = req;
    const [path] = (req.url ?? '').split('?');
    const allowed = path === '/health' ? ['GET', 'HEAD'] : path === '/mcp' ? METHODS : undefined;
    if (!allowed) return void refuse(res, 404, 'There is nothing here but /mcp and /health.');
    if (!allowed.includes(method)) {
      return void refuse(res, 405, `This takes ${allowed.join(', ')}.`, { allow: allowed.join(', ') });
    }
    if (path === '/health') return health(res);
    if (!admits(req, res)) return;
    if (!isLasting(req)) track(once(res, 'close'));
    protocol(req, res).catch(parts.tell);
  };
}
