import { isUtf8 } from 'node:buffer';
import type { Command, ExecResult, IFileSystem, ResolvedCommandContext } from 'just-bash';
import { Input } from './input.ts';
import type { Machine } from './machine.ts';
import { type Process, type Program, statusOfSignal } from './proc.ts';
import { streamed } from './statements.ts';
import { type Left, lineOf, stayingScript } from './staying.ts';
import { internal, streams } from './syntax.ts';
import { become, runChild } from './table.ts';

type Library = typeof import('just-bash/browser');

/** The programs of a machine, by name. */
export type Programs = (machine: Machine) => ReadonlyMap<string, Program>;

/** What the process does when its script is over: becomes another program, or goes on with another script. */
type Next = { readonly argv: readonly string[] } | { readonly script: string };
interface HandOver {
  to?: { readonly next: Next; readonly env: Readonly<Record<string, string>>; readonly cwd: string };
}

export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const withoutFolder = (program: string): string => program.replace(/^(\/usr(\/local)?)?\/s?bin\//, '');

/** Loads the shell library: its browser build, which has no way to a real file, process or network. */
export async function loadInterpreter(programs: Programs): Promise<Interpreter> {
  return new Interpreter(await import('just-bash/browser'), programs);
}

/** Runs shell scripts and command lines as processes of the pretend machines. */
export class Interpreter {
  constructor(
    private readonly library: Library,
    private readonly programs: Programs,
  ) {}

  /** An empty disk with these files. */
  disk(files: Record<string, string>): IFileSystem {
    return new this.library.InMemoryFs(files);
  }

  /** Whether the machine has that program, by its name or path. */
  knows(name: string, machine: Machine): boolean {
    const own = withoutFolder(name);
    return this.programs(machine).has(own) || this.library.getCommandNames().some((known) => known === own);
  }

  /** Runs `argv` as `process` itself: a program of its machine, or a command that the library has. Gives the exit code. */
  async command(argv: readonly string[], proc: Process): Promise<number> {
    await become(proc, argv);
    const [name = '', ...args] = argv;
    const program = this.programs(proc.machine).get(withoutFolder(name));
    return program
      ? program(args, proc)
      : this.script([withoutFolder(name), ...args].map(quoted).join(' '), ['bash'], proc);
  }

  /**
   * Runs one line of the standard input after the other in a shell that stays, until the last or an `exit`; gives its exit
   * code. PROF makes it give up the line that it runs.
   */
  async stay(proc: Process): Promise<number> {
    const left: Left = { env: proc.env, cwd: proc.cwd };
    for (;;) {
      const stop = new AbortController();
      const entry = proc.machine.processes.get(proc.pid);
      const kill = entry?.kill;
      if (entry) entry.kill = (signal) => (signal === 'PROF' ? stop.abort('INT') : kill?.(signal));
      const signal = AbortSignal.any([proc.signal, stop.signal]);
      const state = { over: false, ended: false };
      const bash = this.#bash({ ...proc, ...left, signal }, {}, 'bash', staying(proc.stdin, left, state));
      const result = await bash.exec(stayingScript(internal.next, internal.over), { rawScript: true, signal });
      if (entry && kill) entry.kill = kill;
      if (proc.signal.aborted) return statusOfSignal(proc.signal.reason);
      if (!stop.signal.aborted && (!state.over || state.ended)) return result.exitCode;
      // The interpreter gives up at an error that a shell would only tell.
      if (!stop.signal.aborted) proc.err(result.stderr.replace(/^.*\n(?=.)/gm, ''));
      left.env = { ...left.env, PSM_S: stop.signal.aborted ? '130' : '2' };
    }
  }

  #bash(proc: Process, after: HandOver, zero: string, more: readonly Command[] = []) {
    return new this.library.Bash({
      fs: this.#files(proc),
      cwd: proc.cwd,
      env: { ...proc.env, 0: zero },
      processInfo: { pid: proc.pid, ppid: 1, uid: 0, gid: 0 },
      // Its guard replaces globals of this very process while a script runs; the browser build has nothing to guard.
      defenseInDepth: false,
      customCommands: [
        ...[grep, tail, compgen, ...more],
        ...[...this.#installed(proc), ...internals(proc, after), ...this.#starters(proc)],
      ],
    });
  }

  /** Runs `script` as the shell that `process` is, `args` being `$0`, `$1`…; gives its exit code. */
  async script(script: string, [zero = 'bash', ...args]: readonly string[], proc: Process): Promise<number> {
    const after: HandOver = {};
    const bash = this.#bash(proc, after, zero);
    bash.registerTransformPlugin({ name: 'streamed', transform: ({ ast }) => ({ ast: streamed(ast) }) });
    const positional = args.length > 0 ? `set -- ${args.map(quoted).join(' ')}\n` : '';
    const result = await bash.exec(positional + script, { rawScript: true, signal: proc.signal });
    if (proc.signal.aborted) return statusOfSignal(proc.signal.reason);
    proc.out(bytesOf(result));
    proc.err(result.stderr);
    if (!after.to) return result.exitCode;
    const { next, env, cwd } = after.to;
    const same = { ...proc, env, cwd };
    return 'argv' in next ? this.command(next.argv, same) : this.script(next.script, [zero, ...args], same);
  }

  /** The machine's files, and those behind the process's standard streams. */
  #files({ machine, stdin, out, err }: Process): IFileSystem {
    const own = new this.library.InMemoryFs({ [streams.in]: '', [streams.out]: '', [streams.err]: '' });
    own.appendFile = async (path, content, encoding) => {
      const send = path === streams.err ? err : out;
      const text = String(content);
      send(Buffer.from(text, encoding === 'binary' || writesBytes(text) ? 'latin1' : 'utf8'));
    };
    const read = own.readFileBytes.bind(own);
    own.readFileBytes = async (path) => {
      await own.writeFile(path, await stdin.all());
      return read(path);
    };
    const mounts = [{ mountPoint: streams.folder, filesystem: own }];
    return new this.library.MountableFs({ base: machine.fs, mounts });
  }

  #starters(proc: Process): Command[] {
    // The library finds a program by its path only where there is such a file.
    const byPath: Command['execute'] = (argv, context) =>
      asChild(proc, argv, (_, child) => this.command(argv, child), context);
    // A child of the first process, in a session of its own, whose later output goes nowhere.
    const background: Command['execute'] = (argv, { exportedEnv = {}, cwd }) =>
      new Promise((resolve, reject) => {
        const first = { ...proc, pid: 1, signal: new AbortController().signal };
        const said = (data: string | Buffer) => {
          if (data.length > 0) resolve({ ...silent(0), stdout: data.toString() });
        };
        const env = environment(Object.entries(exportedEnv));
        const change = { env, cwd, stdin: Input.of(Buffer.alloc(0)), out: said, err: () => undefined };
        runChild(first, argv, change, (child) => this.command(argv, child)).then(() => resolve(silent(0)), reject);
      });
    return [
      { name: internal.byPath, execute: byPath },
      { name: internal.background, execute: background },
    ];
  }

  /** The machine's programs as commands of the library. */
  #installed(proc: Process): Command[] {
    return [...this.programs(proc.machine)].map(([name, program]) => ({
      name,
      execute: (args, context) => asChild(proc, [name, ...args], program, context),
    }));
  }
}

