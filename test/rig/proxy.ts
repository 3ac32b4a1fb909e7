import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/** Which way bytes go: `up` from the client to the server, `down` from the server to the client. */
export type Way = 'up' | 'down';

export interface FaultProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Connections taken so far, and bytes that came from the clients. */
  readonly connections: number;
  readonly received: number;
  /** Cuts every connection, with a reset. */
  cut(): void;
  /** Cuts the connection over which so many bytes have gone that way from now on, right after the last of them. */
  resetAfter(bytes: number, way: Way): void;
  /** Ends one way of every connection: the far end of it reads an end, and may go on writing. */
  halfClose(way: Way): void;
  /** Passes nothing on, in both directions, on old and new connections; nothing is lost. */
  stall(): void;
  /** Passes on what was held back, and everything after. */
  flow(): void;
  /** Passes on pieces of so many bytes at most from now on, each written on its own. */
  slice(bytes: number): void;
  /** Holds every piece back for so many ms from now on. */
  latency(ms: number): void;
  /** Passes on so many bytes a second from now on, in each direction of each connection. */
  throttle(bytesPerSecond: number): void;
  stop(): Promise<void>;
}

const PIECE = 4_096;

interface Pace {
  readonly delay: number;
  readonly rate: number;
  /** One thing a turn of the event loop, so that the other side may read each piece before the next is there. */
  readonly apart: boolean;
}

/** Does one thing after the other, each when its bytes would have come at that rate and its delay is over. */
function inOrder(pace: () => Pace) {
  const waiting: { at: number; act: () => void }[] = [];
  let free = 0;
  const drain = () => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const left = next.at - performance.now();
      if (left > 0) return void setTimeout(drain, left);
      next.act();
      if (pace().apart) return void setImmediate(rest);
      waiting.shift();
    }
  };
  const rest = () => {
    waiting.shift();
    drain();
  };
  return (act: () => void, bytes = 0) => {
    const { delay, rate } = pace();
    free = Math.max(free, performance.now()) + (bytes / rate) * 1_000;
    waiting.push({ at: free + delay, act });
    if (waiting.length === 1) drain();
  };
}

/**
 * Resets a connection at once: Node's resetAndDestroy() ends it first, which the other side reads as an end. One that is
 * ending already is closed: the system takes no reset of it then (uv_tcp_close_reset), and Node would leave it open.
 */
function reset(socket: Socket): void {
  if (!socket.writableEnded) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

/** A TCP proxy on 127.0.0.1 that makes a network's faults to order. It passes everything on until told otherwise. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const ends: Record<Way, Set<() => void>> = { up: new Set(), down: new Set() };
  let connections = 0;
  let received = 0;
  let stalled = false;
  let delay = 0;
  let rate = Number.POSITIVE_INFINITY;
  let size = PIECE;
  let armed: { left: number; readonly way: Way } | undefined;
  const link = (from: Socket, to: Socket, way: Way) => {
    sockets.add(from);
    from.setNoDelay(true);
    const later = inOrder(() => ({ delay, rate, apart: size < PIECE }));
    let last = false;
    const pass = (part: Buffer) => {
      if (last || !to.writable) return;
      const piece = part.subarray(0, armed?.way === way ? armed.left : part.length);
      if (armed?.way === way) armed.left -= piece.length;
      last = armed?.way === way && armed.left === 0;
      if (last) armed = undefined;
      to.write(piece, last ? () => [from, to].forEach(reset) : undefined);
    };
    const end = () => to.end();
    ends[way].add(end);
    from.on('data', (piece: Buffer) => {
      for (let at = 0; at < piece.length; at += size) {
        const part = piece.subarray(at, at + size);
        later(() => pass(part), part.length);
      }
    });
    from.on('end', () => later(end));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      ends[way].delete(end);
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
    link(client, upstream, 'up');
    link(upstream, client, 'down');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = () => {
    sockets.forEach(reset);
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
    resetAfter(bytes, way) {
      armed = { left: bytes, way };
    },
    halfClose(way) {
      for (const end of ends[way]) end();
    },
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    flow() {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    slice(bytes) {
      size = bytes;
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
