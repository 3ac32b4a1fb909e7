import { Failure } from '../../failure.ts';
import { endInVm, startInVm } from '../../pve/agent.ts';
import type { Pve } from '../../pve/client.ts';
import type { Killed } from '../../ssh/kill.ts';
import type { MakeShell } from '../../ssh/session.ts';
import type { Inlet, Reins, ShellEnd } from '../../ssh/session-road.ts';
import type { ScriptEnd, ScriptRun, ScriptShell } from '../../ssh/session-shell.ts';
import { newWord } from '../../ssh/session-text.ts';
import { noUser } from '../../ssh/sudo.ts';
import type { Work } from '../ssh/run-at.ts';
import { endProcesses, pause } from './end.ts';
import type { VmPlace } from './place.ts';
import { Watch } from './run.ts';
import { type Left, readTold, wholeLife } from './session-text.ts';
import { shellText } from './shell.ts';

const LAST_WORDS_MS = 1_500;

type Where = Pick<Work, 'cwd' | 'env' | 'user'>;

/**
 * The shell of a session in a VM. Its guest agent gives no stream, and would leave a shell that waits for input behind
 * for ever, so each script has a shell of its own, which begins with what the last one left: directory, variables,
 * functions, aliases and options, but no background jobs and open files. Nothing stays in the VM between two scripts.
 */
export class VmShell implements ScriptShell, Reins {
  cwd: string | undefined;
  readonly mixes = false;
  /** The first process of the script that runs. */
  pid = 0;
  readonly over: Promise<ShellEnd>;
  #left: Left = { state: '', options: '' };
  #where: Where;
  #stdin: string | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #end: (end: ShellEnd) => void = () => undefined;
  readonly #aborted = new AbortController();

  constructor(
    private readonly pve: Pve,
    private readonly place: VmPlace,
    where: Where,
  ) {
    this.#where = where;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  static make(pve: Pve, place: VmPlace, where: Where): MakeShell {
    return () => {
      const shell = new VmShell(pve, place, where);
      return { shell, reins: shell };
    };
  }

  async open(): Promise<void> {
    const nowhere = { stdout: () => undefined, stderr: () => undefined };
    const { shell } = await this.run({
      script: ':',
      cookie: newWord(),
      stdin: '',
      sink: nowhere,
      begun: () => undefined,
    });
    if (shell?.failure) throw shell.failure;
    // From here on they are part of what scripts leave.
    this.#where = { user: this.#where.user };
  }

  run(run: ScriptRun): Promise<ScriptEnd> {
    const running = this.#run(run);
    this.#running = running.catch(() => undefined);
    return running;
  }

  async #run({ script, cookie, sink, begun }: ScriptRun): Promise<ScriptEnd> {
    const { pve, place } = this;
    const word = newWord();
    const stdin = this.#stdin;
    this.#stdin = undefined;
    const whole = wholeLife(script, this.#left, cookie, word);
    const work = { ...this.#where, script: whole, stdin, timeoutMs: Number.POSITIVE_INFINITY };
    const text = shellText(work, { cookie, mark: word, prompt: '' });
    const pid = await startInVm(pve, place.guest, ['/bin/sh', '-s'], text);
    this.pid = pid;
    begun([]);
    const end = await new Watch(() => endInVm(pve, place.guest, pid)).until(AbortSignal.any([this.#aborted.signal]));
    if (!end) return { shell: { failure: this.#unknown() } };
    this.#refuse(end.stderr.toString(), word);
    const { told, stderr } = readTold(end.stderr, word);
    void sink.stdout(end.stdout);
    void sink.stderr(stderr);
    const cut = end.cut.length > 0 ? end.cut : undefined;
    if (!told) return { exitCode: end.exitCode ?? 128 + (end.signal ?? 0), forgotten: true, cut };
    this.#left = told.left;
    this.cwd = told.cwd;
    return { exitCode: told.exitCode, cut };
  }

  /** Text that a script reads has to be there when it begins. */
  async inlet(): Promise<Inlet> {
    const pieces: Buffer[] = [];
    const collect = () => {
      this.#stdin = Buffer.concat(pieces).toString();
    };
    return { path: '', write: (bytes) => void pieces.push(bytes), end: collect, close: () => undefined };
  }

  end(): void {
    this.#end({ exitCode: 0 });
  }

  abort(): void {
    this.#aborted.abort();
    this.#end({ failure: this.#unknown() });
  }

  async kill(cookie: string): Promise<Killed> {
    const killed = await endProcesses(this.pve, this.place.guest, { cookie, pid: this.pid });
    await Promise.race([this.#running, pause(LAST_WORDS_MS)]);
    return killed;
  }

  async interrupt(): Promise<readonly number[]> {
    return [];
  }

  #unknown(): Failure {
    const text = `What becomes of the script in ${this.place.label} is not waited for any more.`;
    return new Failure('outcome-unknown', text, 'Look inside the VM before you run it again.');
  }

  /** What the text around the script says when that cannot be run. */
  #refuse(stderr: string, mark: string): void {
    const { cwd, user } = this.#where;
    if (user !== undefined && stderr.endsWith(`${mark} user\n`)) throw noUser(user, this.place.label);
    if (!stderr.endsWith(`${mark} cd\n`)) return;
    const text = `${this.place.label} has no directory ${cwd} that can be entered, so the session was not opened.`;
    throw new Failure('not-found', text, 'Correct the directory, or leave it out.');
  }
}

/** Why nothing can be sent to a script in a VM. */
export const noSending = (label: string): Failure =>
  new Failure(
    'invalid-input',
    `Nothing can be sent to a script in ${label}: its guest agent gives it all of its input when it begins.`,
    'Give stdin to ssh_session_run; or list the VM as an SSH host (inventory file or ~/.ssh/config), and open a session on that.',
  );
