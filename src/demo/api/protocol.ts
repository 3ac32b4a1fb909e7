import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../world.ts';
import { write, writeError, writePlain, writeResult } from './answer.ts';
import { apidoc } from './apidoc.ts';
import type { Endpoint, Handlers } from './call.ts';
import { dispatch } from './dispatch.ts';
import { ProxyError } from './errors.ts';
import { type Identity, identify } from './identity.ts';
import { parseForm, parseJson, type RawParams } from './params.ts';
import type { Router } from './router.ts';
import type { Method } from './rules/parse.ts';

/** Milliseconds before a 401, and before a silent node is given up. */
export interface Delays {
  readonly authentication: number;
  readonly proxy: number;
}

export interface Site {
  readonly world: World;
  readonly endpoint: Endpoint;
  readonly methods: readonly Method[];
  readonly router: Router;
  readonly handlers: Handlers;
  readonly delays: Delays;
}

interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly format: string;
  readonly query: string;
  readonly body: string;
  readonly type: string;
}

const maxPost = 512 * 1024;

/** Answers one request in the order of PVE::APIServer::AnyEvent: protocol, authentication, body, method. */
export function serve(site: Site, request: IncomingMessage, response: ServerResponse): void {
  void answer(site, request, response).catch((error: unknown) => {
    if (response.headersSent) response.destroy();
    else writeError(response, 'json', error);
  });
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readAll(request);
  const url = new URL(`https://pve${request.url ?? '/'}`);
  const found = /^\/api2\/([a-z]+)(\/.*)?$/.exec(url.pathname);
  const incoming: Incoming = {
    method: request.method ?? 'GET',
    path: decode(found?.[2] ?? url.pathname),
    format: found?.[1] ?? '',
    query: url.search.slice(1),
    body,
    type: request.headers['content-type'] ?? '',
  };
  const who = identify(request.headers.authorization, site.world.access, site.world.now());
  const identity = 'reason' in who ? undefined : who;
  const params = read(incoming);
  const isCall = incoming.format === 'json' || incoming.format === 'extjs';
  if (isCall) note(site, incoming, params, identity);
  if (await interfere(site, response)) return;
  const refusal = protocolError(request, incoming);
  if (refusal) return writePlain(response, refusal.status, refusal.text, refusal.body);
  if (url.pathname === '/pve-docs/api-viewer/apidoc.js') return sendApidoc(site, response);
  if (!isCall)
    return writePlain(
      response,
      501,
      url.pathname.startsWith('/api2') ? 'no such uri' : `no such file '${url.pathname}'`,
    );
  if (identity === undefined) return refuse(site, response, 'reason' in who ? who.reason : '');
  const contents = contentError(incoming);
  if (contents) return writePlain(response, contents.status, contents.text);
  if (params instanceof Error) return writePlain(response, 500, params.message.trimEnd());
  await run(site, response, incoming, identity, params);
}

async function run(
  site: Site,
  response: ServerResponse,
  incoming: Incoming,
  who: Identity,
  params: RawParams,
): Promise<void> {
  try {
    writeResult(response, incoming.format, await dispatch(site, who, { ...incoming, params }));
  } catch (error) {
    if (error instanceof ProxyError && error.reason.endsWith('timed out')) await sleep(site.delays.proxy);
    writeError(response, incoming.format, error);
  }
}

function note({ world }: Site, { method, path }: Incoming, params: RawParams | Error, who: Identity | undefined): void {
  const known = params instanceof Error ? {} : params;
  world.requests.push({ method, path, params: known, ...(who === undefined ? {} : { who: who.name }) });
}

/** What the switches do to every request; true when there is nothing left to answer. */
async function interfere({ world, endpoint }: Site, response: ServerResponse): Promise<boolean> {
  const { latencyMs, outage, offline } = world.switches;
  if (latencyMs > 0) await sleep(latencyMs);
  if (outage === 'silent') return true;
  if (outage === 'reset' || offline.has(endpoint.local)) {
    response.socket?.destroy();
    return true;
  }
  if (outage === undefined) return false;
  write(response, { status: outage.status, reason: outage.reason });
  return true;
}

function protocolError(request: IncomingMessage, { method }: Incoming) {
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method)) {
    return { status: 501, text: `method '${method}' not available`, body: '' };
  }
  const coding = request.headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  return {
    status: 501,
    text: coding === 'chunked' ? 'chunked transfer encoding not supported' : `Unknown transfer encoding '${coding}'`,
  };
}

function contentError({ method, body, type }: Incoming) {
  if (body === '') return undefined;
  if (method !== 'POST' && method !== 'PUT') return { status: 501, text: `Unexpected content for method '${method}'` };
  if (Buffer.byteLength(body) > maxPost) return { status: 501, text: 'for data too large' };
  const known = type === '' || /^application\/(x-www-form-urlencoded|json)\b/.test(type);
  return known ? undefined : { status: 506, text: `upload 'Content-Type '${type}' not implemented` };
}

async function refuse({ delays }: Site, response: ServerResponse, reason: string): Promise<void> {
  await sleep(delays.authentication);
  write(response, { status: 401, reason });
}

function sendApidoc({ methods }: Site, response: ServerResponse): void {
  write(response, { status: 200, reason: 'OK', body: apidoc(methods), type: 'application/javascript' });
}

/** Query and body together, or what is wrong with the JSON. */
function read({ query, body, type }: Incoming): RawParams | Error {
  try {
    return {
      ...parseForm(query),
      ...(type.startsWith('application/json') ? parseJson(body || '{}') : parseForm(body)),
    };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
