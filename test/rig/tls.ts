import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';

/** One request as it came over the wire. */
export interface Received {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the server does once a request has come whole. `raw` is the TCP socket below TLS. */
export type Behaviour = (socket: TLSSocket, request: Received, raw: Socket) => void;

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A certificate for 127.0.0.1 (or `address`), self-signed or signed by `ca`; `days` below 0 has it expired already. */
export async function identity(
  options: { ca?: Identity; name?: string; days?: number; address?: string } = {},
): Promise<Identity> {
  const { ca, name = 'rig.test', days = 1, address = '127.0.0.1' } = options;
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca,
    notBeforeDate: new Date(Date.now() - 3 * 86_400_000),
    notAfterDate: new Date(Date.now() + days * 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: ca === undefined, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: address }] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** A record of TLS 1.2 that says it is a part of a handshake, and is none. */
const BAD_HANDSHAKE = Buffer.concat([Buffer.from([22, 3, 3, 0, 64]), Buffer.alloc(64, 0x5a)]);

/** A record with data that no key of the connection has sealed. */
const BAD_DATA = Buffer.concat([Buffer.from([23, 3, 3, 0, 64]), Buffer.alloc(64, 0x5a)]);

/** HTTP over TLS on loopback, by hand, so that it can misbehave below HTTP as told. */
export class TlsRig {
  /** Every request that came whole, oldest first. */
  readonly requests: Received[] = [];
  /** TCP connections accepted, and bytes that came after a TLS handshake. */
  connections = 0;
  bytes = 0;
  /** Connections that are open now. */
  readonly open = new Set<Socket>();
  /** What becomes of a TCP connection before TLS: by default, TLS. */
  accept: 'tls' | 'silence' | 'reset' | 'plain' | 'records' | 'half' = 'tls';

  private constructor(
    private readonly server: Server,
    public identity: Identity,
    public behave: Behaviour,
  ) {}

  static async start(own: Identity, behave: Behaviour = json({ data: null })): Promise<TlsRig> {
    const server = createServer();
    const rig = new TlsRig(server, own, behave);
    server.on('connection', (socket) => rig.greet(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return rig;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Ends every open connection, as a restart of the server would. */
  drop(): void {
    for (const socket of this.open) socket.destroy();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private greet(raw: Socket): void {
    this.connections += 1;
    this.open.add(raw);
    raw.on('close', () => this.open.delete(raw));
    raw.on('error', () => {});
    if (this.accept === 'reset') raw.resetAndDestroy();
    else if (this.accept === 'plain') raw.end('SSH-2.0-OpenSSH_9.2p1\r\n');
    else if (this.accept === 'silence') raw.resume();
    else if (this.accept === 'records') raw.once('data', () => raw.write(BAD_HANDSHAKE));
    else if (this.accept === 'half') raw.resume().write(BAD_HANDSHAKE.subarray(0, 7), () => raw.end());
    else this.secure(raw);
  }

  private secure(raw: Socket): void {
    const { key, cert } = this.identity;
    const socket = new TLSSocket(raw, { isServer: true, secureContext: createSecureContext({ key, cert }) });
    let pending = '';
    socket.on('error', () => raw.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      pending += chunk.toString('latin1');
      const request = parseRequest(pending);
      if (!request) return;
      pending = '';
      this.requests.push(request);
      this.behave(socket, request, raw);
    });
  }
}

function parseRequest(text: string): Received | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const [method = '', target = ''] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  if (body.length < Number(headers['content-length'] ?? 0)) return undefined;
  return { method, target, headers, body };
}

/** An answer in one piece; as PVE does, the connection is kept up to 399 and closed from 400 on. */
export function answer(status: number, reason: string, body: string | Buffer = '', extra = ''): Behaviour {
  const bytes = Buffer.from(body);
  const kept = status < 400;
  const length = bytes.length === 0 && !kept ? '' : `Content-Length: ${bytes.length}\r\n`;
  const head = `HTTP/1.1 ${status} ${reason}\r\nConnection: ${kept ? 'Keep-Alive' : 'close'}\r\n${length}${extra}\r\n`;
  return (socket) => {
    socket.write(Buffer.concat([Buffer.from(head), bytes]));
    if (!kept) socket.end();
  };
}

export const json = (body: unknown): Behaviour => answer(200, 'OK', JSON.stringify(body));

/** Answers each request as `choose` says. */
export const route =
  (choose: (request: Received) => Behaviour): Behaviour =>
  (socket, request, raw) =>
    choose(request)(socket, request, raw);

/** PVE's form of an error: the first line of the message is the reason phrase as well. */
export const refusal = (status: number, message: string, errors?: Record<string, string>): Behaviour =>
  answer(status, message.split('\n')[0] ?? '', JSON.stringify({ data: null, message: `${message}\n`, errors }));

/** Takes the request and never says a word. */
export const silence: Behaviour = () => {};

const head = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;

/** Headers and the start of a body, then nothing. */
export const stall: Behaviour = (socket) => {
  socket.write(`${head(100)}{"data":`);
};

/** One byte of the body at a time, for ever. */
export const drip: Behaviour = (socket) => {
  socket.write(`${head(1_000_000)}{"data":"`);
  const timer = setInterval(() => socket.write('x'), 10);
  socket.on('close', () => clearInterval(timer));
};

/** The start of a body, then the end of the connection. */
export const truncate: Behaviour = (socket) => {
  socket.end(`${head(100)}{"data":`);
};

/** Ends its own side without an answer, but goes on listening. */
export const halfClose: Behaviour = (socket) => {
  socket.end();
};

/** The same below TLS: its end is not announced, as when a process is killed. */
export const halfCloseBelow: Behaviour = (_socket, _request, raw) => {
  raw.end();
};

/** A record that cannot be read, in place of the answer or in the middle of its body. */
export const badRecord: Behaviour = (_socket, _request, raw) => {
  raw.write(BAD_DATA);
};
export const badRecordInBody: Behaviour = (socket, _request, raw) => {
  socket.write(`${head(100)}{"data":`, () => raw.write(BAD_DATA));
};

/** Headers that never end: a byte at a time, or as fast as they are taken. */
export const dripHeaders: Behaviour = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
  const timer = setInterval(() => socket.write('x'), 10);
  socket.on('close', () => clearInterval(timer));
};
export const floodHeaders: Behaviour = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\n');
  const pour = () => {
    while (!socket.destroyed && socket.write(`X-Much: ${'x'.repeat(1_000)}\r\n`));
  };
  socket.on('drain', pour);
  pour();
};

/** A body in chunks, of which the second has no length. */
export const badChunk: Behaviour = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"data":\r\nnone\r\n1}\r\n');
};

/** A body that says it is compressed, and is not. */
export const notGzip: Behaviour = (socket, request, raw) =>
  answer(200, 'OK', '{"data":null}', 'Content-Encoding: gzip\r\n')(socket, request, raw);

/** Informational answers without end, and never the one. */
export const continues: Behaviour = (socket) => {
  const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 10);
  socket.on('close', () => clearInterval(timer));
};

/** A TCP reset instead of an answer. */
export const reset: Behaviour = (_socket, _request, raw) => {
  raw.resetAndDestroy();
};

/** Bytes that are not HTTP. */
export const garbage: Behaviour = (socket) => {
  socket.write('\x00\x01\x02 this is not HTTP\r\n\r\n');
};

/** 100 MiB of body, as fast as they are taken. */
export const flood: Behaviour = (socket) => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let left = 100;
  socket.write(head(left * chunk.length));
  const pour = () => {
    while (left > 0 && !socket.destroyed) {
      left -= 1;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('drain', pour);
  pour();
};
