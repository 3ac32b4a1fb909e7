import type { RemoteText } from '../present/answer.ts';
import { Capture } from './capture.ts';
import { Progress } from './progress.ts';

/** What was read of a command's output. */
export interface Output {
  readonly stdout: RemoteText;
  readonly stderr: RemoteText;
}

/** Reads both streams of one command, and tells of them while they come when `onOutput` is given. */
export class OutputReader {
  readonly #stdout = new Capture();
  readonly #stderr = new Capture();
  readonly #progress: Progress | undefined;

  constructor(onOutput?: (text: string) => void) {
    this.#progress = onOutput && new Progress(onOutput);
  }

  readonly stdout = (chunk: Buffer): void => {
    this.#stdout.add(chunk);
    this.#progress?.add('stdout', chunk);
  };

  readonly stderr = (chunk: Buffer): void => {
    this.#stderr.add(chunk);
    this.#progress?.add('stderr', chunk);
  };

  /** What came so far. */
  output(): Output {
    return { stdout: this.#stdout.text(), stderr: this.#stderr.text() };
  }

  /** Ends the telling. */
  stop(): void {
    this.#progress?.stop();
  }
}
