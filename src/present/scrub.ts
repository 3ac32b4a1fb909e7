import { inRegExp, REMOVED, type Redaction } from './redact.ts';

const BEGIN = /-----BEGIN ([A-Z0-9 ]{0,64})PRIVATE KEY-----/;
/** The end of a text in which BEGIN may have begun. */
const BEGUN = /-(?:-(?:-(?:-(?:-(?:B(?:E(?:G(?:I(?:N(?: [A-Z0-9 ]{0,80}-{0,4})?)?)?)?)?)?)?)?)?)?$/;
const LONGEST_MARKER = 100;
const NOTHING = /(?!)/;
/** No private key is longer; what comes after so many bytes without an end belongs to none. */
const LONGEST_KEY = 64 * 1024;

/** The spellings of the held secrets as bytes, each byte a character. */
class Words {
  #of = 0;
  #pattern: RegExp | undefined;
  #byFirst = new Map<string, string[]>();
  #longest = 0;

  constructor(private readonly words: ReadonlySet<string>) {}

  /** `text` without the secrets in it, up to where one may have begun; `rest` is what is undecided. */
  taken(text: string): { readonly safe: string; readonly rest: string } {
    this.#learn();
    const open = this.#begun(text);
    let safe = '';
    let at = 0;
    for (const found of this.#pattern ? text.matchAll(this.#pattern) : []) {
      // A match that begins before the undecided part can be no other, however the text goes on.
      if (found.index >= open) break;
      safe += text.slice(at, found.index) + REMOVED.secret;
      at = found.index + found[0].length;
    }
    const end = Math.max(at, open);
    return { safe: safe + text.slice(at, end), rest: text.slice(end) };
  }

  /** `text` to its end, when nothing follows. */
  all(text: string): string {
    this.#learn();
    return this.#pattern ? text.replace(this.#pattern, REMOVED.secret) : text;
  }

  /** No secret is in `text`, and none begins at its end. */
  isWithout(text: string): boolean {
    this.#learn();
    return this.#begun(text) === text.length && text.search(this.#pattern ?? NOTHING) < 0;
  }

  /** Where the first suffix stands that is the beginning of a secret. */
  #begun(text: string): number {
    for (let i = Math.max(0, text.length - this.#longest + 1); i < text.length; i++) {
      const candidates = this.#byFirst.get(text.charAt(i));
      if (candidates?.some((word) => word.length > text.length - i && word.startsWith(text.slice(i)))) return i;
    }
    return text.length;
  }

  #learn(): void {
    if (this.#of === this.words.size) return;
    this.#of = this.words.size;
    const words = [...this.words].map((word) => Buffer.from(word).toString('latin1'));
    words.sort((a, b) => b.length - a.length);
    this.#longest = words[0]?.length ?? 0;
    this.#pattern = new RegExp(words.map(inRegExp).join('|'), 'g');
    this.#byFirst = new Map();
    for (const word of words) {
      const first = word.charAt(0);
      this.#byFirst.set(first, [...(this.#byFirst.get(first) ?? []), word]);
    }
  }
}

const shared = new WeakMap<ReadonlySet<string>, Words>();

/** One for all streams: what is made of the secrets is the same for each, and takes longer than most streams. */
function wordsOf(words: ReadonlySet<string>): Words {
  const made = shared.get(words) ?? new Words(words);
  shared.set(words, made);
  return made;
}

/**
 * Redaction of a stream of bytes, the same however it comes in pieces: held secrets in every spelling, and private-key
 * blocks from their beginning, without one to the end or for 64 KiB. All other bytes stay as they are.
 */
export class Scrub {
  readonly #words: Words;
  /** Not decided: whether a key begins here, or ends. */
  #open = '';
  /** Not decided: whether a secret begins here. */
  #begun = '';
  #key: { readonly end: string; left: number } | undefined;

  constructor({ words }: Pick<Redaction, 'words'>) {
    this.#words = wordsOf(words);
  }

  /** How many of the pushed bytes are neither given back nor taken out. */
  get held(): number {
    return this.#open.length + this.#begun.length;
  }

  /** What of all that was pushed is known to hold no secret, and was not given before. */
  push(piece: Buffer): Buffer {
    const text = piece.toString('latin1');
    // Almost every piece: itself, so that a long stream leaves no copies behind for the garbage collector.
    if (this.held === 0 && !this.#key && this.#isPlain(text)) return piece;
    this.#open += text;
    let safe = '';
    for (let more = true; more; ) {
      const step: { safe: string; more: boolean } = this.#key ? this.#inKey(this.#key) : this.#outside();
      safe += step.safe;
      more = step.more;
    }
    return Buffer.from(safe, 'latin1');
  }

  /** The rest, when there is no more. */
  end(): Buffer {
    const out: Buffer[] = [];
    while (this.#key) {
      this.#open = this.#open.slice(this.#key.left);
      this.#key = undefined;
      out.push(this.push(Buffer.alloc(0)));
    }
    const rest = this.#words.all(this.#begun + this.#open);
    this.#open = '';
    this.#begun = '';
    return Buffer.concat([...out, Buffer.from(rest, 'latin1')]);
  }

  /** Nothing in it is, begins or may begin a secret or a key. */
  #isPlain(text: string): boolean {
    return !text.includes('-----BEGIN') && !BEGUN.test(text.slice(-LONGEST_MARKER)) && this.#words.isWithout(text);
  }

  #outside(): { safe: string; more: boolean } {
    const begin = this.#open.includes('-----BEGIN') ? BEGIN.exec(this.#open) : null;
    if (begin) {
      const before = this.#words.all(this.#begun + this.#open.slice(0, begin.index));
      this.#open = this.#open.slice(begin.index + begin[0].length);
      this.#begun = '';
      this.#key = { end: `-----END ${begin[1]}PRIVATE KEY-----`, left: LONGEST_KEY };
      return { safe: before + REMOVED.key, more: true };
    }
    const tail = this.#open.slice(-LONGEST_MARKER);
    const partial = BEGUN.exec(tail);
    const decided = this.#open.length - (partial ? tail.length - partial.index : 0);
    const { safe, rest } = this.#words.taken(this.#begun + this.#open.slice(0, decided));
    this.#open = this.#open.slice(decided);
    this.#begun = rest;
    return { safe, more: false };
  }

  #inKey(key: { readonly end: string; left: number }): { safe: string; more: boolean } {
    const end = this.#open.indexOf(key.end);
    const over = end >= 0 && end <= key.left ? end + key.end.length : undefined;
    const gone = over ?? Math.min(key.left, Math.max(0, this.#open.length - key.end.length + 1));
    this.#open = this.#open.slice(gone);
    key.left -= gone;
    if (over === undefined && key.left > 0) return { safe: '', more: false };
    this.#key = undefined;
    return { safe: '', more: true };
  }
}