/** The library's printf gives `\303\251` as two characters; at the end of a script it takes such text for the bytes it is. */
const writesBytes = (text: string): boolean =>
  /^[\0-\xff]*$/.test(text) && /[\x80-\xff]/.test(text) && isUtf8(Buffer.from(text, 'latin1'));

const bytesOf = ({ stdout, stdoutKind }: ExecResult): Buffer =>
  Buffer.from(stdout, stdoutKind === 'bytes' ? 'latin1' : 'utf8');

const silent = (exitCode: number): ExecResult => ({ stdout: '', stderr: '', exitCode });

/** Several patterns of `grep -E` as one: the library's grep looks for the last one only. */
function onePattern(args: readonly string[]): readonly string[] {
  const patterns = args.filter((_, i) => args[i - 1] === '-e');
  if (patterns.length < 2) return args;
  const others = args.filter((arg, i) => arg !== '-e' && args[i - 1] !== '-e');
  return [...others, '-e', patterns.map((pattern) => `(${pattern})`).join('|')];
}

/** The library's grep, with the `-s` and `-H` that it does not know. */
const grep: Command = {
  name: 'grep',
  async execute(given, { origCommand }) {
    const args = onePattern(given);
    const has = (letter: string) => args.some((arg) => /^-[A-Za-z]+$/.test(arg) && arg.includes(letter));
    const known = args
      .map((arg) => (/^-[A-Za-z]+$/.test(arg) ? arg.replace(/[sH]/g, '') : arg))
      .filter((arg) => arg !== '-');
    // With a second file the names are told.
    const result = (await origCommand?.(has('H') ? [...known, '/dev/null'] : known)) ?? silent(2);
    return has('s') ? { ...result, stderr: '' } : result;
  },
};

