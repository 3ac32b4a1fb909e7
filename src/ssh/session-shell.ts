import { Failure } from '../failure.ts';
import type { Road, ShellEnd, Sink } from './session-road.ts';
import { MarkedStream } from './session-stream.ts';
import { beginText, holdersText, moveText, newWord, scriptText } from './session-text.ts';

/** What a script is run with. */
export interface ScriptRun {
  readonly script: string;
  readonly cookie: string;
  /** The file that it reads. */
  readonly stdin: string;
  /** Takes its output. */
  readonly sink: Sink;
  /** It begins; children of the shell that were there before. */
  readonly begun: (children: readonly number[]) => void;
}

/** How a script ended; `shell` when the shell ended with it. */
export interface ScriptEnd {
  readonly exitCode?: number;
  readonly shell?: ShellEnd;
  /** Nothing of what it changed is there for the next one. */
  readonly forgotten?: boolean;
  /** Streams of which only the beginning is known. */
  readonly cut?: readonly ('stdout' | 'stderr')[];
}

/** What runs the scripts of a session. */
export interface ScriptShell {
  /** Its directory after the last script. */
  readonly cwd: string | undefined;
  /** Something that was left behind may be in the output of a script. */
  readonly mixes: boolean;
  open(): Promise<void>;
  /** Runs a script, to its end or the shell's. */
  run(run: ScriptRun): Promise<ScriptEnd>;
}

/** A place that the shell writes to. */
interface Outlet {
  readonly stdout: MarkedStream;
  readonly stderr: MarkedStream;
  /** Who holds it besides what scripts leave behind. */
  holders: readonly number[];
}

/** What the shell answers at once takes no longer, unless it is not there any more. */
const ANSWER_MS = 20_000;

/**
 * The shell of a session: runs one script at a time, and tells what a script says from what others left behind say. For
 * that it writes to another place once something that was left behind holds the one before.
 */
export class SessionShell implements ScriptShell {
  cwd: string | undefined;
  mixes = false;
  readonly #road: Road;
  readonly #strays: Sink;
  #outlet: Outlet;
  #script: Sink | undefined;
  /** Which outputs are the script's now. */
  readonly #own = { stdout: false, stderr: false };
  #maybeHeld = false;
  #opened = false;

  /** `strays` takes what is no script's. */
  constructor(road: Road, strays: Sink) {
    this.#road = road;
    this.#strays = strays;
    this.#outlet = this.#newOutlet();
  }

  /** Starts it. What start-up files of the login say is dropped. */
  async open(): Promise<void> {
    await this.#road.open(into(this.#outlet));
    const said = await this.#ask(beginText, 'both');
    this.#opened = true;
    const [holders = '', cwd] = said.split('|');
    this.#outlet.holders = numbers(holders);
    this.cwd = cwd;
  }

  async run({ script, cookie, stdin, sink, begun }: ScriptRun): Promise<ScriptEnd> {
    await this.#leaveStrays();
    const words = { begin: newWord(), end: newWord() };
    const { stdout, stderr } = this.#outlet;
    const ended = new Promise<string>((resolve) => {
      let open = 2;
      let said = '';
      const end = (name: 'stdout' | 'stderr') => (text: string) => {
        this.#own[name] = false;
        said = said || text;
        open -= 1;
        if (open === 0) resolve(said);
      };
      stdout.await(words.begin, (children) => {
        this.#own.stdout = true;
        begun(numbers(children));
      });
      stderr.await(words.begin, () => {
        this.#own.stderr = true;
      });
      stdout.await(words.end, end('stdout'));
      stderr.await(words.end, end('stderr'));
    });
    this.#script = sink;
    this.#road.write(scriptText({ script, cookie, stdin, ...words }));
    const said = await Promise.race([ended, this.#road.over]);
    if (typeof said !== 'string') {
      for (const stream of [stdout, stderr]) stream.flush();
      this.#script = undefined;
      return { exitCode: said.exitCode, shell: said };
    }
    this.#script = undefined;
    const [code, children = '', ...cwd] = said.split('|');
    this.#maybeHeld ||= numbers(children).length > 0;
    this.cwd = cwd.join('|');
    return { exitCode: Number(code) };
  }

  /** Writes to another place when what was left behind holds the one that it writes to. */
  async #leaveStrays(): Promise<void> {
    if (!this.#maybeHeld) return;
    const known = this.#outlet.holders;
    const held = numbers(await this.#ask(holdersText)).some((pid) => !known.includes(pid));
    this.#maybeHeld = held;
    this.mixes = false;
    if (!held) return;
    const outlet = this.#newOutlet();
    const files = await this.#road.outlet(into(outlet)).catch(() => undefined);
    if (!files) {
      this.mixes = true;
      return;
    }
    this.#outlet = outlet;
    this.#maybeHeld = false;
    await this.#ask((word) => moveText(word, files.stdout, files.stderr), 'both');
  }

  /** Gives the shell a line when no script runs, and what it says then. */
  async #ask(line: (word: string) => string, by: 'stdout' | 'both' = 'stdout'): Promise<string> {
    const word = newWord();
    const said = new Promise<string>((resolve) => this.#outlet.stdout.await(word, resolve));
    if (by === 'both') this.#outlet.stderr.await(word, () => undefined);
    this.#road.write(line(word));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Failure>((resolve) => {
      timer = setTimeout(() => resolve(silent()), ANSWER_MS);
    });
    const answer = await Promise.race([said, this.#road.over, late]);
    clearTimeout(timer);
    if (typeof answer === 'string') return answer;
    throw answer instanceof Failure ? answer : (answer.failure ?? gone(answer));
  }

  #newOutlet(): Outlet {
    const stream = (name: 'stdout' | 'stderr', of: () => Outlet) =>
      new MarkedStream((piece) => {
        if (!this.#opened) return undefined;
        const current = of() === this.#outlet;
        if (current && this.#own[name] && this.#script) return this.#script[name](piece);
        // What comes when no script runs has somebody who says it.
        if (current) this.#maybeHeld = true;
        return this.#strays[name](piece);
      });
    const outlet: Outlet = {
      stdout: stream('stdout', () => outlet),
      stderr: stream('stderr', () => outlet),
      holders: [],
    };
    return outlet;
  }
}

const into = ({ stdout, stderr }: Outlet): Sink => ({
  stdout: (piece) => stdout.feed(piece),
  stderr: (piece) => stderr.feed(piece),
});

const numbers = (text: string): number[] => text.split(' ').filter(Boolean).map(Number);

const silent = (): Failure =>
  new Failure(
    'remote-error',
    'The shell of the session does not answer.',
    'Close the session with ssh_session_close, and open another.',
  );

const gone = ({ exitCode, signal }: ShellEnd): Failure =>
  new Failure(
    'remote-error',
    `The shell of the session ended at once, ${signal ? `by signal ${signal}` : `with exit code ${exitCode}`}.`,
    'The login needs a POSIX shell; ssh_exec tells more.',
  );
