import type { ClientChannel } from 'ssh2';
import { Failure } from '../failure.ts';
import type { Connection } from './connect.ts';

/** One command that wants a channel of its own. */
export interface Order {
  readonly hostName: string;
  readonly command: string;
  /** May take the slot that is kept back for killing. */
  readonly reserved: boolean;
  readonly signal?: AbortSignal;
  /**
   * Called in the very turn in which the server took the command, because its end may follow in the next packet.
   * Done when the channel is no longer needed; never rejects.
   */
  start(channel: ClientChannel, connection: Connection): Promise<void>;
  fail(failure: Failure): void;
  /** How often the connection was lost before the command was sent. */
  losses: number;
}

export interface LaneEvents {
  /** A slot is free again, or may be. */
  changed(): void;
  /** Nothing of the order has run; it may be given to any lane. */
  again(order: Order): void;
  /** The server takes no session on this connection, and never did; nothing of the order has run. */
  hopeless(order: Order, failure: Failure): void;
}

type OpenError = Error & { reason?: number | string };

/**
 * A refusal may be an error of the moment: sshd frees a session shortly after it has closed its channel. One more
 * channel is tried after so many that went well, and all of them after so long without a refusal.
 */
const GROW_AFTER = 32;
const FORGET_MS = 30_000;
/** Waits for a server that refuses although nothing of ours is open. */
const REFUSED_WAITS_MS = [5, 25, 100, 400];
/** sshd closes a channel only when its process is gone, so one that outlived everything keeps its slot. */
const STUCK_MS = 5_000;
const MAX_LOSSES = 2;

/** One connection and its channels: `maxChannels` at most, one of them kept back, and fewer if the server says so. */
export class Lane {
  /** Channels that are open, being opened or being closed. */
  open = 0;
  /** Of those, channels that we are done with and that the server does not close. */
  stuck = 0;
  /** Of the open ones, those that run a command and are not stuck; what kills one is not in it. */
  commands = 0;
  #refused = false;
  #given = 0;
  #mostGiven = 0;
  /** When a channel was last closed, by performance.now(). */
  lastClose = performance.now();
  /** Takes no more orders; it is closed when only stuck channels are left. */
  retired = false;
  #allowed: { channels: number; until: number; opened: number } | undefined;
  #refusedEmpty = 0;
  #waiting = false;
  #everOpened = false;

  constructor(
    readonly connection: Connection,
    private readonly maxChannels: number,
    /** Takes reserved orders only. */
    readonly forReserved: boolean,
    private readonly events: LaneEvents,
  ) {}

