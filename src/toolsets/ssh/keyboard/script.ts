import { type Draft, Frame, type Simple, type Surroundings } from './frame.ts';
import { WordReader } from './word.ts';

/** What a script runs by itself: each simple command with what it is connected to, and the functions it defines. */
export interface Script {
  readonly commands: readonly Simple[];
  readonly functions: ReadonlySet<string>;
}

/**
 * Reads shell text as far as it takes to tell commands from what only looks like one: quotes, comments, here-documents,
 * patterns of `case`, words of `for`, tests and arrays. `fed`: its standard input is no keyboard from the start. Never
 * throws; of text that is no shell it may make anything.
 */
export function readScript(text: string, fed = false): Script {
  const reader = new Reader(text);
  reader.list(undefined, { fed, caught: false, top: true });
  return reader;
}

/** Lists within lists, and compound commands within one another, that are looked into. */
const DEEPEST = 40;

const openers = new Set(['if', 'while', 'until', 'for', 'select', 'case', '{']);
const headed = new Set(['for', 'select', 'case']);
const closers = new Set(['fi', 'done', 'esac', '}']);
const fillers = new Set(['then', 'do', 'else', 'elif', '!', 'coproc']);

class Reader implements Script {
  readonly commands: Draft[] = [];
  readonly functions = new Set<string>();
  readonly #words: WordReader;
  #depth = 0;
  /** Whether what is being read reads no keyboard. */
  #fed = false;

  constructor(text: string) {
    this.#words = new WordReader(text, {
      list: (close, { fed, caught }) => this.list(close, { fed: fed || this.#fed, caught, top: false }),
      text: (inner) => this.#take(readScript(inner, this.#fed)),
    });
  }

  /** Reads commands up to `close`, or to the end of the text. */
  list(close: ')' | undefined, around: Surroundings): void {
    const words = this.#words;
    const frames = [new Frame('', this.commands, around)];
    if (++this.#depth > DEEPEST) words.skipAll();
    while (!words.ended) {
      if (frames.length > DEEPEST) words.skipAll();
      if (close !== undefined && frames.length === 1 && !frames[0]?.expectsPattern && words.take(close)) break;
      this.#step(frames, frames.at(-1) as Frame);
    }
    while (frames.length > 1) this.#close(frames);
    frames[0]?.endPipeline(false);
    this.#depth--;
    this.#fed = around.fed;
  }

  #take({ commands, functions }: Script): void {
    for (const one of commands) this.commands.push({ ...one, caught: true, top: false, sinks: [] });
    for (const one of functions) this.functions.add(one);
  }

  #step(frames: Frame[], frame: Frame): void {
    const words = this.#words;
    this.#fed = frame.fed;
    if (frame.expectsPattern) this.#pattern(frames, frame);
    else if (words.take('\n')) {
      frame.endPipeline(false);
      words.skipHereDocuments();
    } else if (words.take(';;') || words.take(';&')) {
      frame.endPipeline(false);
      frame.expectsPattern = frame.opener === 'case';
    } else if (words.take('&&') || words.take('||') || words.take(';')) frame.endPipeline(false);
    else if (words.take('&>')) this.#redirect(frame, '>', true);
    else if (words.take('&')) frame.endPipeline(true);
    else if (words.take('|&') || words.take('|')) frame.endMember(true);
    else if (words.take('(')) this.#parenthesis(frames, frame);
    else if (words.take(')')) {
      if (frame.opener === '(') this.#close(frames);
    } else if (!words.takeBlank() && !words.takeComment()) this.#wordOrRedirection(frames, frame);
  }

  #wordOrRedirection(frames: Frame[], frame: Frame): void {
    const words = this.#words;
    const redirection = words.redirection();
    if (redirection) {
      this.#redirect(frame, redirection.operator, redirection.own);
      return;
    }
    const word = words.word();
    if (word === undefined) {
      words.skip();
      return;
    }
    if (frame.atStart && !word.quoted && this.#reserved(frames, frame, word.text)) return;
    // `a=(…)`: the words of an array.
    if (frame.add(word) && word.text.endsWith('=') && words.take('(')) words.skipWords();
    if (frame.isCaseHead) frame.beginPatterns();
  }

  /** Whether the word was one of the shell's own. */
  #reserved(frames: Frame[], frame: Frame, word: string): boolean {
    if (closers.has(word) && frame.opener !== '(') this.#close(frames);
    else if (word === '[[') this.#words.skipTest();
    else if (word === 'function') this.#function();
    else if (openers.has(word)) {
      const inner = frame.open(word);
      frames.push(inner);
      if (headed.has(word)) inner.add({ text: word, quoted: false, open: false });
    } else return fillers.has(word);
    return true;
  }

  /** `function name`, and the parentheses behind it if there are any. */
  #function(): void {
    const words = this.#words;
    words.takeBlanks();
    this.functions.add(words.word()?.text ?? '');
    words.takeBlanks();
    if (words.take('(')) words.skipWords();
  }

  #parenthesis(frames: Frame[], frame: Frame): void {
    const words = this.#words;
    const name = frame.onlyWord;
    if (words.take('(')) words.skipArithmetic();
    else if (name !== undefined && words.take(')')) {
      this.functions.add(name);
      frame.forget();
    } else frames.push(frame.open('('));
  }

  #close(frames: Frame[]): void {
    const frame = frames.at(-1) as Frame;
    frame.endPipeline(false);
    if (frames.length === 1) return;
    frames.pop();
    frames.at(-1)?.closed(frame);
  }

  #redirect(frame: Frame, operator: string, own: boolean): void {
    this.#words.takeBlanks();
    const target = this.#words.word()?.text ?? '';
    const isDocument = operator === '<<' || operator === '<<-';
    if (isDocument) this.#words.expectHereDocument(target, operator === '<<-');
    frame.redirect(own ? operator : '', target);
  }

  #pattern(frames: Frame[], frame: Frame): void {
    const words = this.#words;
    if (words.take(')')) frame.expectsPattern = false;
    else if (!words.take('\n') && !words.takeBlank() && !words.takeComment()) {
      const word = words.word();
      if (word === undefined) words.skip();
      else if (word.text === 'esac' && !word.quoted) {
        frame.expectsPattern = false;
        this.#close(frames);
      }
    }
  }
}
