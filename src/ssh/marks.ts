import type { Marks } from './wrap.ts';

/**
 * What the wrapper said on stderr: sudo asks for the password; the host's own part runs (sudo let us in), in a process of
 * this pid; the command runs, in a shell of this pid (inside a container it is a pid of the container); there is no such
 * directory, or no such user.
 */
export type Mark =
  | { readonly kind: 'prompt' | 'no-directory' | 'no-user' }
  | { readonly kind: 'up' | 'at'; readonly pid: number };

/** No line of a mark goes on for longer behind its word; a host that never ends one is not listened to for ever. */
const LONGEST_SAID = 64;

/** Takes the wrapper's marks out of stderr until the command runs; from then on every byte is the command's. */
export class MarkReader {
  readonly #prompt: Buffer;
  readonly #mark: Buffer;
  readonly #tell: (mark: Mark) => void;
  readonly #pass: (bytes: Buffer) => void;
  #pending = Buffer.alloc(0);
  #asking: boolean;
  #over = false;

  constructor(marks: Marks, sudo: boolean, tell: (mark: Mark) => void, pass: (bytes: Buffer) => void) {
    this.#prompt = Buffer.from(marks.prompt);
    this.#mark = Buffer.from(marks.mark);
    this.#asking = sudo;
    this.#tell = tell;
    this.#pass = pass;
  }

  feed(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (!this.#over && this.#step());
    if (this.#over) this.flush();
  }

  /** Gives what is held back because a mark might begin in it. */
  flush(): void {
    if (this.#pending.length > 0) this.#pass(this.#pending);
    this.#pending = Buffer.alloc(0);
  }

  /** Takes one mark off, or all that cannot be part of one; false when more bytes are needed. */
  #step(): boolean {
    const prompt = this.#asking ? this.#pending.indexOf(this.#prompt) : -1;
    const mark = this.#pending.indexOf(this.#mark);
    if (prompt >= 0 && (mark < 0 || prompt < mark)) {
      this.#cut(prompt, prompt + this.#prompt.length);
      this.#tell({ kind: 'prompt' });
      return true;
    }
    const end = mark < 0 ? -1 : this.#pending.indexOf('\n', mark);
    if (end < 0) {
      if (mark >= 0 && this.#pending.length - mark - this.#mark.length > LONGEST_SAID) {
        this.#cut(mark + 1, mark + 1);
        return true;
      }
      const longest = Math.max(this.#mark.length, this.#asking ? this.#prompt.length : 0);
      const free = mark < 0 ? this.#pending.length - longest + 1 : mark;
      if (free > 0) this.#cut(free, free);
      return false;
    }
    const said = this.#pending.subarray(mark + this.#mark.length, end).toString();
    const heard = read(said);
    // A shell that cannot run the wrapper may show its text, marks and all, in a complaint.
    this.#cut(heard ? mark : end + 1, end + 1);
    if (heard) this.#hear(heard);
    return true;
  }

  #hear(mark: Mark): void {
    // Once sudo let us in, its prompt is a mere word: a password is never sent to the command.
    this.#asking = false;
    this.#over = mark.kind !== 'up';
    this.#tell(mark);
  }

  #cut(from: number, to: number): void {
    if (from > 0) this.#pass(this.#pending.subarray(0, from));
    this.#pending = this.#pending.subarray(to);
  }
}

function read(said: string): Mark | undefined {
  if (said === ' cd') return { kind: 'no-directory' };
  if (said === ' user') return { kind: 'no-user' };
  const [, kind, pid] = /^ (up|at) ([0-9]+)$/.exec(said) ?? [];
  return kind === 'up' || kind === 'at' ? { kind, pid: Number(pid) } : undefined;
}