/** The library's tail, with the `-c +N` that it takes for `-c N`. */
const tail: Command = {
  name: 'tail',
  async execute(args, { origCommand }) {
    const from = args[0] === '-c' ? /^\+(\d+)$/.exec(args[1] ?? '') : null;
    if (!from) return (await origCommand?.([...args])) ?? silent(2);
    const all = (await origCommand?.(['-c', String(Number.MAX_SAFE_INTEGER), ...args.slice(2)])) ?? silent(2);
    return { ...all, stdout: bytesOf(all).toString('latin1', Math.max(0, Number(from[1]) - 1)), stdoutKind: 'bytes' };
  },
};

/** `compgen -v`: the names of all variables. */
const compgen: Command = {
  name: 'compgen',
  execute: async ([what], { env }) => ({
    ...silent(0),
    stdout: what === '-v' ? [...env.keys()].map((name) => `${name}\n`).join('') : '',
  }),
};

/** The commands that rewritten scripts use. */
function internals({ stdin }: Process, after: HandOver): Command[] {
  const bytes = (data: Buffer): ExecResult => ({ ...silent(0), stdout: data.toString('latin1'), stdoutKind: 'bytes' });
  const command = (name: string, execute: Command['execute']): Command => ({ name, execute });
  return [
    command(internal.become, async (argv, { exportedEnv = {}, cwd }) => {
      after.to = { next: { argv }, env: environment(Object.entries(exportedEnv)), cwd };
      return silent(0);
    }),
    command(internal.goOn, async (words, { env, cwd }) => {
      after.to = { next: { script: words.join(' ') }, env: environment(env), cwd };
      return silent(0);
    }),
    command(internal.bytes, async ([count]) => bytes(await stdin.take(Number(count)))),
    command(internal.line, async () => {
      const line = await stdin.line();
      return line.length === 0 ? silent(1) : bytes(line);
    }),
  ];
}

/** The commands of a shell that stays. */
function staying(stdin: Input, left: Left, state: { over: boolean; ended: boolean }): Command[] {
  const next: Command['execute'] = async (_, { env, cwd }) => {
    left.env = environment(env);
    left.cwd = cwd;
    let text = '';
    for (let line: string | undefined; ; ) {
      const read = (await stdin.line()).toString('utf8');
      text += read;
      line = lineOf(text);
      if (read === '') {
        state.ended = true;
        return silent(1);
      }
      if (line !== undefined) return { ...silent(0), stdout: line };
    }
  };
  const over: Command['execute'] = async () => {
    state.over = true;
    return silent(0);
  };
  return [
    { name: internal.next, execute: next },
    { name: internal.over, execute: over },
  ];
}

const environment = (entries: Iterable<readonly [string, string]>): Record<string, string> =>
  Object.fromEntries([...entries].filter(([name]) => /^[A-Za-z_]\w*$/.test(name)));

/** Runs a program whose output goes where the script sends it: a pipe, a file, a variable. */
async function asChild(
  parent: Process,
  argv: readonly string[],
  program: Program,
  { stdin, exportedEnv = {}, cwd, signal }: ResolvedCommandContext,
): Promise<ExecResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const change = {
    env: environment(Object.entries(exportedEnv)),
    cwd,
    stdin: Input.of(Buffer.from(String(stdin), 'latin1')),
    out: (data: string | Buffer) => void out.push(Buffer.from(data)),
    err: (data: string | Buffer) => void err.push(Buffer.from(data)),
    ...(signal ? { signal } : {}),
  };
  const exitCode = await runChild(parent, argv, change, (child) => program(argv.slice(1), child));
  const stdout = Buffer.concat(out).toString('latin1');
  return { stdout, stdoutKind: 'bytes', stderr: Buffer.concat(err).toString('utf8'), exitCode };
}
