import { Input } from '../input.ts';
import type { Process, Program } from '../process.ts';
import type { Installation } from '../programs.ts';

/** Programs that run another program in their own place: shells, env, sudo and the like. */
export function launchers(installation: () => Installation): Record<string, Program> {
  const run = (argv: readonly string[], process: Process) => installation().interpreter.command(argv, process);
  const sh = shell(installation);
  const env: Program = (args, process) => {
    const { vars, rest } = environment(args, process.env);
    if (rest.length > 0) return run(rest, { ...process, env: vars });
    process.out(
      Object.entries(vars)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    return 0;
  };
  /** Skips its own options; those in `valued` take the next word. */
  const prefix =
    (...valued: readonly string[]): Program =>
    (args, process) => {
      const rest = afterOptions(args, valued);
      return rest.length > 0 ? env(rest, process) : 0;
    };
  return {
    sh,
    bash: sh,
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
  async (args, process) => {
    const { flags, rest } = shellOptions(args);
    const { interpreter } = installation();
    const settings = flags.replace(/[^eux]/g, '');
    const start = settings === '' ? '' : `set -${settings}\n`;
    if (flags.includes('c')) return interpreter.script(start + (rest[0] ?? ''), rest.slice(1), process);
    const [file] = rest;
    if (flags.includes('s') || file === undefined) {
      const text = (await process.stdin.all()).toString('utf8');
      return interpreter.script(start + text, ['bash', ...rest], { ...process, stdin: Input.of(Buffer.alloc(0)) });
    }
    const path = process.machine.fs.resolvePath(process.cwd, file);
    if (await process.machine.fs.exists(path)) {
      return interpreter.script(start + (await process.machine.fs.readFile(path)), rest, process);
    }
    process.err(`bash: ${file}: No such file or directory\n`);
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
