import { quote } from './quote.ts';

/**
 * Shell text that changes nothing, whatever its arguments; they are its positional parameters. Nothing else runs on a
 * host in read-only mode, so each is a constant of the code, and there is no way to make one of what a caller gave.
 */
export class Reading {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text with these arguments; `invalid-input` for one that no shell can carry. */
  script(args: readonly string[]): string {
    return `set -- ${args.map(quote).join(' ')}\n${this.#text}`;
  }
}
