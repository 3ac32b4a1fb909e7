import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

export interface FaultProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Connections taken so far, and bytes that came from the clients. */
  readonly connections: number;
  readonly received: number;
  /** Cuts every connection, with a reset. */
  cut(): void;
  /** Passes nothing on, in both directions, on old and new connections; nothing is lost. */
  stall(): void;
  /** Passes on what was held back, and everything after. */
  flow(): void;
  /** Holds every piece back for so many ms from now on. */
  latency(ms: number): void;
  /** Passes on so many bytes a second from now on, in each direction of each connection. */
  throttle(bytesPerSecond: number): void;
  stop(): Promise<void>;
}

const PIECE = 4_096;

/** Does one thing after the other, each when its bytes would have come at that rate and its delay is over. */
function inOrder(pace: () => { delay: number; rate: number }) {
  const waiting: { at: number; act: () => void }[] = [];
  let free = 0;
  const drain = () => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const left = next.at - performance.now();
      if (left > 0) return void setTimeout(drain, left);
      waiting.shift();
      next.act();
    }
  };
  return (act: () => void, bytes = 0) => {
    const { delay, rate } = pace();
    free = Math.max(free, performance.now()) + (bytes / rate) * 1_000;
    waiting.push({ at: free + delay, act });
    if (waiting.length === 1) drain();
  };
}

/** A TCP proxy on 127.0.0.1 that makes a network's faults to order. It passes everything on until told otherwise. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let received = 0;
  let stalled = false;
  let delay = 0;
  let rate = Number.POSITIVE_INFINITY;
  const link = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.setNoDelay(true);
    const later = inOrder(() => ({ delay, rate }));
    from.on('data', (piece: Buffer) => {
      for (let at = 0; at < piece.length; at += PIECE) {
        const part = piece.subarray(at, at + PIECE);
        later(() => to.writable && to.write(part), part.length);
      }
    });
    from.on('end', () => later(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      later(() => to.destroy());
    });
    if (stalled) from.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections++;
    client.on('data', (piece) => {
      received += piece.length;
    });
    const upstream = tcpConnect({ ...target, allowHalfOpen: true });
    link(client, upstream);
    link(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    host: '127.0.0.1',
    port: address.port,
    get connections() {
      return connections;
    },
    get received() {
      return received;
    },
    cut,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    flow() {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    latency(ms) {
      delay = ms;
    },
    throttle(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
