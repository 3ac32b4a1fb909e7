import { RemoteText } from '../present/answer.ts';
import { Capture, WHOLE } from './capture.ts';
import type { Scrub, Spool } from './keep.ts';

export interface KeptOptions {
  /** Opens the file that all goes to once it is more than memory keeps. */
  readonly open?: () => Spool;
  /** Takes secrets out at the entrance, so that what is read by offsets holds no part of one. */
  readonly scrub?: Scrub;
}

/** One stream of a command's output: its first and last MiB in memory, all of it in a file when it is longer. */
export class Kept {
  readonly #memory = new Capture();
  readonly #options: KeptOptions;
  #spool: Spool | undefined;

  constructor(options: KeptOptions = {}) {
    this.#options = options;
  }

  /** How many bytes can be read. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** A promise while no more can be taken. */
  add(piece: Buffer): Promise<void> | undefined {
    return this.#take(this.#options.scrub?.push(piece) ?? piece);
  }

  /** Takes the stream for ended; settles when its file is written. */
  async end(): Promise<void> {
    const rest = this.#options.scrub?.end();
    if (rest && rest.length > 0) void this.#take(rest);
    await this.#spool?.end();
  }

  /** The text so far, with the file that has all of it where there is one. */
  text(): RemoteText {
    const { text, totals } = this.#memory.text();
    const { file, sha256, lacks } = this.#spool ?? {};
    return new RemoteText(text, totals, this.#spool && { file, sha256, lacks });
  }

  /** At most so many bytes from an offset on; `from` is where they begin, which is later when those before are gone. */
  async read(from: number, most: number): Promise<{ readonly from: number; readonly bytes: Buffer }> {
    const near = this.#memory.slice(from, most);
    if (near) return { from, bytes: near };
    const bytes = (await this.#spool?.read(from, most)) ?? Buffer.alloc(0);
    if (bytes.length > 0) return { from, bytes };
    const start = Math.max(from, this.bytes - (WHOLE >> 1));
    return { from: start, bytes: this.#memory.slice(start, most) ?? Buffer.alloc(0) };
  }

  #take(bytes: Buffer): Promise<void> | undefined {
    if (!this.#spool && this.bytes + bytes.length > WHOLE) {
      this.#spool = this.#options.open?.();
      const before = this.#memory.whole();
      if (before) void this.#spool?.write(before);
    }
    this.#memory.add(bytes);
    return this.#spool?.write(bytes);
  }
}
