/**
 * Text that a guest, a host or somebody else's configuration controls. It is fenced before a model reads it, and cut
 * to head and tail (the kept text in a 0600 file) when an answer would grow past its budget.
 */
export class RemoteText {
  constructor(
    /** The text as it came; for a stream that was cut while it was read: head, a line that says so, tail. */
    readonly text: string,
    /** Bytes that came in all, and how many of them are not in `text`. */
    readonly totals: { readonly bytes: number; readonly omitted: number } = {
      bytes: Buffer.byteLength(text),
      omitted: 0,
    },
    /** Where more of it is kept than `text` holds. */
    readonly kept?: KeptText,
  ) {}
}

/** Where more of a text is. */
export interface KeptText {
  readonly file?: string;
  /** In hex, of what is in that file; without a file, of a text that was cut to be told. */
  readonly sha256?: string;
  /** What the file does not hold, or why there is none, in a few words; absent when it holds all. */
  readonly lacks?: string;
}

/** One value of an answer. `undefined` members are left out of what is sent; there are no nulls. */
export type Fact = string | number | boolean | RemoteText | readonly Fact[] | Facts;
export interface Facts {
  readonly [name: string]: Fact | undefined;
}

/** What a tool gives back: a headline that stands alone, and the facts that decide what to do next. */
export interface Answer {
  readonly headline: string;
  readonly facts: Facts;
}

export const answer = (headline: string, facts: Facts): Answer => ({ headline, facts });

export const remote = (text: string): RemoteText => new RemoteText(text);
