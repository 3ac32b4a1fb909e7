import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { makeCertificate } from '../tls.ts';
import type { World } from '../world.ts';
import { allHandlers } from './handlers.ts';
import { type Delays, serve } from './protocol.ts';
import { routerFor } from './router.ts';
import { servedMethods } from './rules/parse.ts';

export interface ApiOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Milliseconds that Proxmox VE takes its time for; short by default, `realDelays` for the real ones. */
  readonly delays?: Partial<Delays>;
  /** Which token `Api.token` is; `root@pam!mcp` by default. */
  readonly token?: string;
}

/** As measured on PVE 9: a 401 after 3 s, a silent node after 30 s (recordings auth-none, z-596). */
export const realDelays: Delays = { authentication: 3000, proxy: 30_000 };

export interface Api {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly fingerprint: string;
  readonly certificatePem: string;
  readonly token: { readonly user: string; readonly tokenid: string; readonly value: string };
  /** Closes every connection and resolves when the port is free. */
  stop(): Promise<void>;
}

/** Serves the world's API over HTTPS on loopback, with a certificate of its own made now. */
export async function startApi(world: World, options: ApiOptions = {}): Promise<Api> {
  const wanted = options.token ?? 'root@pam!mcp';
  const token = world.access.tokens.find(({ user, tokenid }) => `${user}!${tokenid}` === wanted);
  if (token === undefined) throw new Error(`the demo has no token ${wanted}`);
  const { keyPem, certificatePem, fingerprint } = await makeCertificate('pve1');
  const methods = servedMethods();
  const endpoint = { fingerprint, certificatePem, local: 'pve1' };
  const delays = { authentication: 20, proxy: 20, ...options.delays };
  const site = { world, endpoint, methods, router: routerFor(methods), handlers: allHandlers(), delays };
  const secure = createHttpsServer({ key: keyPem, cert: certificatePem }, (request, response) =>
    serve(site, request, response),
  );
  secure.keepAliveTimeout = 5000;
  const plain = createHttpServer(sendToHttps);
  const sockets = new Set<Socket>();
  const door = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy()));
    sortOut(socket, (isTls) => (isTls ? secure : plain).emit('connection', socket));
  });
  door.listen(options.port ?? 0, '127.0.0.1');
  await once(door, 'listening');
  const { user, tokenid, value } = token;
  return {
    host: '127.0.0.1',
    port: (door.address() as AddressInfo).port,
    fingerprint,
    certificatePem,
    token: { user, tokenid, value },
    async stop() {
      const closed = once(door, 'close');
      door.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The answer to plain HTTP: where HTTPS is; it says `Keep-Alive` and closes (recording http-plain). */
function sendToHttps(request: IncomingMessage, response: ServerResponse): void {
  const [status, text] =
    request.method === 'GET' || request.method === 'HEAD' ? [301, 'Moved Permanently'] : [308, 'Permanent Redirect'];
  const Location = `https://${request.headers.host ?? '127.0.0.1'}${request.url}`;
  response.writeHead(status, text, { Connection: 'Keep-Alive', 'Content-Length': text.length + 1, Location });
  response.end(`${text}\n`, () => request.socket.end());
}

/** Port 8006 speaks plain HTTP only to say where HTTPS is: the first byte tells which it is. */
function sortOut(socket: Socket, hand: (isTls: boolean) => void): void {
  socket.once('readable', () => {
    const first: Buffer | null = socket.read(1);
    if (first === null) return;
    socket.unshift(first);
    hand(first[0] === 0x16);
  });
}
