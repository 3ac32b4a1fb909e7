import type { ClientChannel } from 'ssh2';
import type { Streams } from './client.ts';

/** Connects a command's channel to the streams that the caller gave, at the pace of the slower side. */
export class Pipes {
  /** What a stream threw, once `broken` was called. */
  fault: unknown;
  /** Settles when the piece that is on its way has been taken. */
  taken: Promise<void> = Promise.resolve();
  #over = false;

  constructor(
    private readonly channel: ClientChannel,
    private readonly streams: Streams,
    private readonly broken: () => void,
  ) {}

  /** Passes a piece of stdout on, and reads no more while it is being taken. */
  readonly stdout = (piece: Buffer): void => {
    if (this.#over) return;
    try {
      const taken = this.streams.stdout?.(piece);
      if (!taken) return;
      this.channel.pause();
      this.taken = taken.then(
        () => void this.channel.resume(),
        (error: unknown) => this.#break(error),
      );
    } catch (error) {
      this.#break(error);
    }
  };

  /** Gives the command its input, then the end of it. */
  async feed(): Promise<void> {
    if (!this.streams.stdin) return;
    try {
      for await (const piece of this.streams.stdin) {
        if (this.#over) return;
        if (!this.channel.write(piece)) await this.#drained();
      }
      this.channel.end();
    } catch (error) {
      this.#break(error);
    }
  }

  /** To be called when the command is over: what comes now goes nowhere. */
  close(): void {
    this.#over = true;
  }

  #break(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.fault = error;
    this.channel.resume();
    this.broken();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        this.channel.off('drain', go);
        this.channel.off('close', go);
        resolve();
      };
      this.channel.on('drain', go);
      this.channel.on('close', go);
    });
  }
}
