import { StringDecoder } from 'node:string_decoder';

const EVERY_MS = 500;
const LONGEST = 16 * 1024;

/** Passes on what came since the last time, at most twice a second; of a flood only the newest 16 Ki characters. */
export class Progress {
  readonly #tell: (text: string) => void;
  readonly #decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  add(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#text = (this.#text + this.#decoders[stream].write(chunk)).slice(-LONGEST);
    this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS);
  }

  /** Nothing is told after this. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#text = '';
  }

  #flush(): void {
    this.#timer = undefined;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#tell(text);
  }
}
