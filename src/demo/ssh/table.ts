import { setMaxListeners } from 'node:events';
import type { Machine } from './machine.ts';
import { type Process, statusOfSignal } from './proc.ts';

/** What the process table of a machine holds. */
export interface Entry {
  readonly pid: number;
  readonly ppid: number;
  /** Of the first process of its channel. */
  readonly session: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  argv: readonly string[];
  /** Ends the process with a signal, by its name without SIG. */
  kill(signal: string): void;
}

/** What a process is started with beyond what it has from its parent. */
export type Change = Partial<Omit<Process, 'pid'>>;

/**
 * Runs a child of `parent`: while it runs it is in the process table and in /proc of its machine, a container's also in
 * those of its node, and can be killed there. Gives its exit code.
 */
export async function runChild(
  parent: Process,
  argv: readonly string[],
  change: Change,
  run: (child: Process) => number | Promise<number>,
): Promise<number> {
  const own = new AbortController();
  const signal = AbortSignal.any([own.signal, parent.signal, ...(change.signal ? [change.signal] : [])]);
  // The library listens once for each command that it runs.
  setMaxListeners(0, signal);
  const pid = parent.machine.nextPid();
  const child: Process = { ...parent, ...change, signal, pid };
  const entry: Entry = {
    pid,
    ppid: parent.pid,
    session:
      seenIn(parent.machine)
        .map(({ processes }) => processes.get(parent.pid)?.session)
        .find(Boolean) ?? pid,
    startedAt: parent.machine.world.now(),
    argv,
    kill: (name) => own.abort(name),
  };
  for (const { processes } of seenIn(child.machine)) processes.set(pid, entry);
  try {
    await become(child, argv);
    const code = await run(child);
    return signal.aborted ? statusOfSignal(signal.reason) : code;
  } finally {
    for (const { processes, fs } of seenIn(child.machine)) {
      processes.delete(pid);
      await fs.rm(`/proc/${pid}`, { recursive: true, force: true });
    }
  }
}

/** Shows the process as running `argv` with its environment from now on, as execve(2) does. */
export async function become({ pid, machine, env }: Process, argv: readonly string[]): Promise<void> {
  const listed = (values: readonly string[]) => values.map((value) => `${value}\0`).join('');
  const name = (argv[0] ?? '').replace(/^.*\//, '').slice(0, 15);
  for (const { processes, fs } of seenIn(machine)) {
    const entry = processes.get(pid);
    if (!entry) continue;
    entry.argv = argv;
    const { ppid, session } = entry;
    await fs.writeFile(`/proc/${pid}/environ`, listed(Object.entries(env).map(([key, value]) => `${key}=${value}`)));
    await fs.writeFile(`/proc/${pid}/cmdline`, listed(argv));
    await fs.writeFile(`/proc/${pid}/comm`, `${name}\n`);
    // proc_pid_stat(5): the 20th field after the name is the start time.
    const numbers = [ppid, session, session, 0, -1, ...Array(13).fill(0), entry.startedAt % 1_000_000_000, 0, 0];
    await fs.writeFile(`/proc/${pid}/stat`, `${pid} (${name}) S ${numbers.join(' ')}\n`);
    await fs.writeFile(`/proc/${pid}/status`, `Name:\t${name}\nState:\tS (sleeping)\nPid:\t${pid}\nPPid:\t${ppid}\n`);
  }
}

/** The machine, and the node outside it when it is a container. */
const seenIn = (machine: Machine): Machine[] => (machine.outside ? [machine, machine.outside] : [machine]);
