import { asFailure, cancelled, Failure } from '../failure.ts';
import type { HostConnection, HostSpec } from './client.ts';
import type { Connection } from './connect.ts';
import { Lane, type Order } from './lane.ts';
import { Rate } from './rate.ts';

export interface QueueOptions {
  connect(host: HostSpec): Promise<Connection>;
  /** The connections begun to that server, be it the end of the way or a hop. */
  connectsTo(host: HostSpec, via: readonly HostSpec[]): Rate;
  readonly maxChannels: number;
  readonly maxQueue: number;
  readonly idleMs: number;
  /** As that of PoolOptions. */
  readonly onConnection?: (host: HostSpec, failure?: Failure) => void;
}

/** A few sessions that come and go need one connection; they are held when none has ended for this long. */
const HELD_MS = 250;
/** After an additional connection was refused, the next try waits this long. */
const EXTRA_AGAIN_MS = 30_000;
/** An address that knocks more often looks like an attack to sshd (PerSourcePenalties) and to fail2ban. */
const CONNECTS_PER_MINUTE = 60;

/**
 * All commands for one host, and the connections that carry them: one as a rule. A second one is opened when the server
 * allows so few sessions that one that is held would stop all others, and one for killing when no slot is free for it.
 */
export class HostQueue {
  readonly #lanes = new Set<Lane>();
  readonly #connecting = new Set<'any' | 'reserved'>();
  #reserved: Order[] = [];
  #ordinary: Order[] = [];
  #extraFrom = 0;
  #held: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastError: { readonly text: string; readonly at: number } | undefined;
  #lastSeen: number | undefined;
  #granted: number | undefined;
  readonly #commands = new Rate();
  #closed = false;

  constructor(
    /** As it was given last: what the operator corrected is used by the next connection. */
    public host: HostSpec,
    private readonly options: QueueOptions,
  ) {}

  /** Counts a command; throws `busy` when the limit is used up. */
  count(): void {
    const { commandsPerMinute } = this.host.limits ?? {};
    const wait = this.#commands.take(commandsPerMinute);
    if (wait !== undefined) throw overLimit(this.host, commandsPerMinute, 'command', wait);
  }

