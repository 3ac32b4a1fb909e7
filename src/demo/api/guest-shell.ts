import type { Bash, CustomCommand } from 'just-bash/browser';
import type { Guest } from '../world.ts';

/** How a process inside a VM ended. Output is bytes written as Latin-1, as the agent hands it out. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitcode: number;
  readonly signal?: number;
}

const shells = new Set(['sh', 'bash', 'dash', 'ash']);
const folders = /^(\/usr)?\/s?bin\//;
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A shell inside a pretend VM, with its own files in memory. */
export class GuestShell {
  #signal?: number;

  private constructor(
    readonly bash: Bash,
    readonly names: ReadonlySet<string>,
  ) {}

  static async of(guest: Guest): Promise<GuestShell> {
    const { Bash, getCommandNames } = await import('just-bash/browser');
    const name = String(guest.config.name);
    const print = (program: string, text: string): CustomCommand => ({
      name: program,
      execute: async () => ({ stdout: `${text}\n`, stderr: '', exitCode: 0 }),
    });
    const programs = [
      print('hostname', name),
      print('whoami', 'root'),
      print('id', 'uid=0(root) gid=0(root) groups=0(root)'),
      print('uname', `Linux ${name} 6.12.48 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux`),
    ];
    const kill: CustomCommand = {
      name: 'kill',
      execute: async (args) => {
        shell.#signal = Number(args.find((arg) => /^-\d+$/.test(arg))?.slice(1) ?? 15);
        return { stdout: '', stderr: '', exitCode: 0 };
      },
    };
    const bash = new Bash({
      customCommands: [...programs, kill],
      cwd: '/',
      env: { HOME: '/root', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      files: { '/etc/hostname': `${name}\n`, '/etc/os-release': `PRETTY_NAME="${guest.os}"\n` },
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
    });
    const names = new Set<string>([
      ...getCommandNames(),
      ...programs.map((program) => program.name),
      'kill',
      'echo',
      ...shells,
    ]);
    const shell = new GuestShell(bash, names);
    return shell;
  }

  knows(program: string): boolean {
    return this.names.has(program.replace(folders, ''));
  }

  /** Runs one program; a shell's `-c` and `-s` are taken apart here. `input` is bytes as Latin-1. */
  async run(argv: readonly string[], input: string): Promise<Finished> {
    const [program = '', ...args] = argv;
    // The interpreter works on text; this program must hand on bytes that are none.
    if (program.replace(folders, '') === 'cat' && args.length === 0) return { stdout: input, stderr: '', exitcode: 0 };
    const isShell = shells.has(program.replace(folders, ''));
    const inline = isShell ? args.indexOf('-c') : -1;
    const onStdin = isShell && inline < 0;
    const text = Buffer.from(input, 'latin1').toString('utf8');
    const rest = args.filter((arg) => !arg.startsWith('-'));
    const positional = inline >= 0 ? args.slice(inline + 3) : rest;
    const script = onStdin
      ? text
      : inline >= 0
        ? (args[inline + 1] ?? '')
        : [program.replace(folders, ''), ...args].map(quote).join(' ');
    const before = isShell && positional.length > 0 ? `set -- ${positional.map(quote).join(' ')}\n` : '';
    const options = { rawScript: true, stdin: onStdin ? '' : text };
    const { stdout, stderr, exitCode } = await this.bash.exec(before + script, options);
    const signal = this.#signal;
    this.#signal = undefined;
    return {
      stdout: bytes(stdout),
      stderr: bytes(stderr),
      exitcode: exitCode,
      ...(signal === undefined ? {} : { signal }),
    };
  }
}
