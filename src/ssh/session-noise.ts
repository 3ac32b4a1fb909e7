/** What an interactive bash says when a program was ended by a signal, because there is no terminal to set right. */
const WHOLE = /^bash: \[\d+: \d+ \(\d+\)\] tcsetattr: [^\n]*\n/;
const BEGUN = /^(b|ba|bas|bash|bash:|bash: |bash: \[[\d: ()]*\]?( (t\w{0,8}|tcsetattr:[^\n]{0,200})?)?)$/;

/** Passes stderr on without the lines that only our way to run bash makes it say. */
export class Quiet {
  #held = '';
  #lineStart = true;

  constructor(private readonly pass: (piece: Buffer) => void | Promise<void>) {}

  feed(piece: Buffer): void | Promise<void> {
    // Byte for byte: what is cut may be in the middle of a character.
    let text = this.#held + piece.toString('latin1');
    this.#held = '';
    let passed = '';
    while (text !== '') {
      if (this.#lineStart) {
        const noise = WHOLE.exec(text);
        if (noise) {
          text = text.slice(noise[0].length);
          continue;
        }
        if (BEGUN.test(text)) {
          this.#held = text;
          break;
        }
      }
      const end = text.indexOf('\n') + 1;
      const line = end > 0 ? text.slice(0, end) : text;
      passed += line;
      text = text.slice(line.length);
      this.#lineStart = end > 0;
    }
    return passed === '' ? undefined : this.pass(Buffer.from(passed, 'latin1'));
  }

  /** Gives what was held back because such a line might begin in it. */
  flush(): void {
    const rest = Buffer.from(this.#held, 'latin1');
    this.#held = '';
    if (rest.length > 0) void this.pass(rest);
  }
}
