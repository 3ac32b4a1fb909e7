/** A word of a plain command. `literal`: the shell makes exactly this one word of it, whatever there is around. */
export interface PlainWord {
  readonly text: string;
  readonly literal: boolean;
}

export type PlainCommand = readonly PlainWord[];

/**
 * The commands of a script that holds nothing but simple commands in lists and pipelines, each with its words; those of
 * `$( … )` among them. Undefined where there is anything else: assignments, backticks, here-documents, redirections to
 * other places than /dev/null and other streams, groups, functions, process substitution. For telling what is surely
 * harmless, where what is not understood must not pass.
 */
export function plainCommands(script: string): readonly PlainCommand[] | undefined {
  // biome's noControlCharactersInRegex asks for the escapes.
  if (!/^[\t\n\u0020-\u007e\u00a0-\u{10ffff}]*$/u.test(script)) return undefined;
  const reader = new Reader(script);
  return reader.list() ? reader.commands : undefined;
}

const DEEPEST = 6;
/** Words that begin or end something of the shell's own where a program could stand. */
const reserved = new Set(
  'if then else elif fi for while until do done case esac select function in { } ! [[ ]] time coproc'.split(' '),
);
const HARMLESS =
  /(?:[012]?>>?|&>>?)[ \t]*\/dev\/null(?![^\s;&|)])|[012]?>&[012](?![^\s;&|)])|0?<[ \t]*\/dev\/null(?![^\s;&|)])/y;

class Reader {
  readonly commands: PlainCommand[] = [];
  #at = 0;
  #depth = 0;

  constructor(private readonly text: string) {}

  /** Reads to the end, or to the parenthesis that closes; false where something is not plain. */
  list(close = false): boolean {
    if (++this.#depth > DEEPEST) return false;
    let words: PlainWord[] = [];
    const end = (): void => {
      if (words.length > 0) this.commands.push(words);
      words = [];
    };
    for (;;) {
      this.#skip(/(?:[ \t]|\\\n)*/y);
      HARMLESS.lastIndex = this.#at;
      const c = this.text.charAt(this.#at);
      if (c === '' || (close && c === ')')) break;
      if (c === '#') this.#skip(/[^\n]*/y);
      else if (HARMLESS.test(this.text)) this.#at = HARMLESS.lastIndex;
      else if (/[\n;&|]/.test(c)) {
        end();
        this.#at++;
      } else {
        const word = this.#word();
        if (word === undefined || (words.length === 0 && isOfTheShell(word))) return false;
        words.push(word);
      }
    }
    end();
    this.#depth--;
    if (close) this.#at++;
    return !close || this.text.charAt(this.#at - 1) === ')';
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.text)?.[0].length ?? 0;
  }

  #word(): PlainWord | undefined {
    const begin = this.#at;
    let text = '';
    let literal = true;
    for (let c = this.text.charAt(begin); c !== '' && !/[ \t\n;&|)]/.test(c); c = this.text.charAt(this.#at)) {
      const piece = c === "'" ? this.#single() : c === '"' ? this.#double() : this.#bare(c);
      if (piece === undefined) return undefined;
      text += piece.text;
      literal &&= piece.literal;
    }
    return this.#at === begin ? undefined : { text, literal };
  }

  #single(): PlainWord | undefined {
    const end = this.text.indexOf("'", this.#at + 1);
    if (end < 0) return undefined;
    const text = this.text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return { text, literal: true };
  }

  #double(): PlainWord | undefined {
    let text = '';
    let literal = true;
    for (this.#at++; ; ) {
      const c = this.text.charAt(this.#at);
      if (c === '' || c === '`') return undefined;
      if (c === '"') break;
      if (c === '$') {
        if (!this.#expansion()) return undefined;
        literal = false;
      } else {
        if (c === '\\' && /["\\$`\n]/.test(this.text.charAt(this.#at + 1))) this.#at++;
        text += this.text.charAt(this.#at++);
      }
    }
    this.#at++;
    return { text, literal };
  }

  #bare(c: string): PlainWord | undefined {
    if (/[`(<>]/.test(c)) return undefined;
    if (c === '$') return this.#expansion() ? { text: '', literal: false } : undefined;
    if (c === '\\') {
      const next = this.text.charAt(this.#at + 1);
      if (next === '') return undefined;
      this.#at += 2;
      return { text: next === '\n' ? '' : next, literal: true };
    }
    this.#at++;
    return { text: c, literal: !/[*?[\]{}~!^]/.test(c) };
  }

  /** `$NAME`, `${NAME}`, `$(commands)`; a lone `$` and all else is not plain. */
  #expansion(): boolean {
    const name = /\$(?:[A-Za-z_]\w*|[0-9#?@*]|\{[A-Za-z_]\w*\})/y;
    name.lastIndex = this.#at;
    if (name.test(this.text)) {
      this.#at = name.lastIndex;
      return true;
    }
    if (!this.text.startsWith('$(', this.#at) || this.text.startsWith('$((', this.#at)) return false;
    this.#at += 2;
    return this.list(true);
  }
}

const isOfTheShell = ({ text, literal }: PlainWord): boolean =>
  !literal || reserved.has(text) || /^[A-Za-z_]\w*(\[.*\])?\+?=/.test(text);
