import { type Program, signalName, wait } from '../proc.ts';
import type { Entry } from '../table.ts';

/** sleep, kill, ps, and what a script may say of processes without effect here. */
export const processPrograms: Record<string, Program> = {
  sleep: async (args, proc) => {
    const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
    const parts = args.map((arg) => /^(\d*\.?\d+|infinity)([smhd]?)$/.exec(arg));
    if (parts.length === 0 || parts.includes(null)) {
      proc.err(args.length === 0 ? 'sleep: missing operand\n' : `sleep: invalid time interval '${args[0]}'\n`);
      return 1;
    }
    const seconds = parts.map(
      (part) => Number(part?.[1]?.replace('infinity', 'Infinity')) * (units[part?.[2] ?? ''] ?? 1),
    );
    await wait(seconds.reduce((sum, each) => sum + each, 0) * 1000, proc);
    return 0;
  },
  kill: (args, { machine, err }) => {
    const [first = ''] = args;
    const named = first === '-s' ? args[1] : /^-(.+)$/.exec(first)?.[1];
    const signal = named === '0' ? '0' : signalName(named ?? 'TERM');
    const pids = args.slice(first === '-s' ? 2 : named === undefined ? 0 : 1).filter((arg) => arg !== '--');
    if (signal === undefined || pids.length === 0) {
      err('bash: kill: usage: kill [-s sigspec | -n signum | -sigspec] pid\n');
      return 2;
    }
    const missing = pids.filter((pid) => !hit(machine.processes, Number(pid), signal));
    for (const pid of missing) err(`bash: kill: (${pid}) - No such process\n`);
    return missing.length > 0 ? 1 : 0;
  },
  ps: (args, { machine, out }) => {
    const now = machine.world.now();
    const services = machine.services.filter(({ state }) => state === 'running');
    const rows = [
      { pid: 1, ppid: 0, session: 1, startedAt: machine.bootedAt(), argv: ['/sbin/init'] },
      ...services.map(({ pid, startedAt, name }) => ({
        pid,
        ppid: 1,
        session: pid,
        startedAt,
        argv: [`/usr/bin/${name}`],
      })),
      ...machine.processes.values(),
    ];
    const columns = columnsOf(args);
    const lines = rows.map((row) => columns.map((column) => shown(column, row, now)));
    const widths = columns.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]?.length ?? 0)));
    const print = (line: readonly string[]) =>
      `${line.map((cell, i) => (i < line.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join(' ')}\n`;
    if (!args.includes('--no-headers')) out(print(columns.map((name) => name.toUpperCase())));
    out(lines.map(print).join(''));
    return 0;
  },
  trap: () => 0,
  umask: (args, { out }) => {
    if (args.length === 0) out('0022\n');
    return 0;
  },
  ulimit: (_args, { out }) => {
    out('unlimited\n');
    return 0;
  },
};

/** Sends a signal to a process, or with a negative number to its group, which here is the process and its children. */
function hit(processes: ReadonlyMap<number, Entry>, pid: number, signal: string): boolean {
  const entry = processes.get(Math.abs(pid));
  if (entry && signal !== '0' && signal !== 'CONT' && signal !== 'STOP') entry.kill(signal);
  return entry !== undefined;
}

/** The columns of `-o pid,args`, of `aux` and `-ef`. */
function columnsOf(args: readonly string[]): string[] {
  const i = args.findIndex((arg) => /^-?\w*o$/.test(arg));
  if (i !== -1)
    return args
      .slice(i + 1)
      .filter((arg) => !arg.startsWith('-'))
      .join(',')
      .split(',')
      .map((name) => name.replace(/=.*$/, ''));
  return args.some((arg) => /f|u/.test(arg)) ? ['user', 'pid', 'ppid', 'etimes', 'args'] : ['pid', 'comm'];
}

function shown(column: string, { pid, ppid, session, startedAt, argv }: Omit<Entry, 'kill'>, now: number): string {
  const values: Readonly<Record<string, string>> = {
    user: 'root',
    pid: String(pid),
    ppid: String(ppid),
    pgid: String(session),
    sid: String(session),
    sess: String(session),
    stat: 'S',
    etimes: String(Math.floor((now - startedAt) / 1000)),
    comm: (argv[0] ?? '').replace(/^.*\//, ''),
  };
  return values[column] ?? argv.join(' ');
}
