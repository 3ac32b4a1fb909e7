import { markEnd, markStart } from './session-text.ts';

interface Awaited {
  readonly start: Buffer;
  readonly end: Buffer;
  readonly heard: (said: string) => void;
}

/** A mark tells pids and a folder. A host that never ends one is not listened to for ever. */
const LONGEST_MARK = 1024 * 1024;

/** Takes the marks of a session's shell out of one of its outputs, in the order in which they are awaited. */
export class MarkedStream {
  readonly #pass: (piece: Buffer) => void | Promise<void>;
  readonly #awaited: Awaited[] = [];
  #held: Buffer = Buffer.alloc(0);

  /** `pass` gets everything else; a promise of it while no more can be taken. */
  constructor(pass: (piece: Buffer) => void | Promise<void>) {
    this.#pass = pass;
  }

  /** `heard` is called between the bytes before and those after the mark. */
  await(word: string, heard: (said: string) => void): void {
    this.#awaited.push({ start: Buffer.from(markStart(word)), end: Buffer.from(markEnd(word)), heard });
  }

  /** A promise while no more can be taken. */
  feed(piece: Buffer): void | Promise<void> {
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    const taken: Promise<void>[] = [];
    for (let next = this.#awaited[0]; ; next = this.#awaited[0]) {
      const at = next ? this.#held.indexOf(next.start) : -1;
      const free = next && at < 0 ? this.#held.length - begun(this.#held, next.start) : at < 0 ? this.#held.length : at;
      const promise = free > 0 ? this.#pass(this.#held.subarray(0, free)) : undefined;
      if (promise) taken.push(promise);
      this.#held = this.#held.subarray(free);
      const end = next && at >= 0 ? this.#held.indexOf(next.end, next.start.length) : -1;
      if (next && at >= 0 && end < 0 && this.#held.length > LONGEST_MARK) {
        const word = this.#pass(this.#held.subarray(0, 1));
        if (word) taken.push(word);
        this.#held = this.#held.subarray(1);
        continue;
      }
      if (!next || end < 0) break;
      const said = this.#held.toString('utf8', next.start.length, end);
      this.#held = this.#held.subarray(end + next.end.length);
      this.#awaited.shift();
      next.heard(said);
    }
    return taken.length > 0 ? Promise.all(taken).then(() => undefined) : undefined;
  }

  /** Gives what was held back because a mark might begin in it. */
  flush(): void {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    if (rest.length > 0) void this.#pass(rest);
  }
}

/** How many bytes at the end may be the beginning of the word. */
function begun(bytes: Buffer, word: Buffer): number {
  for (let length = Math.min(bytes.length, word.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(word.subarray(0, length))) return length;
  }
  return 0;
}
