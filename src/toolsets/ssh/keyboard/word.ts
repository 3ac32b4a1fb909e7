/** One word of a command, its quotes taken off; substitutions stay as they are written. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
  /** It is one or many words, or none, by what a variable or a substitution holds. */
  readonly open: boolean;
}

export interface Redirection {
  readonly operator: string;
  /** Of standard input or output, not of another stream. */
  readonly own: boolean;
}

/** What reads the commands that stand in a word: up to a parenthesis, or those of a text. */
export interface Nested {
  list(close: ')', around: { readonly fed: boolean; readonly caught: boolean }): void;
  text(inner: string): void;
}

const REDIRECTION = /(\d*)(<<<|<<-|<<|<&|<>|<(?!\()|>>|>&|>\||>(?!\())/y;
const ALL_WORDS = /^\$(@|\*|\{[@*]|\{\w+\[[@*]\])/;

/** Reads shell text from its start to its end, a piece at a time, with what stands inside of words. */
export class WordReader {
  #at = 0;
  readonly #text: string;
  readonly #nested: Nested;
  #hereDocuments: { readonly end: string; readonly indented: boolean }[] = [];

  constructor(text: string, nested: Nested) {
    this.#text = text;
    this.#nested = nested;
  }

  get ended(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Whether `piece` comes next; then it is behind us. */
  take(piece: string): boolean {
    if (!this.#text.startsWith(piece, this.#at)) return false;
    this.#at += piece.length;
    return true;
  }

  takeBlank = (): boolean => this.take(' ') || this.take('\t') || this.take('\r') || this.take('\\\n');

  takeBlanks(): void {
    while (this.takeBlank());
  }

  takeComment(): boolean {
    if (this.#text.charAt(this.#at) !== '#') return false;
    this.#to('\n', 0);
    return true;
  }

  skip(): void {
    this.#at++;
  }

  skipAll(): void {
    this.#at = this.#text.length;
  }

  redirection(): Redirection | undefined {
    REDIRECTION.lastIndex = this.#at;
    const [all = '', stream = '', operator = ''] = REDIRECTION.exec(this.#text) ?? [];
    this.#at += all.length;
    return all === ''
      ? undefined
      : { operator, own: stream === '' || Number(stream) === (operator.startsWith('<') ? 0 : 1) };
  }

  /** The next word, or undefined when what comes next begins none. */
  word(): Word | undefined {
    const begin = this.#at;
    let text = '';
    let quoted = false;
    let open = false;
    for (; !this.ended; ) {
      const c = this.#text.charAt(this.#at);
      if (c === "'" || c === '"' || (c === '$' && /['"]/.test(this.#text.charAt(this.#at + 1)))) {
        quoted = true;
        text += this.#quotes();
        open ||= ALL_WORDS.test(text);
      } else if (c === '$' || c === '`') {
        open ||= text === '' && !quoted;
        text += this.#substitution();
      } else if (c === '\\') {
        this.#at += 2;
        const next = this.#text.charAt(this.#at - 1);
        quoted = true;
        if (next !== '\n') text += next;
      } else if ((c === '<' || c === '>') && this.#text.charAt(this.#at + 1) === '(') {
        this.#at += 2;
        text += c;
        this.#nested.list(')', { fed: c === '>', caught: c === '<' });
      } else if (c === '(' && /[?*+@!]$/.test(text)) {
        this.skip();
        this.#balanced('(', ')');
      } else if (/[\s;&|()<>]/.test(c)) break;
      else {
        text += c;
        this.#at++;
      }
    }
    return this.#at === begin ? undefined : { text, quoted, open };
  }

  /** The rest of `( … )` in which there are words, as of an array. */
  skipWords(): void {
    while (!this.ended && !this.take(')')) {
      if (!this.takeBlank() && !this.takeComment() && this.word() === undefined) this.skip();
    }
  }

  /** The rest of `[[ … ]]`. */
  skipTest(): void {
    while (!this.ended) {
      const word = this.word();
      if (word === undefined) this.skip();
      else if (word.text === ']]') return;
    }
  }

  /** The rest of `(( … ))`. */
  skipArithmetic(): void {
    this.#balanced('(', ')');
    this.take(')');
  }

  expectHereDocument(end: string, indented: boolean): void {
    this.#hereDocuments.push({ end, indented });
  }

  /** At the start of a line: the here-documents that were begun on the one before. */
  skipHereDocuments(): void {
    for (const { end, indented } of this.#hereDocuments.splice(0)) {
      while (!this.ended) {
        const begin = this.#at;
        this.#to('\n', 1);
        const line = this.#text.slice(begin, this.#at).replace(/\r?\n$/, '');
        if ((indented ? line.replace(/^\t+/, '') : line) === end) break;
      }
    }
  }

  #to(mark: string, beyond: number): void {
    const end = this.#text.indexOf(mark, this.#at);
    this.#at = end < 0 ? this.#text.length : end + beyond;
  }

  /** What quotes hold, from the first of them on. */
  #quotes(): string {
    if (this.take("'")) {
      const begin = this.#at;
      this.#to("'", 1);
      return this.#text.slice(begin, this.#at - 1);
    }
    const ansi = this.take("$'");
    if (!ansi && !this.take('$"')) this.take('"');
    const mark = ansi ? "'" : '"';
    let text = '';
    while (!this.ended && !this.take(mark)) {
      const c = this.#text.charAt(this.#at);
      if (c === '\\') {
        text += this.#text.charAt(this.#at + 1);
        this.#at += 2;
      } else if (!ansi && (c === '$' || c === '`')) text += this.#substitution();
      else {
        text += c;
        this.#at++;
      }
    }
    return text;
  }

  /** `$…` and what stands in backticks, as it is written. */
  #substitution(): string {
    const begin = this.#at;
    if (this.take('`')) this.#backticks();
    else if (this.take('$((')) this.skipArithmetic();
    else if (this.take('$(')) this.#nested.list(')', { fed: false, caught: true });
    else if (this.take('${')) this.#balanced('{', '}');
    else this.#at++;
    return this.#text.slice(begin, this.#at);
  }

  #backticks(): void {
    const begin = this.#at;
    for (; !this.ended && this.#text.charAt(this.#at) !== '`'; this.#at++)
      if (this.#text.charAt(this.#at) === '\\') this.#at++;
    this.#nested.text(this.#text.slice(begin, this.#at).replace(/\\([\\`$])/g, '$1'));
    this.#at++;
  }

  /** The rest up to the bracket that closes. */
  #balanced(open: string, close: string): void {
    for (let depth = 1; depth > 0 && !this.ended; ) {
      const c = this.#text.charAt(this.#at);
      if (c === '\\') this.#at += 2;
      else if (c === "'" || c === '"') this.#quotes();
      else {
        if (c === open) depth++;
        if (c === close) depth--;
        this.#at++;
      }
    }
  }
}
