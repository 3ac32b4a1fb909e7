import { asFailure, cancelled, Failure, SHUTDOWN } from '../failure.ts';
import type { OutputReader } from './output.ts';
import { SessionCommand, type Stop } from './session-command.ts';
import type { Reins, ShellEnd, Sink } from './session-road.ts';
import type { ScriptShell } from './session-shell.ts';
import { Turns } from './turns.ts';
import { Unread } from './unread.ts';

/** What a session is, before it begins. */
export interface SessionPlan {
  readonly target: string;
  /** `pve1`, `CT 400 (keycloak)`. */
  readonly label: string;
  readonly name?: string;
  /** The host that it counts for. */
  readonly host: string;
  /** Counts a command for the limits of the host; throws `busy`. */
  readonly count: () => void;
  /** What keeps output. */
  readonly output: (onOutput?: (text: string) => void) => OutputReader;
}

export interface SessionWork {
  readonly script: string;
  readonly stdin?: string;
  /** What it reads is sent to it while it runs. */
  readonly interactive: boolean;
  readonly timeoutMs: number;
  /** How long the call waits for its end once it has begun. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
}

/** A shell and its reins; `strays` takes what is no script's output. */
export type MakeShell = (strays: Sink) => { readonly shell: ScriptShell; readonly reins: Reins };

export type SessionState = 'opening' | 'idle' | 'running' | 'ended' | 'lost';

/** A shell gets so long to give up its script once it was told to, while what runs below it is signalled. */
const BACK_MS = 2_000;
const BEGIN_MS = 1_000;
const CLOSE_MS = 1_500;

/** A shell that stays: what a script leaves of directory, variables and functions is there for the next one. */
export class Session {
  cwd: string | undefined;
  /** How it ended, in words that follow "it"; undefined while it lives. */
  ended: string | undefined;
  lost = false;
  /** When a call last had to do with it, ms since 1970. */
  usedAt = Date.now();
  /** The script that runs. */
  command: SessionCommand | undefined;
  /** The last one that no call waited for, until its end was told. */
  untold: SessionCommand | undefined;
  /** What those say that earlier scripts left behind. */
  readonly strays: Unread;
  readonly #shell: ScriptShell;
  readonly #reins: Reins;
  readonly #turns = new Turns();
  #opened = false;
  #closing: string | undefined;
  #news: (() => void)[] = [];

  constructor(
    readonly id: string,
    readonly plan: SessionPlan,
    make: MakeShell,
  ) {
    const strays = plan.output();
    this.strays = new Unread(strays);
    const take = (name: 'stdout' | 'stderr') => (piece: Buffer) => {
      const taken = strays[name](piece);
      this.#tell();
      return taken;
    };
    const { shell, reins } = make({ stdout: take('stdout'), stderr: take('stderr') });
    this.#shell = shell;
    this.#reins = reins;
  }

  get state(): SessionState {
    if (this.ended !== undefined) return this.lost ? 'lost' : 'ended';
    return this.command ? 'running' : this.#opened ? 'idle' : 'opening';
  }

  /** `pve1 (session s3f9a)`. */
  get title(): string {
    return `${this.plan.label} (session ${this.id})`;
  }

  /** Starts the shell; fails as a command does that could not be run. */
  async open(signal: AbortSignal): Promise<void> {
    const abort = () => this.#reins.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      if (signal.aborted) throw cancelled(`The session on ${this.plan.label}`, signal.reason);
      await this.#shell.open();
    } catch (error) {
      abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    this.#opened = true;
    this.cwd = this.#shell.cwd;
    void this.#reins.over.then((end) => this.#over(end));
  }

  /**
   * Runs a script in its turn. Settles when it is over, or after `waitMs` when it is not: then it goes on without a call.
   * A call that is cancelled while it waits ends the script.
   */
  async run(work: SessionWork): Promise<SessionCommand> {
    this.#refuse();
    const { signal, waitMs } = work;
    const what = `The script for ${this.title}`;
    const done = await this.#turns.take(what, signal, () => this.#full());
    let command: SessionCommand;
    try {
      this.#refuse();
      this.plan.count();
      command = this.#begin(work, done);
    } catch (error) {
      done();
      throw error;
    }
    const abort = () => void this.stop(command, 'cancelled', signal.reason === SHUTDOWN);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    await Promise.race([command.begun, command.over]);
    await within(waitMs, command.over);
    signal.removeEventListener('abort', abort);
    if (signal.aborted) await command.over;
    if (command.endedAt !== undefined) return command;
    command.alone = true;
    command.output.stop();
    this.untold = command;
    // They would wait for what nobody waits for.
    this.#turns.refuse(this.#busy(command));
    return command;
  }

  /** Ends a script with its processes, and the shell when that does not come back from it. Settles when it is over. */
  async stop(command: SessionCommand, why: Stop, atOnce = false): Promise<void> {
    if (!command.back) {
      command.stop ??= why;
      command.stopping ??= this.#hunt(command, atOnce);
    }
    await command.over;
  }

