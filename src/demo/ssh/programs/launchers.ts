import { Input } from '../input.ts';
import type { Process, Program } from '../proc.ts';
import type { Installation } from '../programs.ts';
import { runChild } from '../table.ts';

/** Programs that run another program in their own place: shells, env, sudo and the like. */
export function launchers(installation: () => Installation): Record<string, Program> {
  const run = (argv: readonly string[], proc: Process) => installation().interpreter.command(argv, proc);
  const sh = shell(installation);
  const env: Program = (args, proc) => {
    const { vars, rest } = environment(args, proc.env);
    if (rest.length > 0) return run(rest, { ...proc, env: vars });
    proc.out(
      Object.entries(vars)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    return 0;
  };
  /** Skips its own options; those in `valued` take the next word. */
  const prefix =
    (...valued: readonly string[]): Program =>
    (args, proc) => {
      const rest = afterOptions(args, valued);
      return rest.length > 0 ? env(rest, proc) : 0;
    };
  /** `timeout [-s SIGNAL] SECONDS COMMAND…`: 124 when it had to be ended. */
  const timeout: Program = async (args, proc) => {
    const [time = '', ...argv] = afterOptions(args, ['-s', '-k']);
    const late = AbortSignal.timeout(Math.min(2 ** 31 - 1, Number.parseFloat(time) * 1000 || 2 ** 31 - 1));
    const ended = new AbortController();
    late.addEventListener('abort', () => ended.abort('TERM'));
    const code = await runChild(proc, argv, { signal: ended.signal }, (child) => run(argv, child));
    return late.aborted && ended.signal.aborted ? 124 : code;
  };
  return {
    sh,
    bash: sh,
    timeout,
    dash: sh,
    env,
    sudo: prefix('-u', '-g', '-p', '-D', '-h'),
    setsid: prefix(),
    nohup: prefix(),
    nice: prefix('-n'),
    ionice: prefix('-c', '-n'),
    stdbuf: prefix('-i', '-o', '-e'),
  };
}

function afterOptions(args: readonly string[], valued: readonly string[]): readonly string[] {
  let i = 0;
  for (let option = args[i]; option?.startsWith('-'); option = args[i]) {
    i += valued.includes(option) ? 2 : 1;
    if (option === '--') break;
  }
  return args.slice(i);
}

/** Reads env's arguments: `-i`, `-u NAME`, `NAME=VALUE`… and what is to be run. */
function environment(args: readonly string[], inherited: Readonly<Record<string, string>>) {
  const rest = [...args];
  let vars: Record<string, string> = { ...inherited };
  for (let word = rest[0]; word !== undefined; word = rest[0]) {
    const pair = /^(\w+)=(.*)$/s.exec(word);
    if (pair) vars[pair[1] ?? ''] = pair[2] ?? '';
    else if (word === '-i' || word === '-') vars = {};
    else if (word === '-u') delete vars[rest.splice(1, 1)[0] ?? ''];
    else if (word !== '--') break;
    rest.shift();
  }
  return { vars, rest };
}

/** `sh -c SCRIPT NAME ARGS…`, `sh FILE ARGS…`, or the script on standard input. */
const shell =
  (installation: () => Installation): Program =>
  async (args, proc) => {
    const { flags, rest } = shellOptions(args);
    const { interpreter } = installation();
    const settings = flags.replace(/[^eux]/g, '');
    const start = settings === '' ? '' : `set -${settings}\n`;
    if (flags.includes('c')) return interpreter.script(start + (rest[0] ?? ''), rest.slice(1), proc);
    if (flags.includes('i')) return interpreter.stay(proc);
    const [file] = rest;
    if (flags.includes('s') || file === undefined) {
      const text = (await proc.stdin.all()).toString('utf8');
      return interpreter.script(start + text, ['bash', ...rest], { ...proc, stdin: Input.of(Buffer.alloc(0)) });
    }
    const path = proc.machine.fs.resolvePath(proc.cwd, file);
    if (await proc.machine.fs.exists(path)) {
      return interpreter.script(start + (await proc.machine.fs.readFile(path)), rest, proc);
    }
    proc.err(`bash: ${file}: No such file or directory\n`);
    return 127;
  };

function shellOptions(args: readonly string[]): { flags: string; rest: readonly string[] } {
  let flags = '';
  let i = 0;
  for (let option = args[i]; option !== undefined && /^[-+]./.test(option); option = args[i]) {
    i += /^[-+]\w*[oO]$/.test(option) ? 2 : 1;
    if (option === '--') break;
    if (!option.startsWith('--')) flags += option.slice(1);
  }
  return { flags, rest: args.slice(i) };
}
