import type { ClientChannel } from 'ssh2';
import type { HostSpec } from './client.ts';
import { LOOK_SCRIPT } from './hunt.ts';
import type { As } from './kill.ts';
import type { Pool } from './pool.ts';
import { quote } from './quote.ts';
import { Talk } from './talk.ts';
import { newMarks, wrap } from './wrap.ts';

interface Order {
  readonly line: string;
  readonly answer: (answer: string | undefined) => void;
}

/** Of tens of thousands of processes. A host that never ends its line is not listened to for ever. */
const LONGEST_ANSWER = 1024 * 1024;

/** One channel on which looks are taken; what is ordered while one is taken is looked for together, by the next. */
export class Watch {
  users = 0;
  /** Nobody answers here any more. */
  over = false;
  readonly #closing = new AbortController();
  #ordered: Order[] = [];
  #looking: Order[] = [];
  #channel: ClientChannel | undefined;
  /** The line that has not ended. */
  #begun = '';

  constructor(pool: Pool, host: HostSpec, as: As) {
    const end = () => {
      this.over = true;
      for (const { answer } of [...this.#looking.splice(0), ...this.#ordered.splice(0)]) answer(undefined);
    };
    // Why it could not be opened does not matter here: the answer is that nobody could look.
    this.#open(pool, host, as).then(end, end);
  }

  /** Gives the script one order; its answer, or undefined when there is none to be had. */
  ask(line: string): Promise<string | undefined> {
    return new Promise((answer) => {
      if (this.over) return answer(undefined);
      this.#ordered.push({ line, answer });
      this.#look();
    });
  }

  close(): void {
    this.#closing.abort();
  }

  #look(): void {
    if (!this.#channel || this.#looking.length > 0 || this.#ordered.length === 0) return;
    this.#looking = this.#ordered.splice(0);
    this.#channel.write(`${this.#looking.map(({ line }) => line).join('\n')}\ngo\n`);
  }

  #hear(line: string): void {
    this.#looking.shift()?.answer(line);
    this.#look();
  }

  #open(pool: Pool, host: HostSpec, as: As): Promise<void> {
    const { signal } = this.#closing;
    const wrapped = wrap(host, { script: `exec sh -c ${quote(LOOK_SCRIPT)}`, timeoutMs: 0, ...as }, newMarks());
    const use = async (channel: ClientChannel) => {
      const over = new Promise<void>((resolve) => {
        channel.on('close', resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      channel.on('data', (piece: Buffer) => {
        const lines = (this.#begun + piece.toString()).split('\n');
        this.#begun = lines.pop() ?? '';
        for (const line of lines) this.#hear(line);
        if (this.#begun.length > LONGEST_ANSWER) channel.close();
      });
      const talk = new Talk(channel, wrapped, {
        password: host.sudoPassword,
        stdin: 'open',
        onStderr: () => {},
        onRunning: () => {
          this.#channel = channel;
          this.#look();
        },
        onStuck: () => channel.close(),
      });
      if (!signal.aborted) await over;
      talk.close();
    };
    return pool.withChannel(host, wrapped.line, use, { reserved: true, signal });
  }
}
