import { type IncomingHttpHeaders, request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { McpServer } from '@modelcontextprotocol/server';
import { type Limits, usualLimits } from '../../src/mcp/http/limits.ts';
import { placeOf, type Tls } from '../../src/mcp/http/place.ts';
import { openHttp } from '../../src/mcp/http.ts';

export const TOKEN = 'a-token-for-tests-of-more-than-32-characters';

export interface RigOptions {
  readonly limits?: Partial<Limits>;
  readonly build?: () => McpServer;
  readonly tls?: Tls;
}

/** The product's own HTTP wiring, on a server that a test brings. */
export async function openRig({ limits, build, tls }: RigOptions = {}) {
  const ending = new AbortController();
  const told: string[] = [];
  const parts = {
    token: TOKEN,
    version: '1.2.3',
    limits: { ...usualLimits, ...limits },
    build: build ?? (() => new McpServer({ name: 'rig', version: '1' }, { capabilities: { tools: {} } })),
    shutdown: ending.signal,
    track: () => undefined,
    tell: (error: unknown) => void told.push(String(error)),
  };
  const { server, url } = await openHttp(parts, placeOf('127.0.0.1:0', { tls, understood: false }));
  const { port } = new URL(url);
  return {
    url,
    told,
    port: Number(port),
    end: () => ending.abort(),
    /** What comes back for these bytes, and for those sent after the first reply, until the server closes the connection. */
    raw: (bytes: string, more?: () => string, from?: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let reply = '';
        const to = { port: Number(port), host: '127.0.0.1', localAddress: from };
        const socket = connectTcp(to, () => socket.write(bytes));
        socket.once('data', () => socket.write(more?.() ?? ''));
        socket.on('data', (chunk) => {
          reply += chunk.toString('utf8');
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(reply));
      }),
    async stop() {
      ending.abort();
      server.closeAllConnections();
    },
  };
}

export type Rig = Awaited<ReturnType<typeof openRig>>;

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request as curl would send it, right in all that is not said otherwise; an empty header is left out. */
export function ask(rig: Rig, { method = 'POST', path = '/mcp', headers, body = ping }: Asked = {}): Promise<Reply> {
  const all = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  return new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port: rig.port, agent: false, method, path, headers: given };
    const sent = request(to, (res) => {
      let text = '';
      res.on('data', (chunk) => {
        text += chunk;
      });
      res.on('end', () => {
        sent.destroy();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}
