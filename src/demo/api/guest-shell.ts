import { Input } from '../ssh/input.ts';
import { type Interpreter, loadInterpreter } from '../ssh/interpreter.ts';
import { type Machine, type Machines, machinesOf } from '../ssh/machine.ts';
import { type Process, signalNumber } from '../ssh/proc.ts';
import { programsOf } from '../ssh/programs.ts';
import { runChild } from '../ssh/table.ts';
import type { Guest, World } from '../world.ts';

/** How a process inside a VM ended. Output is bytes written as Latin-1, as the agent hands it out. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitcode: number;
  readonly signal?: number;
}

interface Started {
  readonly pid: number;
  readonly end: Promise<Finished>;
}

const env = { HOME: '/root', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** The insides of the pretend VMs, as their guest agents reach them. */
export class GuestShells {
  private constructor(
    readonly interpreter: Interpreter,
    readonly machines: Machines,
  ) {}

  static async of(world: World): Promise<GuestShells> {
    const interpreter = await loadInterpreter((machine) => programsOf(machine, () => ({ interpreter, machines })));
    const machines = machinesOf(world, (files) => interpreter.disk(files));
    return new GuestShells(interpreter, machines);
  }

  knows(program: string, guest: Guest): boolean {
    return this.interpreter.knows(program, this.machines.vm(guest));
  }

  /** Starts one program; `input` is bytes as Latin-1. The pid is its own in the VM's process table. */
  start(argv: readonly string[], input: string, guest: Guest): Promise<Started> {
    return new Promise((resolve, reject) => {
      const machine = this.machines.vm(guest);
      const end = this.#run(argv, Buffer.from(input, 'latin1'), machine, (pid) => resolve({ pid, end }));
      end.catch(reject);
    });
  }

  async #run(
    argv: readonly string[],
    input: Buffer,
    machine: Machine,
    started: (pid: number) => void,
  ): Promise<Finished> {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const agent: Process = {
      machine,
      pid: 1,
      env,
      cwd: '/',
      stdin: Input.of(input),
      signal: new AbortController().signal,
      out: (data) => void out.push(Buffer.from(data)),
      err: (data) => void err.push(Buffer.from(data)),
    };
    let signal = agent.signal;
    const exitcode = await runChild(agent, argv, {}, (child) => {
      signal = child.signal;
      started(child.pid);
      return handsOn(argv) ? copy(child) : this.interpreter.command(argv, child);
    });
    return {
      stdout: Buffer.concat(out).toString('latin1'),
      stderr: Buffer.concat(err).toString('latin1'),
      exitcode,
      ...(signal.aborted ? { signal: signalNumber(signal.reason) } : {}),
    };
  }
}

/** The interpreter works on text; this program must hand on bytes that are none. */
const handsOn = (argv: readonly string[]): boolean =>
  argv.length === 1 && /^(\/usr)?(\/bin\/)?cat$/.test(argv[0] ?? '');

async function copy({ stdin, out }: Process): Promise<number> {
  out(await stdin.all());
  return 0;
}
