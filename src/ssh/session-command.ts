import { randomBytes } from 'node:crypto';
import type { Failure } from '../failure.ts';
import type { Killed } from './kill.ts';
import type { OutputReader, StreamName } from './output.ts';
import { Quiet } from './session-noise.ts';
import type { Inlet, ShellEnd, Sink } from './session-road.ts';
import type { ScriptEnd } from './session-shell.ts';
import { Unread } from './unread.ts';

/** Why a command is ended before its time. */
export type Stop = 'timeout' | 'cancelled' | 'interrupted';

interface LookedFor {
  readonly text: Buffer;
  /** The last bytes of before, in which it may begin. */
  readonly tails: Record<StreamName, Buffer>;
  readonly found: () => void;
}

/** A script that a session runs, or ran. */
export class SessionCommand {
  readonly cookie = randomBytes(16).toString('hex');
  /** When it began and ended, ms since 1970. */
  readonly startedAt = Date.now();
  endedAt: number | undefined;
  exitCode: number | undefined;
  /** How the shell ended, when it did with this command. */
  shell: ShellEnd | undefined;
  forgotten = false;
  cut: ScriptEnd['cut'];
  /** Why it could not run. */
  failure: Failure | undefined;
  /** The shell has gone on from it, or is gone. */
  back = false;
  stop: Stop | undefined;
  /** Settles when that has been done. */
  stopping: Promise<void> | undefined;
  /** What was seen of its processes when it was stopped. */
  killed: Killed | undefined;
  /** Something that an earlier command left in the background may be in its output. */
  mixed = false;
  /** No call waits for it. */
  alone = false;
  /** Settles when it begins, with the children that the shell had before it. */
  readonly begun: Promise<readonly number[]>;
  begin: (children: readonly number[]) => void = () => undefined;
  inlet: Inlet | undefined;
  /** Settles when it is over, and never fails. */
  over: Promise<void> = Promise.resolve();
  readonly unread: Unread;
  #looked: LookedFor | undefined;

  constructor(
    readonly script: string,
    readonly interactive: boolean,
    readonly output: OutputReader,
    private readonly news: () => void,
  ) {
    this.unread = new Unread(output);
    this.begun = new Promise((resolve) => {
      this.begin = resolve;
    });
  }

  /** The first line of its script. */
  get label(): string {
    const line = this.script.trim().split('\n')[0] ?? '';
    return line.length > 80 ? `${line.slice(0, 79)}…` : line;
  }

  get durationMs(): number {
    return (this.endedAt ?? Date.now()) - this.startedAt;
  }

  readonly #quiet = new Quiet((piece) => this.#take('stderr', piece));
  readonly sink: Sink = {
    stdout: (piece) => this.#take('stdout', piece),
    stderr: (piece) => this.#quiet.feed(piece),
  };

  /** No more output comes. */
  end(): Promise<void> {
    this.#quiet.flush();
    return this.output.end();
  }

  /** Calls `found` as soon as the text comes; until then, and for one text at a time. */
  lookFor(text: string, found: () => void): void {
    const none = Buffer.alloc(0);
    this.#looked = { text: Buffer.from(text), tails: { stdout: none, stderr: none }, found };
  }

  #take(name: StreamName, piece: Buffer): void | Promise<void> {
    const taken = this.output[name](piece);
    if (this.#looked) this.#look(name, piece, this.#looked);
    this.news();
    return taken;
  }

  #look(name: StreamName, piece: Buffer, { text, tails, found }: LookedFor): void {
    const all = Buffer.concat([tails[name], piece]);
    tails[name] = Buffer.from(all.subarray(Math.max(0, all.length - text.length + 1)));
    if (!all.includes(text)) return;
    this.#looked = undefined;
    found();
  }
}
