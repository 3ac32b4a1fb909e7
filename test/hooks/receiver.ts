import { createHmac, randomBytes } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { type Identity, identity } from '../rig/tls.ts';

/** One request as it came, with the event in it. */
export interface Delivery {
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly event: { readonly id: string; readonly type: string; readonly data: Record<string, unknown> };
}

export type Answer = (response: ServerResponse, delivery: Delivery) => void;

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(code, headers).end();
  };

/** A key as the settings have it. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** A certificate authority that nobody else knows. */
export const newCa = (): Promise<Identity> => identity({ name: 'lab CA' });

/** Receives webhooks on 127.0.0.1, and answers as it is told: 204 unless `answer` is changed. */
export class Receiver {
  readonly got: Delivery[] = [];
  /** Requests that are being answered now, and the most that ever were. */
  open = 0;
  mostOpen = 0;
  connections = 0;
  answer: Answer = status(204);

  private constructor(
    private readonly server: ReturnType<typeof createServer> | ReturnType<typeof createHttpServer>,
    private readonly scheme: 'https' | 'http',
  ) {}

  /** With a certificate of this authority; without one it speaks plain HTTP. */
  static async start(ca?: Identity, own?: Identity): Promise<Receiver> {
    const server = ca ? createServer(own ?? (await identity({ ca }))) : createHttpServer();
    const receiver = new Receiver(server, ca ? 'https' : 'http');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => receiver.take(request, response));
    server.on('connection', () => {
      receiver.connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  url(path = '/hook', host = '127.0.0.1'): string {
    return `${this.scheme}://${host}:${this.port}${path}`;
  }

  types(): string[] {
    return this.got.map(({ event }) => event.type);
  }

  /** Those of one type, once there are `count` of them. */
  async events(type: string, count = 1): Promise<readonly Delivery[]> {
    const those = () => this.got.filter(({ event }) => event.type === type);
    while (those().length < count) await wait(10);
    return those();
  }

  /** Waits until so many requests have come in all. */
  async requests(count: number): Promise<readonly Delivery[]> {
    while (this.got.length < count) await wait(10);
    return this.got;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.on('close', () => {
      this.open -= 1;
    });
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      const { url: path = '', headers } = request;
      const delivery = { at: Date.now(), path, headers, body, event: JSON.parse(body) };
      this.got.push(delivery);
      this.answer(response, delivery);
    });
  }
}

/** The signature that a delivery should have, by the words of Standard Webhooks. */
export function signatureOf({ headers, body }: Delivery, secret: string): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}
