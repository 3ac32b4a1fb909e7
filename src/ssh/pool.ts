import { setMaxListeners } from 'node:events';
import type { ClientChannel } from 'ssh2';
import { cancelled, Failure } from '../failure.ts';
import type { HostConnection, HostSpec } from './client.ts';
import { type Connection, connect } from './connect.ts';
import type { Order } from './lane.ts';
import { HostQueue } from './queue.ts';
import { Rate } from './rate.ts';

export interface Link {
  /** Aborts when the connection is gone; its reason is a Failure that says why. */
  readonly lost: AbortSignal;
  /** `SHA256:…` of the accepted host key. */
  readonly hostKey: string;
}

export interface PoolOptions {
  /** The user's known_hosts files, read only. */
  readonly knownHosts: readonly string[];
  readonly ownKnownHosts: string;
  readonly acceptNew?: boolean;
  /** 15 s, hops included. */
  readonly connectTimeoutMs?: number;
  /** 5 s; a peer that is silent for three of them is gone. */
  readonly keepaliveMs?: number;
  /** Per connection, the one kept back for killing included: 8. */
  readonly maxChannels?: number;
  /** Commands that may wait per host: 1024. */
  readonly maxQueue?: number;
  /** A host's connections are closed after this long without a channel: 15 min. */
  readonly idleMs?: number;
  /** Told when a connection was made, and, with why, when none could be made or one was lost while it was used. */
  readonly onConnection?: (host: HostSpec, failure?: Failure) => void;
}

export interface ChannelOptions {
  readonly signal?: AbortSignal;
  /** Takes the slot kept back for killing. */
  readonly reserved?: boolean;
  /** On a connection of its own, which ends with it: it is held for long, and others need the slot. */
  readonly own?: boolean;
}

export interface Pool {
  /**
   * Runs the command on a fresh channel without a pty. `use` is called once, when the server has taken the command, and
   * must attach its listeners before it awaits anything. The channel is closed when `use` settles, if it still is open.
   * An order whose signal aborts while it waits is `cancelled` and has not run. Once it is on its way `use` is called
   * all the same, to end what was started; an abort that the server leaves unanswered for 2 s is `outcome-unknown`.
   */
  withChannel<T>(
    host: HostSpec,
    command: string,
    use: (channel: ClientChannel, link: Link) => Promise<T>,
    options?: ChannelOptions,
  ): Promise<T>;
  /** Counts a command that needs no channel of its own; a `busy` Failure when the host's limit is used up. */
  count(host: HostSpec): void;
  /** What is known of the host's connection without opening one. */
  connection(host: HostSpec): HostConnection;
  /** Ends everything within 300 ms; what waits is `cancelled`. */
  close(): Promise<void>;
}

const IN_FLIGHT_MS = 2_000;

const unused: HostConnection = {
  state: 'idle',
  openChannels: 0,
  queued: 0,
  commandsLastMinute: 0,
  connectsLastMinute: 0,
};

/** Keeps one connection per address, port, user, key and way there. Nothing is opened before it is needed. */
export function createPool(options: PoolOptions): Pool {
  const queues = new Map<string, HostQueue>();
  const owned = new Set<HostQueue>();
  const closing = new AbortController();
  // Every connection in the making listens, and there may be one for each host.
  setMaxListeners(0, closing.signal);
  const making = new Set<Promise<Connection>>();
  const open = (host: HostSpec) => {
    const made = connect(host, { ...options, signal: closing.signal });
    making.add(made);
    const forget = () => making.delete(made);
    made.then(forget, forget);
    return made;
  };
  const rates = new Map<string, Rate>();
  const connectsTo = (host: HostSpec, via: readonly HostSpec[]): Rate => {
    const key = JSON.stringify([...via, host].map(({ address, port }) => [address, port]));
    const rate = rates.get(key) ?? new Rate();
    rates.set(key, rate);
    return rate;
  };
  const limits = {
    connect: open,
    connectsTo,
    maxChannels: options.maxChannels ?? 8,
    maxQueue: options.maxQueue ?? 1024,
    idleMs: options.idleMs ?? 15 * 60_000,
    onConnection: options.onConnection,
  };
  const queueOf = (host: HostSpec): HostQueue => {
    const key = identity(host);
    const queue = queues.get(key) ?? new HostQueue(host, limits);
    queue.host = host;
    queues.set(key, queue);
    return queue;
  };
  return {
    async withChannel(host, command, use, { signal, reserved = false, own = false } = {}) {
      if (closing.signal.aborted) throw closed();
      if (signal?.aborted) throw cancelled(`The command on ${host.name}`, signal.reason);
      const order = { hostName: host.name, command, reserved, signal };
      if (!own) return place(queueOf(host), order, use);
      const queue = new HostQueue(host, limits);
      owned.add(queue);
      return place(queue, order, use).finally(() => {
        owned.delete(queue);
        void queue.close(closed());
      });
    },
    count: (host) => queueOf(host).count(),
    connection: (host) => queues.get(identity(host))?.state() ?? unused,
    async close() {
      closing.abort();
      const over = [...queues.values(), ...owned].map((queue) => queue.close(closed()));
      await Promise.allSettled([...making, ...over]);
    },
  };
}

const closed = (): Failure => {
  const text = 'The SSH connections were closed before the command was sent; it has not run.';
  return new Failure('cancelled', text, 'The server is shutting down. Call again when it runs.');
};

const identity = (host: HostSpec): string =>
  JSON.stringify([
    [host.address, host.port, host.user, host.keyPath, host.agent, host.hostKeyAlias, host.identitiesOnly],
    host.via?.map(identity),
  ]);

function place<T>(
  queue: HostQueue,
  wanted: Pick<Order, 'hostName' | 'command' | 'reserved' | 'signal'>,
  use: (channel: ClientChannel, link: Link) => Promise<T>,
): Promise<T> {
  const { hostName, signal } = wanted;
  return new Promise<T>((resolve, reject) => {
    let gaveUp = false;
    let timer: NodeJS.Timeout | undefined;
    const settled = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const order: Order = {
      ...wanted,
      losses: 0,
      start(channel, link) {
        settled();
        if (gaveUp) return Promise.resolve();
        const used = new Promise<T>((done) => done(use(channel, link)));
        return used.then(resolve, reject);
      },
      fail(failure) {
        settled();
        reject(failure);
      },
    };
    const abort = () => {
      if (queue.withdraw(order)) return order.fail(cancelled(`The command on ${hostName}`, signal?.reason));
      timer = setTimeout(() => {
        gaveUp = true;
        const text = `The command for ${hostName} was sent, cancelled, and never acknowledged.`;
        reject(new Failure('outcome-unknown', text, 'Look at the host: it may have run or be running.'));
      }, IN_FLIGHT_MS);
    };
    signal?.addEventListener('abort', abort, { once: true });
    queue.add(order);
  });
}
