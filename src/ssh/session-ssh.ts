import { asFailure, Failure } from '../failure.ts';
import type { Command, HostSpec, Ssh, Streams } from './client.ts';
import type { Below } from './hunt.ts';
import type { As, Killed, Killer } from './kill.ts';
import { Feed, type Inlet, type Road, type ShellEnd, type Sink } from './session-road.ts';
import { MarkedStream } from './session-stream.ts';
import { newWord, SHELL, say } from './session-text.ts';

/** Who the shell belongs to, and where. */
export type Where = Pick<Command, 'cwd' | 'env' | 'user' | 'sudo' | 'container'>;

const FOLDER = `PSM_D=$(umask 077; mktemp -d "\${TMPDIR:-/tmp}/psm.XXXXXXXX")`;
/** Make pipes with names, tell their folder, and feed or read them. The names go when the shell has opened them. */
const inletText = (word: string): string =>
  `${FOLDER} && mkfifo "$PSM_D/i" && ${say(word, '$PSM_D')} && { rm -rf "$PSM_D"; exec cat; } >"$PSM_D/i"`;
const outletText = (word: string): string =>
  `${FOLDER} && mkfifo "$PSM_D/o" "$PSM_D/e" && ${say(word, '$PSM_D')} && ` +
  '{ { rm -rf "$PSM_D"; exec cat; } <"$PSM_D/e" >&2 & exec cat <"$PSM_D/o"; }';
const PIPE_MS = 15_000;
const LAST_BYTES_MS = 2_000;
const MOST_OUTLETS = 4;

/** The shell of a session over SSH. Each channel has a connection of its own: it is held for long, and none waits for it. */
export class SshRoad implements Road {
  pid = 0;
  over: Promise<ShellEnd> = new Promise(() => undefined);
  readonly #feed = new Feed();
  readonly #stop = new AbortController();
  #outlets = 0;

  constructor(
    private readonly ssh: Ssh,
    private readonly killer: Killer,
    private readonly host: HostSpec,
    private readonly where: Where,
  ) {}

  open(sink: Sink): Promise<void> {
    return new Promise((begun, failed) => {
      const running = (pid: number) => {
        this.pid = pid;
        begun();
      };
      const run = this.#run(SHELL, { stdin: this.#feed, ...sink, running }, this.where);
      run.catch(failed);
      this.over = run.then(
        ({ exitCode, signal }) => ({ exitCode, signal }),
        (error: unknown) => ({ failure: asFailure(error) }),
      );
    });
  }

  write(text: string): void {
    this.#feed.push(Buffer.from(text));
  }

  end(): void {
    this.#feed.end();
  }

  abort(reason?: unknown): void {
    this.#stop.abort(reason);
  }

  async inlet(): Promise<Inlet> {
    const feed = new Feed();
    const { folder, close } = await this.#pipe(inletText, { stdin: feed });
    return {
      path: `${folder}/i`,
      write: (bytes) => feed.push(bytes),
      end: () => feed.end(),
      close: () => {
        feed.end();
        setTimeout(close, LAST_BYTES_MS).unref();
      },
    };
  }

  async outlet(sink: Sink) {
    if (this.#outlets >= MOST_OUTLETS) return undefined;
    this.#outlets += 1;
    const gone = () => {
      this.#outlets -= 1;
    };
    const { folder } = await this.#pipe(outletText, { ...sink, toTheEnd: true }, gone);
    return { stdout: `${folder}/o`, stderr: `${folder}/e` };
  }

  kill(cookie: string, below: Below, atOnce: boolean): Promise<Killed> {
    return this.killer.kill(this.host, this.#as(), { cookie, below, atOnce });
  }

  interrupt(cookie: string, below: Below): Promise<readonly number[] | undefined> {
    return this.killer.interrupt(this.host, this.#as(), { cookie, below });
  }

  #as(): As {
    const { container, user, sudo } = this.where;
    if (container !== undefined) return { container };
    return this.host.user === 'root' ? {} : { user, sudo };
  }

  #run(script: string, streams: Streams, { cwd, env }: Where = {}, signal = this.#stop.signal) {
    const { user, sudo, container } = this.where;
    const command = { script, cwd, env, user, sudo, container, timeoutMs: Number.POSITIVE_INFINITY };
    return this.ssh.run(this.host, command, { signal, own: true, streams });
  }

  /** Runs a script that tells a folder; what comes after that is the sink's. Ends with the shell at the latest. */
  async #pipe(text: (word: string) => string, { stdout, ...streams }: Streams, gone: () => void = () => undefined) {
    const stop = new AbortController();
    const close = () => stop.abort();
    const word = newWord();
    let told = false;
    const stream = new MarkedStream((piece) => (told ? stdout?.(piece) : undefined));
    const made = new Promise<string>((resolve) => {
      stream.await(word, (folder) => {
        told = true;
        resolve(folder);
      });
    });
    const run = this.#run(text(word), { ...streams, stdout: (piece) => stream.feed(piece) }, {}, stop.signal);
    const ended = run.then(
      ({ stderr, exitCode }) => noPipe(this.host, stderr.text || `exit ${exitCode}`),
      (error: unknown) => asFailure(error),
    );
    void ended.then(gone);
    void this.over.then(close);
    const late = new Promise<Failure>((resolve) => {
      setTimeout(() => resolve(noPipe(this.host, 'nothing came')), PIPE_MS).unref();
    });
    const folder = await Promise.race([made, ended, late]);
    if (typeof folder === 'string') return { folder, close };
    close();
    throw folder;
  }
}

const noPipe = ({ name }: HostSpec, why: string): Failure =>
  new Failure(
    'remote-error',
    `No pipe could be made on ${name} for this session: ${why.trim().slice(0, 200)}.`,
    'It needs mktemp, mkfifo and cat there, and a /tmp that can be written to.',
    { said: why.trim().slice(0, 200) },
  );
