/** The standard input of a process: bytes that came, and more until its end. */
export class Input {
  #waiting = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void)[] = [];

  static of(data: Buffer): Input {
    const input = new Input();
    input.push(data);
    input.end();
    return input;
  }

  push(data: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, data]);
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  /** Everything to the end. */
  async all(): Promise<Buffer> {
    while (!this.#ended) await this.#more();
    return this.#cut(this.#waiting.length);
  }

  /** So many bytes, or fewer at the end. */
  async take(bytes: number): Promise<Buffer> {
    while (!this.#ended && this.#waiting.length < bytes) await this.#more();
    return this.#cut(bytes);
  }

  /** The next line with its newline, the last one perhaps without; empty at the end. */
  async line(): Promise<Buffer> {
    while (!this.#ended && !this.#waiting.includes(10)) await this.#more();
    const newline = this.#waiting.indexOf(10);
    return this.#cut(newline === -1 ? this.#waiting.length : newline + 1);
  }

  #cut(bytes: number): Buffer {
    const head = this.#waiting.subarray(0, bytes);
    this.#waiting = this.#waiting.subarray(bytes);
    return head;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
