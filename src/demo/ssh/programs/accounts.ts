import type { Process, Program } from '../proc.ts';
import type { Installation } from '../programs.ts';

interface Account {
  readonly name: string;
  readonly uid: string;
  readonly home: string;
}

/** `su`, and what tells who somebody is: `id`, `whoami`, `logname`. Accounts are those of /etc/passwd. */
export function accounts(installation: () => Installation): Record<string, Program> {
  const su: Program = async (args, proc) => {
    const { command, name } = suOptions(args);
    const account = await accountOf(proc, name);
    if (!account) {
      proc.err(`su: user ${name} does not exist or the user entry does not contain all the required fields\n`);
      return 1;
    }
    const env = { ...proc.env, HOME: account.home, USER: name, LOGNAME: name };
    return installation().interpreter.command(command === undefined ? ['sh'] : ['sh', '-c', command], { ...proc, env });
  };
  return { su, id, whoami: tellName, logname: tellName };
}

function suOptions(args: readonly string[]): { readonly command?: string; readonly name: string } {
  const valued = (option: string): string | undefined => {
    const at = args.indexOf(option);
    return at < 0 ? undefined : args[at + 1];
  };
  const [name = 'root'] = args.filter((word, i) => !word.startsWith('-') && !/^-[cs]$/.test(args[i - 1] ?? ''));
  return { command: valued('-c'), name };
}

const nameOf = ({ env }: Process): string => env.LOGNAME ?? 'root';

async function accountOf({ machine }: Process, name: string): Promise<Account | undefined> {
  const rows = (await machine.fs.readFile('/etc/passwd')).split('\n').map((row) => row.split(':'));
  const [, , uid, , , home] = rows.find(([login]) => login === name) ?? [];
  return uid === undefined || home === undefined ? undefined : { name, uid, home };
}

/** `id [-u | -g | -un | -gn] [--] [NAME]` */
async function id(args: readonly string[], proc: Process): Promise<number> {
  const [asked = nameOf(proc)] = args.filter((word) => !word.startsWith('-'));
  const account = await accountOf(proc, asked);
  if (!account) {
    proc.err(`id: ‘${asked}’: no such user\n`);
    return 1;
  }
  const { name, uid } = account;
  const one: Readonly<Record<string, string>> = { '-u': uid, '-g': uid, '-un': name, '-gn': name };
  proc.out(`${one[args[0] ?? ''] ?? `uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})`}\n`);
  return 0;
}

function tellName(_args: readonly string[], proc: Process): number {
  proc.out(`${nameOf(proc)}\n`);
  return 0;
}
