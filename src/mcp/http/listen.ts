import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Failure } from '../../failure.ts';
import type { Limits } from './limits.ts';
import type { Place } from './place.ts';

const HEADER_BYTES = 16 * 1024;
/** What clients send there, it has. */
const UNLESS_OURS =
  'If that is no server of yours, clients may have sent it the token: remove its file, for a new one.';
/** How often connections are looked at that have sent too little for too long. */
const LOOK_MS = 1000;

function serverOf({ tls }: Place, { headersMs, requestMs, connections }: Limits, handler: RequestListener): Server {
  const options = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(LOOK_MS, headersMs),
    maxHeaderSize: HEADER_BYTES,
  };
  const server = tls
    ? createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: headersMs }, handler)
    : createServer(options, handler);
  server.maxConnections = connections;
  return server;
}

/** Listens there, and gives the server with its URL; a `misconfigured` Failure when it cannot. */
export async function listen(place: Place, limits: Limits, handler: RequestListener) {
  let server: Server;
  try {
    server = serverOf(place, limits, handler);
    server.listen(place.port, place.host);
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const taken = code === 'EADDRINUSE';
    const cause = taken ? 'another program listens there already' : message;
    const text = `Nothing can listen on ${place.host} port ${place.port}: ${cause}.`;
    const cure = 'Give another address to --http, or correct what it says.';
    throw new Failure('misconfigured', text, taken ? `${cure} ${UNLESS_OURS}` : cure, { cause: error });
  }
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : place.port;
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  return { server, url: `${place.tls ? 'https' : 'http'}://${host}:${port}/mcp` };
}