  /** Interrupts what a script waits for, as a terminal would, and the script itself when it waits for nothing. */
  async interrupt(command: SessionCommand): Promise<void> {
    const below = { shell: this.#reins.pid, spare: (await within(BEGIN_MS, command.begun)) ?? [], back: () => true };
    const pids = await this.#reins.interrupt(command.cookie, below);
    if (pids?.length === 0) await this.stop(command, 'interrupted');
  }

  /** Ends it; `why` is told from then on, in words that follow "it". */
  async close(why: string, atOnce = false): Promise<void> {
    if (this.ended !== undefined) return;
    this.#closing ??= why;
    this.#turns.refuse(this.#gone(why));
    if (this.command) await this.stop(this.command, 'interrupted', atOnce);
    this.#reins.end();
    await within(CLOSE_MS, this.#reins.over);
    this.#reins.abort(atOnce ? SHUTDOWN : undefined);
    await this.#reins.over;
  }

  /** Settles at the next piece of output or change of state. */
  news(): Promise<void> {
    return new Promise((resolve) => this.#news.push(resolve));
  }

  #begin(work: SessionWork, done: () => void): SessionCommand {
    const { script, interactive, onOutput } = work;
    const command = new SessionCommand(script, interactive, this.plan.output(onOutput), () => this.#tell());
    this.command = command;
    command.over = this.#attend(command, work).finally(() => {
      this.command = undefined;
      done();
      this.#tell();
    });
    return command;
  }

  /** Sees a script through. */
  async #attend(command: SessionCommand, { stdin, interactive, timeoutMs }: SessionWork): Promise<void> {
    const timer = setTimeout(() => void this.stop(command, 'timeout'), timeoutMs);
    try {
      if (interactive || stdin !== undefined) command.inlet = await this.#reins.inlet();
      if (stdin !== undefined) command.inlet?.write(Buffer.from(stdin));
      if (!interactive) command.inlet?.end();
      if (command.stop) throw this.#notBegun(command.stop);
      const { script, cookie, sink, begin } = command;
      const path = command.inlet?.path ?? '/dev/null';
      const end = await this.#shell.run({ script, cookie, stdin: path, sink, begun: begin });
      command.exitCode = end.exitCode;
      command.shell = end.shell;
      command.forgotten = end.forgotten ?? false;
      command.cut = end.cut;
      command.mixed = this.#shell.mixes;
      this.cwd = this.#shell.cwd;
    } catch (error) {
      command.failure = asFailure(error);
    }
    command.back = true;
    clearTimeout(timer);
    command.inlet?.close();
    await command.stopping;
    await command.end();
    command.endedAt = Date.now();
    this.usedAt = Date.now();
  }

  async #hunt(command: SessionCommand, atOnce: boolean): Promise<void> {
    const reason = atOnce ? SHUTDOWN : undefined;
    const spare = atOnce ? [] : await within(BEGIN_MS, command.begun);
    const giveUp = () => {
      if (!command.back) this.#reins.abort(reason);
    };
    let late: NodeJS.Timeout | undefined;
    const told = () => {
      // Not before: a script that reads would go on at the end of its input.
      command.inlet?.end();
      late = setTimeout(giveUp, BACK_MS);
    };
    if (atOnce) giveUp();
    const below = { shell: this.#reins.pid, spare: spare ?? [], back: () => command.back, told };
    command.killed = await this.#reins.kill(command.cookie, below, atOnce);
    clearTimeout(late);
    giveUp();
  }

  #over({ exitCode, signal, failure }: ShellEnd): void {
    const how = signal === undefined ? `with exit code ${exitCode}` : `by signal ${signal}`;
    this.lost = failure?.kind === 'outcome-unknown' && this.#closing === undefined;
    const aborted = failure && !this.lost ? 'was ended with the script that it did not give up' : undefined;
    this.ended = this.#closing ?? (this.lost ? 'was lost with its connection' : (aborted ?? `ended by itself, ${how}`));
    this.#turns.refuse(this.#gone(this.ended));
    this.#tell();
  }

  #refuse(): void {
    const why = this.ended ?? this.#closing;
    if (why !== undefined) throw this.#gone(why);
    if (this.command?.alone) throw this.#busy(this.command);
  }

  #gone(why: string): Failure {
    const text = `${this.title} takes no more scripts: it ${why}.`;
    return new Failure('conflict', text, `ssh_session_open with target ${this.plan.target} opens another.`);
  }

  #busy(command: SessionCommand): Failure {
    const since = Math.round(command.durationMs / 1000);
    return new Failure(
      'busy',
      `${this.title} has been running a script for ${since} s that no call waits for.`,
      'ssh_session_read shows it, ssh_session_send with key ctrl-c ends it; or open another session.',
    );
  }

  #notBegun(stop: Stop): Failure {
    const what = `The script for ${this.title}`;
    if (stop !== 'timeout') return cancelled(what);
    const text = `${what} had not begun when its time was over; nothing of it has run.`;
    return new Failure('timeout', text, 'Its host may be overloaded. Allow more time.');
  }

  #full(): Failure {
    const text = `${this.#turns.waiting} scripts for ${this.title} are waiting already.`;
    return new Failure('busy', text, 'Wait until some of them have ended, or open another session.');
  }

  #tell(): void {
    for (const tell of this.#news.splice(0)) tell();
  }
}

/** The value, or undefined when it is not there in time. */
export async function within<T>(ms: number, value: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    if (ms !== Number.POSITIVE_INFINITY) timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
