/**
 * Shell text as simple commands, each a list of words with their quotes taken off. `>` and `<` are words of their own;
 * comments are left out. It is no parser of shell: expansions stay as they are written, and here-documents are read as
 * commands. Text that is quoted is read again as commands, since `sh -c "…"` runs it.
 */
export function commandsIn(script: string, depth = DEEPEST): string[][] {
  // To bash `&>` is a redirection, to other shells the end of a command and a redirection of the next one.
  if (depth === DEEPEST && script.includes('&>')) {
    return [...commandsIn(script.replaceAll('&>', '>')), ...commandsIn(script.replaceAll('&>', '& >'))];
  }
  const { commands, quoted } = new Reader(script).read();
  return depth === 0 ? commands : [...commands, ...quoted.flatMap((text) => commandsIn(text, depth - 1))];
}

/** The words of a command without its redirections. */
export function withoutRedirections(words: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    if (!isRedirection(words[i])) {
      kept.push(words[i] ?? '');
      continue;
    }
    while (isRedirection(words[i + 1])) i++;
    i++;
  }
  return kept;
}

const isRedirection = (word: string | undefined): boolean => word === '>' || word === '<';

/** Quotes within quotes that are looked into. */
const DEEPEST = 6;

/** Characters that end a command, and those that may make a quoted word more than a word. */
const breaks = new Set([';', '&', '|', '\n', '(', ')', '`']);
const compound = /[ \t\r\n;&|(`<>]/;

/** Options behind which a word may be shell text. */
const takesText = /^(-[A-Za-z]*[cS]|--(session-)?command|--split-string|trap)$/;

class Reader {
  readonly #commands: string[][] = [[]];
  readonly #quoted: string[] = [];
  #word: string | undefined;
  /** The word has quotes or a backslash. */
  #spelled = false;
  #at = 0;

  constructor(private readonly text: string) {}

  /** `quoted`: the words that had quotes or backslashes and could be commands in their own right. */
  read(): { readonly commands: string[][]; readonly quoted: readonly string[] } {
    while (this.#at < this.text.length) this.#step(this.text.charAt(this.#at++));
    this.#endWord();
    return { commands: this.#commands.filter((words) => words.length > 0), quoted: this.#quoted };
  }

  #step(c: string): void {
    if (c === '\\') this.#escaped();
    else if (c === "'" || c === '"') this.#quotes(c);
    else if (c === '$') this.#dollar();
    else if (c === '#' && this.#word === undefined) this.#comment();
    else if (c === '>' || c === '<') this.#redirection(c);
    else if (breaks.has(c)) this.#endCommand();
    else if (c === ' ' || c === '\t' || c === '\r') this.#endWord();
    else this.#add(c);
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  #escaped(): void {
    this.#spelled = true;
    const next = this.text.charAt(this.#at++);
    if (next !== '\n') this.#add(next);
  }

  #quotes(mark: string): void {
    this.#spelled = true;
    this.#add('');
    for (; this.#at < this.text.length; this.#at++) {
      const c = this.text.charAt(this.#at);
      if (c === mark) break;
      if (c === '\\' && mark === '"') this.#at++;
      this.#add(this.text.charAt(this.#at));
    }
    this.#at++;
  }

  /** `$'…'` and `$"…"` are quotes, `$IFS` is a blank; any other expansion stays as it is written. */
  #dollar(): void {
    const rest = this.text.slice(this.#at, this.#at + 6);
    const blank = /^(IFS(?!\w)|\{IFS\})/.exec(rest)?.[0];
    if (blank !== undefined) {
      this.#at += blank.length;
      this.#endWord();
    } else if (rest.startsWith("'")) this.#ansi();
    else if (!rest.startsWith('"')) this.#add('$');
  }

  /** The rest of `$'…'`, in which a backslash begins an escape. */
  #ansi(): void {
    const [all = '', text = ''] = /'((?:[^'\\]|\\.)*)'?/sy.exec(this.text.slice(this.#at)) ?? [];
    this.#at += all.length;
    this.#add(
      text.replace(/\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3})|(.))/gs, (_, hex, wide, octal, other) => {
        if (other !== undefined) return { n: '\n', t: '\t', r: '\r' }[other as string] ?? other;
        return String.fromCharCode(octal === undefined ? Number.parseInt(hex ?? wide, 16) : Number.parseInt(octal, 8));
      }),
    );
  }

  #comment(): void {
    const end = this.text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.text.length : end;
  }

  #redirection(c: string): void {
    // Right before it, a number or a name in braces is the stream that it is about.
    if (!this.#spelled && /^(\d+|\{\w+\})$/.test(this.#word ?? '')) this.#word = undefined;
    this.#endWord();
    if (/[|&]/.test(this.text.charAt(this.#at))) this.#at++;
    this.#commands.at(-1)?.push(c);
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = undefined;
    this.#spelled = false;
    if (word === undefined) return;
    const words = this.#commands.at(-1) ?? [];
    if (takesText.test(words.at(-1) ?? '') || compound.test(word)) this.#quoted.push(word);
    // `alias x='…'`, `--command='…'`, `-c'…'`.
    const value = /^(?:[\w-]+=|-\w)(.+)$/s.exec(word)?.[1];
    if (value !== undefined && (compound.test(value) || words[0] === 'alias')) this.#quoted.push(value);
    words.push(word);
  }

  #endCommand(): void {
    this.#endWord();
    if (this.#commands.at(-1)?.length) this.#commands.push([]);
  }
}