  /** A full queue, and a used up limit, fail the order at once with `busy`; orders for killing are always taken. */
  add(order: Order): void {
    try {
      if (!order.reserved) this.count();
    } catch (error) {
      order.fail(asFailure(error));
      return;
    }
    if (!order.reserved && this.#ordinary.length >= this.options.maxQueue) {
      const text = `${this.options.maxQueue} commands for ${this.host.name} are waiting already.`;
      order.fail(new Failure('busy', text, 'Wait until some of them have ended, and call again.'));
      return;
    }
    (order.reserved ? this.#reserved : this.#ordinary).push(order);
    this.#pump();
  }

  /** Takes an order back that no lane has; false when one has it. */
  withdraw(order: Order): boolean {
    const queue = order.reserved ? this.#reserved : this.#ordinary;
    const index = queue.indexOf(order);
    if (index >= 0) queue.splice(index, 1);
    return index >= 0;
  }

  state(): HostConnection {
    const lanes = [...this.#lanes];
    return {
      state: lanes.length > 0 ? 'connected' : 'idle',
      openChannels: this.#running(),
      queued: this.#ordinary.length + this.#reserved.length,
      lastError: this.#lastError?.text,
      lastErrorAt: this.#lastError?.at,
      lastSeen: this.#lastSeen,
      commandsLastMinute: this.#commands.count,
      connectsLastMinute: this.options.connectsTo(this.host, this.host.via ?? []).count,
      sessionsGranted: lanes.find(({ granted }) => granted !== undefined)?.granted ?? this.#granted,
      hostKey: lanes[0]?.connection.hostKey,
    };
  }

  async close(failure: Failure): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#held);
    this.#failAll(failure);
    await Promise.all([...this.#lanes].map(({ connection }) => connection.close()));
  }

  #pump(): void {
    if (this.#closed) return;
    for (const lane of this.#lanes) if (lane.retired && lane.open === lane.stuck) this.#drop(lane);
    this.#serve(this.#reserved, true);
    this.#serve(this.#ordinary, false);
    this.#watchIdle();
  }

  #serve(orders: Order[], reserved: boolean): void {
    const free = () => [...this.#lanes].find((lane) => lane.hasRoom(reserved));
    const most = this.host.limits?.concurrent ?? Number.POSITIVE_INFINITY;
    const full = () => !reserved && [...this.#lanes].reduce((sum, lane) => sum + lane.commands, 0) >= most;
    for (let lane = free(); lane && orders.length > 0 && !full(); lane = free()) {
      const order = orders.shift();
      if (order) lane.run(order);
    }
    if (orders.length > 0 && !full()) this.#connectFor(reserved);
  }

  /** Channels that are in use. */
  #running(): number {
    return [...this.#lanes].reduce((sum, { open }) => sum + open, 0);
  }

  /** What a waiting order may ask for: the first connection, or the one more that keeps it from waiting for ever. */
  #connectFor(reserved: boolean): void {
    const lanes = [...this.#lanes].filter((lane) => !lane.retired);
    const shared = lanes.filter((lane) => !lane.forReserved);
    const [first, ...others] = shared;
    if (!first) void this.#connect('any');
    else if (reserved && !lanes.some((lane) => lane.forReserved)) void this.#connect('reserved');
    else if (!reserved && others.length === 0 && first.limit <= 2) this.#connectWhenHeld(first);
  }

  #connectWhenHeld(lane: Lane): void {
    const wait = Math.max(lane.lastClose + HELD_MS, this.#extraFrom) - performance.now();
    clearTimeout(this.#held);
    if (wait <= 0) void this.#connect('any');
    else this.#held = setTimeout(() => this.#pump(), wait);
  }

  async #connect(kind: 'any' | 'reserved'): Promise<void> {
    if (this.#connecting.has(kind)) return;
    const refusal = this.#countConnect(kind === 'reserved' || this.#reserved.length > 0);
    if (refusal) return this.#noWay(false, refusal);
    this.#connecting.add(kind);
    try {
      const connection = await this.options.connect(this.host);
      this.#connecting.delete(kind);
      if (this.#closed) return void connection.close();
      this.#lastError = undefined;
      this.#lastSeen = Date.now();
      this.options.onConnection?.(this.host);
      this.#addLane(connection, kind === 'reserved');
    } catch (error) {
      this.#connecting.delete(kind);
      const failure = asFailure(error);
      this.options.onConnection?.(this.host, failure);
      this.#noWay(kind === 'reserved', withNotes(this.host, failure));
    }
    this.#pump();
  }

  /** Every hop of the way is knocked at as well. What runs has to be ended, so for that nobody is counted out. */
  #countConnect(forKilling: boolean): Failure | undefined {
    const way = [...(this.host.via ?? []), this.host];
    const doors = way.map((host, i) => ({
      host,
      rate: this.options.connectsTo(host, way.slice(0, i)),
      most: host.limits?.connectsPerMinute ?? CONNECTS_PER_MINUTE,
    }));
    const shut = doors.find(({ rate, most }) => rate.wait(most) !== undefined);
    if (shut && !forKilling) return overLimit(shut.host, shut.most, 'connection', shut.rate.wait(shut.most));
    for (const { rate } of doors) rate.add();
    return undefined;
  }

  #addLane(connection: Connection, forReserved: boolean): void {
    const lane = new Lane(connection, this.options.maxChannels, forReserved, {
      changed: () => {
        this.#lastSeen = Date.now();
        this.#granted = lane.granted ?? this.#granted;
        this.#pump();
      },
      again: (order) => {
        this.#putBack(order);
        this.#pump();
      },
      hopeless: (order, failure) => {
        this.#granted = 0;
        this.#putBack(order);
        this.#noWay(forReserved, failure);
        this.#pump();
      },
    });
    this.#lanes.add(lane);
    const lost = () => {
      this.#lanes.delete(lane);
      if (lane.retired || this.#closed) return;
      const failure = asFailure(connection.lost.reason);
      if (lane.open > 0) this.options.onConnection?.(this.host, failure);
      this.#failed(failure);
      this.#pump();
    };
    if (connection.lost.aborted) lost();
    else connection.lost.addEventListener('abort', lost, { once: true });
  }

  #putBack(order: Order): void {
    const gone = order.signal?.aborted || this.#closed;
    if (gone) order.fail(cancelled(`The command on ${order.hostName}`, order.signal?.reason));
    else (order.reserved ? this.#reserved : this.#ordinary).unshift(order);
  }

  #failed({ message }: Failure): void {
    this.#lastError = { text: message, at: Date.now() };
  }

  /** A connection could not be made, or is of no use: fails those that have no other. */
  #noWay(forReserved: boolean, failure: Failure): void {
    this.#failed(failure);
    const alive = [...this.#lanes].some((lane) => !lane.retired);
    if (forReserved) for (const order of this.#reserved.splice(0)) order.fail(failure);
    else if (alive) this.#extraFrom = performance.now() + EXTRA_AGAIN_MS;
    else this.#failAll(failure);
  }

  #failAll(failure: Failure): void {
    for (const order of [...this.#reserved.splice(0), ...this.#ordinary.splice(0)]) order.fail(failure);
  }

  #drop(lane: Lane): void {
    lane.retired = true;
    this.#lanes.delete(lane);
    void lane.connection.close();
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    const busy = this.#connecting.size > 0 || [...this.#lanes].some(({ open, stuck }) => open > stuck);
    if (busy || this.#lanes.size === 0) return;
    this.#idle = setTimeout(() => {
      for (const lane of this.#lanes) this.#drop(lane);
    }, this.options.idleMs);
  }
}

/** The failure with what is noted of the hosts on the way, in its cure. */
function withNotes(host: HostSpec, failure: Failure): Failure {
  const notes = [...(host.via ?? []), host].flatMap((one) => one.notes ?? []);
  if (notes.length === 0 || failure.kind === 'cancelled') return failure;
  const { kind, message, hint, facts, cause, said, sign } = failure;
  return new Failure(kind, message, [hint, ...notes].join(' '), { facts, cause, said, sign });
}

const overLimit = ({ name }: HostSpec, most = 0, what: string, waitMs = 0): Failure =>
  new Failure(
    'busy',
    `${name} may get ${most} ${what}${most === 1 ? '' : 's'} a minute, and had them: this one was not sent.`,
    `Call again in ${Math.ceil(waitMs / 1000)} s; ssh_host_get shows the limits, and ssh_host_set changes them.`,
  );
