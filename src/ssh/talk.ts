import type { ClientChannel } from 'ssh2';
import type { Secret } from '../secret.ts';
import { type Mark, MarkReader } from './marks.ts';
import type { Wrapped } from './wrap.ts';

export interface TalkOptions {
  readonly password?: Secret;
  /** What the command reads; `open` leaves its stdin to the caller, from when the command runs. */
  readonly stdin?: string | Uint8Array | 'open';
  /** Every byte of stderr that is not the wrapper's. */
  readonly onStderr: (bytes: Buffer) => void;
  /** The command runs. */
  readonly onRunning?: (pid: number) => void;
  /** sudo neither asked for the password nor let us in for 10 s. */
  readonly onStuck: () => void;
}

const SUDO_SILENCE_MS = 10_000;

/**
 * Speaks with the wrapper on the other end, each part in its turn: the password when sudo asks, the script when sudo
 * let us in, the user's stdin when the command runs.
 */
export class Talk {
  /** How often sudo asked for the password. */
  prompts = 0;
  /** Whether sudo let us in; true where none is in between. */
  up: boolean;
  noDirectory = false;
  noUser = false;
  /** The command's shell, once it runs. In a container it is a pid of the container. */
  pid: number | undefined;
  /** The first process on the host, where that is not the command's shell. */
  hostPid: number | undefined;

  readonly #channel: ClientChannel;
  readonly #wrapped: Wrapped;
  readonly #options: TalkOptions;
  readonly #reader: MarkReader;
  // Some versions of `head` read ahead, and sudo may read anything: stdin waits until neither can take of it.
  readonly #holdStdin: boolean;
  #silence: NodeJS.Timeout | undefined;

  constructor(channel: ClientChannel, wrapped: Wrapped, options: TalkOptions) {
    this.#channel = channel;
    this.#wrapped = wrapped;
    this.#options = options;
    this.#holdStdin = wrapped.sudo || wrapped.body !== '';
    this.up = !wrapped.sudo;
    this.#reader = new MarkReader(wrapped.marks, wrapped.sudo, (mark) => this.#hear(mark), options.onStderr);
    channel.stderr.on('data', (chunk: Buffer) => this.#reader.feed(chunk));
    if (wrapped.sudo) this.#awaitSudo();
    else this.#sendScript();
    if (!this.#holdStdin) this.#sendStdin();
  }

  /** To be called when the command is over: nothing is waited for any more, and no byte of stderr held back. */
  close(): void {
    clearTimeout(this.#silence);
    this.#reader.flush();
  }

  #hear(mark: Mark): void {
    clearTimeout(this.#silence);
    if (mark.kind === 'prompt') this.#answerSudo();
    if (mark.kind === 'no-directory') this.noDirectory = true;
    if (mark.kind === 'no-user') this.noUser = true;
    if (mark.kind === 'up') {
      this.hostPid = mark.pid;
      if (this.up) return;
      this.up = true;
      this.#sendScript();
    }
    if (mark.kind === 'at') {
      this.pid = mark.pid;
      if (this.#holdStdin) this.#sendStdin();
      this.#options.onRunning?.(mark.pid);
    }
  }

  #answerSudo(): void {
    this.prompts += 1;
    this.#awaitSudo();
    const { password } = this.#options;
    // The second prompt is the refusal of the first answer.
    if (this.prompts === 1 && password) this.#channel.write(`${password.reveal()}\n`);
    else this.#channel.end();
  }

  #awaitSudo(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#options.onStuck(), SUDO_SILENCE_MS);
  }

  #sendScript(): void {
    if (this.#wrapped.body !== '') this.#channel.write(this.#wrapped.body);
    if (this.#options.stdin === undefined) this.#channel.end();
  }

  #sendStdin(): void {
    const { stdin } = this.#options;
    if (stdin !== undefined && stdin !== 'open') this.#channel.end(stdin);
  }
}
