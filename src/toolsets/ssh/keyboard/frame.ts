import type { Word } from './word.ts';

/** One simple command, without the assignments in front of it. */
export interface Simple {
  readonly words: readonly Word[];
  /** Reads from a pipe, a file or a here-document. */
  readonly fed: boolean;
  /** Writes into a pipe or a file. */
  readonly caught: boolean;
  readonly background: boolean;
  /** Outside of every loop, condition, function and group. */
  readonly top: boolean;
  /** What comes after it in its pipeline; a brace stands for what is no simple command. */
  readonly sinks: readonly (readonly Word[])[];
}

/** What the commands of a list start out with. */
export type Surroundings = Pick<Simple, 'fed' | 'caught' | 'top'>;

/** A command whose surroundings have not been read to their end. */
export interface Draft extends Simple {
  fed: boolean;
  caught: boolean;
  background: boolean;
  readonly sinks: (readonly Word[])[];
}

interface Member {
  readonly from: number;
  readonly to: number;
  readonly words: readonly Word[];
}

const brace: Word = { text: '{', quoted: false, open: false };
const MOST_SINKS = 8;

/** What stands between two words of the shell that belong together, such as `do` and `done`: a list of pipelines. */
export class Frame {
  /** The next thing is a pattern of `case`. */
  expectsPattern = false;
  readonly #begin: number;
  readonly #out: Draft[];
  #around: Surroundings;
  /** The command that is being read, and what it was redirected from and to. */
  #words: Word[] = [];
  #reads = false;
  #writes = false;
  /** Where the compound command that has just been closed begins. */
  #compound: number | undefined;
  /** The pipeline that is being read. */
  #members: Member[] = [];
  #piped = false;
  #from: number;

  constructor(
    readonly opener: string,
    out: Draft[],
    around: Surroundings,
  ) {
    this.#begin = out.length;
    this.#from = out.length;
    this.#out = out;
    this.#around = around;
  }

  /** Whether the next word is the name of a command. */
  get atStart(): boolean {
    return this.#words.length === 0 && this.#compound === undefined;
  }

  /** Whether what begins now reads no keyboard. */
  get fed(): boolean {
    return this.#around.fed || this.#piped || this.#reads;
  }

  /** The word that is all there is of a command so far. */
  get onlyWord(): string | undefined {
    return this.#words.length === 1 ? this.#words[0]?.text : undefined;
  }

  get isCaseHead(): boolean {
    return this.opener === 'case' && this.#words.length === 3 && this.#words[2]?.text === 'in';
  }

  beginPatterns(): void {
    this.forget();
    this.expectsPattern = true;
  }

  /** Whether it was an assignment. */
  add(word: Word): boolean {
    const assigned = this.atStart && /^[A-Za-z_]\w*(\[[^\]]*\])?\+?=/.test(word.text);
    if (!assigned) this.#words.push(word);
    return assigned;
  }

  forget(): void {
    this.#words = [];
  }

  open(opener: string): Frame {
    return new Frame(opener, this.#out, { ...this.#around, fed: this.fed, top: false });
  }

  /** A compound command is over, but for its redirections. */
  closed({ begin }: { readonly begin: number }): void {
    this.#compound = begin;
  }

  get begin(): number {
    return this.#begin;
  }

  redirect(operator: string, target: string): void {
    this.#reads ||= operator.startsWith('<') && target !== '/dev/tty';
    this.#writes ||= operator.startsWith('>');
  }

  /** The command is over; `piped`: the next one reads what it writes. */
  endMember(piped: boolean): void {
    const words = this.#words;
    const { caught, top } = this.#around;
    if (words.length > 0)
      this.#out.push({ words, fed: this.fed, caught: caught || this.#writes, background: false, top, sinks: [] });
    for (const one of this.#compound === undefined ? [] : this.#out.slice(this.#compound)) {
      one.fed ||= this.#reads;
      one.caught ||= this.#writes;
    }
    // From here on standard input is what `exec` made it.
    if (this.onlyWord === 'exec' && this.#reads) this.#around = { ...this.#around, fed: true };
    this.#members.push({ from: this.#from, to: this.#out.length, words: words.length > 0 ? words : [brace] });
    this.#from = this.#out.length;
    this.#words = [];
    this.#reads = false;
    this.#writes = false;
    this.#compound = undefined;
    this.#piped = piped;
  }

  endPipeline(background: boolean): void {
    this.endMember(false);
    const members = this.#members;
    this.#members = [];
    for (const [i, { from, to }] of members.entries()) {
      const sinks = members.slice(i + 1, i + 1 + MOST_SINKS).map(({ words }) => words);
      for (const one of this.#out.slice(from, to)) {
        one.sinks.push(...sinks);
        one.caught ||= sinks.length > 0;
        one.background ||= background;
      }
    }
  }
}
