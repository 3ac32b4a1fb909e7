import type { Failure } from '../failure.ts';
import type { Below } from './hunt.ts';
import type { Killed } from './kill.ts';

/** Takes the two outputs of a session's shell piece by piece; a promise while no more can be taken. */
export interface Sink {
  readonly stdout: (piece: Buffer) => void | Promise<void>;
  readonly stderr: (piece: Buffer) => void | Promise<void>;
}

/** How a shell ended. `failure`: why it never began, or what became of it is not known. */
export interface ShellEnd {
  readonly exitCode?: number;
  readonly signal?: string;
  readonly failure?: Failure;
}

/** The standard input of one script. */
export interface Inlet {
  /** The file that the shell opens for it. */
  readonly path: string;
  write(bytes: Buffer): void;
  /** Ends the input. */
  end(): void;
  /** The script is over. */
  close(): void;
}

/** What a session's shell is reached by. All but `open` is of use only when that has settled. */
export interface Road {
  /** Starts the shell, with its outputs going to `sink`. Fails when there is none. */
  open(sink: Sink): Promise<void>;
  /** The shell's, as its own processes count. */
  readonly pid: number;
  /** Settles when the shell is gone; never fails. */
  readonly over: Promise<ShellEnd>;
  write(text: string): void;
  /** Ends the shell's input, at which it exits when it has nothing to do. */
  end(): void;
  /** Ends the shell with all that runs below it. */
  abort(reason?: unknown): void;
  /** A way for input to one script. */
  inlet(): Promise<Inlet>;
  /** Two more files that the shell may make its outputs, and what comes by them goes to `sink`; undefined for no more. */
  outlet(sink: Sink): Promise<{ readonly stdout: string; readonly stderr: string } | undefined>;
  /** Ends what has the cookie and what is below the shell, and gets the shell back to its next command. */
  kill(cookie: string, below: Below, atOnce: boolean): Promise<Killed>;
  /** Interrupts the same, once; the pids, or undefined when nobody could look. */
  interrupt(cookie: string, below: Below): Promise<readonly number[] | undefined>;
}

/** What a session does with its shell besides running scripts in it. */
export type Reins = Pick<Road, 'pid' | 'over' | 'end' | 'abort' | 'inlet' | 'kill' | 'interrupt'>;

/** Bytes that come as they are pushed, to an end. */
export class Feed implements AsyncIterable<Uint8Array> {
  readonly #pieces: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) yield piece;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
