/** Takes the bytes after the fields; while its promise is open, no more is read. */
export type BodySink = (piece: Buffer) => void | Promise<void>;

/** What an answer begins with. */
const MARK = '\0psm\0';
const LONGEST_HEADER = 256 * 1024;
const MOST_KEPT = 16 * 1024 * 1024;

/** Reads the answer of a script of files as it comes (see script.ts). */
export class Reply {
  /** What was said besides. */
  stderr = '';
  readonly #fields = new Map<string, Buffer>();
  readonly #kept: Buffer[] = [];
  #size = 0;
  #head: Buffer | undefined = Buffer.alloc(0);

  /** Without a sink the body is kept. */
  constructor(private readonly sink?: BodySink) {}

  readonly take = (piece: Buffer): void | Promise<void> => {
    if (this.#head === undefined) return this.#body(piece);
    // What is no answer of ours is not gathered for ever.
    if (this.#head.length > LONGEST_HEADER) return;
    this.#head = Buffer.concat([this.#head, piece]);
    const mark = this.#head.indexOf(MARK);
    const start = mark + MARK.length;
    const end = mark < 0 ? -1 : this.#head[start] === 0 ? start : this.#head.indexOf('\0\0', start) + 1;
    if (end <= 0) return;
    const rest = this.#head.subarray(end + 1);
    this.#parse(this.#head.subarray(start, end));
    this.#head = undefined;
    return rest.length > 0 ? this.#body(rest) : undefined;
  };

  /** Whether all fields came. */
  get complete(): boolean {
    return this.#head === undefined;
  }

  get body(): Buffer {
    return Buffer.concat(this.#kept);
  }

  /** The value of a field; undefined when there is none. What is not UTF-8 in it is shown so. */
  field(name: string): string | undefined {
    return this.#fields.get(name)?.toString();
  }

  #body(piece: Buffer): void | Promise<void> {
    if (this.sink) return this.sink(piece);
    // What is more than any of our scripts tells is a host's that does not keep to them.
    this.#size += piece.length;
    if (this.#size <= MOST_KEPT) this.#kept.push(piece);
  }

  #parse(head: Buffer): void {
    for (let at = 0; at < head.length; ) {
      const end = head.indexOf(0, at);
      const field = head.subarray(at, end < 0 ? head.length : end);
      const equals = field.indexOf('=');
      this.#fields.set(field.subarray(0, equals).toString(), field.subarray(equals + 1));
      at += field.length + 1;
    }
  }
}