  /** How many channels the server is believed to allow. */
  get limit(): number {
    if (this.#allowed && this.#allowed.until < performance.now()) this.#allowed = undefined;
    return Math.min(this.#allowed?.channels ?? this.maxChannels, this.maxChannels);
  }

  /** How many channels the server gave at the same time, once it has refused one more. */
  get granted(): number | undefined {
    return this.#refused && this.#mostGiven > 0 ? this.#mostGiven : undefined;
  }

  hasRoom(reserved: boolean): boolean {
    if (this.retired || this.#waiting || this.connection.lost.aborted || (this.forReserved && !reserved)) return false;
    return this.open < (reserved ? this.limit : Math.max(1, this.limit - 1));
  }

  run(order: Order): void {
    this.#take(order);
    try {
      this.connection.client.exec(order.command, (error: OpenError | undefined, channel) => {
        if (!error) this.#opened(order, channel);
        else if (typeof error.reason === 'number') this.#openRefused(order, error, error.reason);
        else if (error.message === 'No response from server') this.#lostBefore(order, error);
        else this.#execRefused(order, error);
      });
    } catch (error) {
      // ssh2 throws "Not connected" at once when the socket is gone.
      this.#lostBefore(order, error);
    }
  }

  #opened(order: Order, channel: ClientChannel): void {
    this.#everOpened = true;
    this.#mostGiven = Math.max(this.#mostGiven, ++this.#given);
    this.#refusedEmpty = 0;
    if (this.#allowed && ++this.#allowed.opened % GROW_AFTER === 0) this.#allowed.channels++;
    channel.on('error', () => {});
    channel.stderr.on('error', () => {});
    const use = { order, closed: false, stuck: false };
    channel.once('close', () => {
      use.closed = true;
      this.#given--;
      this.lastClose = performance.now();
      if (use.stuck) {
        this.stuck--;
        this.#take(order, -1, 0);
      } else this.#take(order, -1);
      this.events.changed();
    });
    void order.start(channel, this.connection).finally(() => this.#release(channel, use));
  }

  #release(channel: ClientChannel, use: { order: Order; closed: boolean; stuck: boolean }): void {
    if (use.closed) return;
    // A channel tells of its close only after everything it brought has been read.
    channel.resume();
    channel.stderr.resume();
    channel.close();
    const timer = setTimeout(() => {
      use.stuck = true;
      this.#take(use.order, 0, -1);
      if (++this.stuck >= this.limit / 2) this.retired = true;
      this.events.changed();
    }, STUCK_MS);
    channel.once('close', () => clearTimeout(timer));
  }

  #take({ reserved }: Order, channels = 1, commands = channels): void {
    this.open += channels;
    if (!reserved) this.commands += commands;
  }

  #execRefused(order: Order, cause: Error): void {
    const { hostName } = order;
    const look = 'Look at the host before you run it again';
    if (this.connection.lost.aborted) {
      const text = `The connection to ${hostName} was lost while a command was started; whether it ran is unknown.`;
      order.fail(new Failure('outcome-unknown', text, `${look}.`, { cause }));
    } else {
      // ssh2 gives no hold on a channel whose command was refused: it stays open as long as the connection does. Nor
      // does it tell a refusal from a session that was closed instead, in which Dropbear up to 2024.85 may run it.
      this.retired = true;
      const text = `${hostName} opened a session and did not take the command in it; whether it ran is unknown.`;
      const cure = `${look}; it may have no process left, its sshd log says why. An old Dropbear wants one at a time.`;
      order.fail(new Failure('outcome-unknown', text, cure, { cause }));
    }
    this.#take(order, -1);
    this.events.changed();
  }

  /** Reason 2 is how sshd says that MaxSessions is reached, 4 is a shortage of resources (RFC 4254, 5.1). */
  #openRefused(order: Order, cause: Error, reason: number): void {
    this.#take(order, -1);
    if (reason !== 2 && reason !== 4) {
      const text = `${order.hostName} does not allow a session on this connection: ${cause.message}.`;
      const cure = 'Check the account and the sshd_config of the host.';
      order.fail(new Failure('permission', text, cure, { cause, said: cause.message }));
      this.events.changed();
      return;
    }
    this.#refused = true;
    this.#allowed = { channels: Math.max(1, this.open), until: performance.now() + FORGET_MS, opened: 0 };
    if (this.open > 0 || this.#mayRecover()) {
      this.events.again(order);
    } else {
      const text = `${order.hostName} let us log in and opens no session at all.`;
      const cure = 'Check MaxSessions in its sshd_config: 0 allows none.';
      this.events.hopeless(order, new Failure('remote-error', text, cure, { cause }));
    }
  }

  /** The server may need a moment; or sessions left behind fill this connection, and a new one has room. */
  #mayRecover(): boolean {
    const wait = REFUSED_WAITS_MS[this.#refusedEmpty++];
    if (wait === undefined) {
      this.retired = true;
      return this.#everOpened;
    }
    this.#waiting = true;
    setTimeout(() => {
      this.#waiting = false;
      this.events.changed();
    }, wait);
    return true;
  }

  #lostBefore(order: Order, cause: unknown): void {
    this.#take(order, -1);
    this.retired = true;
    if (++order.losses <= MAX_LOSSES) {
      this.events.again(order);
      return;
    }
    const lost = `The connection to ${order.hostName} was lost ${order.losses} times before the command was sent`;
    const cure = 'Check the network and the host, then call again.';
    order.fail(new Failure('unreachable', `${lost}; it has not run.`, cure, { cause }));
    this.events.changed();
  }
}
