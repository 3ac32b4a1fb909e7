import type { Command, ExecResult, IFileSystem, ResolvedCommandContext } from 'just-bash';
import type { Machine } from './machine.ts';
import { inputOf, type Process, type Program, statusOfSignal } from './process.ts';
import { streamed, streams, tailCommand } from './statements.ts';
import { become, runChild } from './table.ts';

type Library = typeof import('just-bash/browser');

/** Runs shell scripts and command lines as processes of the pretend machines. */
export interface Interpreter {
  /** Runs `script` as the shell that `process` is; `args` are `$1`… Gives its exit code. */
  script(script: string, args: readonly string[], process: Process): Promise<number>;
  /** Runs `argv` as `process` itself: a program of its machine, or a command that the shell library has. */
  command(argv: readonly string[], process: Process): Promise<number>;
  /** An empty disk with these files. */
  disk(files: Record<string, string>): IFileSystem;
}

/** The programs of a machine, by name. */
export type Programs = (machine: Machine) => ReadonlyMap<string, Program>;

/** What the last command of a script handed over to. */
interface HandOver {
  readonly argv: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
}

/** Loads the shell library: its browser build, which has no way to a real file, process or network. */
export async function loadInterpreter(programs: Programs): Promise<Interpreter> {
  const library = await import('just-bash/browser');
  const interpreter: Interpreter = {
    script: (script, args, process) => runScript(library, interpreter, programs, script, args, process),
    command: (argv, process) => runCommand(interpreter, programs, argv, process),
    disk: (files) => new library.InMemoryFs(files),
  };
  return interpreter;
}

async function runCommand(
  interpreter: Interpreter,
  programs: Programs,
  argv: readonly string[],
  process: Process,
): Promise<number> {
  await become(process, argv);
  const [name = '', ...args] = argv;
  const program = programs(process.machine).get(name.replace(/^(\/usr(\/local)?)?\/s?bin\//, ''));
  if (program) return program(args, process);
  return interpreter.script(argv.map(quoted).join(' '), [], process);
}

export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

async function runScript(
  library: Library,
  interpreter: Interpreter,
  programs: Programs,
  script: string,
  args: readonly string[],
  process: Process,
): Promise<number> {
  const next: { handOver?: HandOver } = {};
  const bash = new library.Bash({
    fs: new library.MountableFs({
      base: process.machine.fs,
      mounts: [{ mountPoint: streams.folder, filesystem: streamFiles(library, process) }],
    }),
    cwd: process.cwd,
    env: { ...process.env },
    processInfo: { pid: process.pid, ppid: 1, uid: 0, gid: 0 },
    // Its guard replaces globals of this very process while a script runs; the browser build has nothing to guard.
    defenseInDepth: false,
    customCommands: commands(programs(process.machine), process, next),
  });
  const { ended } = process.stdin;
  bash.registerTransformPlugin({ name: 'streamed', transform: ({ ast }) => ({ ast: streamed(ast, !ended) }) });
  const positional = args.length > 0 ? `set -- ${args.map(quoted).join(' ')}\n` : '';
  const result = await bash.exec(positional + script, {
    rawScript: true,
    signal: process.signal,
    ...(ended ? { stdin: (await process.stdin.all()).toString('latin1'), stdinKind: 'bytes' } : {}),
  });
  if (process.signal.aborted) return statusOfSignal(process.signal.reason);
  process.out(bytesOf(result));
  process.err(result.stderr);
  if (!next.handOver) return result.exitCode;
  const { argv, env, cwd } = next.handOver;
  return interpreter.command(argv, { ...process, env, cwd });
}

const bytesOf = ({ stdout, stdoutKind }: ExecResult): Buffer =>
  Buffer.from(stdout, stdoutKind === 'bytes' ? 'latin1' : 'utf8');

/** The files behind a process's standard streams. */
function streamFiles({ InMemoryFs }: Library, process: Process): IFileSystem {
  const files = new InMemoryFs({ [streams.in]: '', [streams.out]: '', [streams.err]: '' });
  files.appendFile = async (path, content, encoding) => {
    const data = typeof content === 'string' ? Buffer.from(content, encodingOf(encoding)) : Buffer.from(content);
    if (path === streams.err) process.err(data);
    else process.out(data);
  };
  const read = files.readFileBytes.bind(files);
  files.readFileBytes = async (path) => {
    await files.writeFile(path, await process.stdin.all());
    return read(path);
  };
  return files;
}

const encodingOf = (encoding: unknown): BufferEncoding => (encoding === 'binary' ? 'latin1' : 'utf8');

/** The machine's programs as commands of the shell library, and the one that hands over. */
function commands(programs: ReadonlyMap<string, Program>, process: Process, next: { handOver?: HandOver }): Command[] {
  const known = [...programs].map(([name, program]) => ({
    name,
    execute: (args: string[], context: ResolvedCommandContext) => inside(process, [name, ...args], program, context),
  }));
  const tail: Command = {
    name: tailCommand,
    execute: async (argv, { exportedEnv = {}, cwd }) => {
      next.handOver = { argv, env: exportedEnv, cwd };
      return { stdout: '', stderr: '', exitCode: 0 };
    },
  };
  return [...known, tail];
}

/** Runs a program whose output goes where the script sends it: a pipe, a file, a variable. */
async function inside(
  parent: Process,
  argv: readonly string[],
  program: Program,
  { stdin, exportedEnv = {}, cwd, signal }: ResolvedCommandContext,
): Promise<ExecResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const input = Buffer.from(String(stdin), 'latin1');
  const exitCode = await runChild(
    parent,
    argv,
    {
      env: exportedEnv,
      cwd,
      stdin: inputOf(input),
      ...(signal ? { signal } : {}),
      out: (data) => out.push(Buffer.from(data)),
      err: (data) => err.push(Buffer.from(data)),
    },
    (child) => program(argv.slice(1), child),
  );
  return {
    stdout: Buffer.concat(out).toString('latin1'),
    stdoutKind: 'bytes',
    stderr: Buffer.concat(err).toString('utf8'),
    exitCode,
  };
}
