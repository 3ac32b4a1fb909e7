import type { DemoNode, Guest, Switches } from '../world.ts';

/** What Proxmox VE refuses, in its own words: at once when it is thrown by a call, in its task when by a step. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Who did it: `root@pam`, and the token's id when it came by token. */
export interface By {
  readonly user: string;
  readonly tokenid?: string;
}

export interface Step {
  /** How long it takes, at task speed 1. */
  readonly seconds: number;
  /** Lines for the log, written when the step is over. */
  readonly log?: readonly string[] | (() => readonly string[]);
  /** What it changes; a Refusal thrown here ends the task with its message. */
  readonly run?: () => void;
}

export interface Plan {
  readonly node: string;
  /** `vzstart`, `qmsnapshot`, `srvrestart`… */
  readonly type: string;
  /** VMID, service or storage; may be empty. */
  readonly id: string;
  readonly by: By;
  readonly steps: readonly Step[];
  /** Whose lock file it holds to its end. */
  readonly holds?: Guest;
}

export interface Task {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  /** Epoch seconds. */
  readonly starttime: number;
  readonly type: string;
  readonly id: string;
  readonly by: By;
  readonly log: string[];
  endtime?: number;
  /** `OK`, `WARNINGS: n`, `unexpected status` or the error; absent while it runs. */
  exitstatus?: string;
}

interface Running {
  readonly task: Task;
  readonly due: { readonly at: number; readonly step: Step }[];
  readonly warn: boolean;
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** Runs plans by the clock: nothing happens between two calls of `advance`. */
export class TaskRunner {
  readonly tasks: Task[] = [];
  readonly #running: Running[] = [];
  readonly #holders = new Map<number, Task>();
  #pid = 1200;
  /** Steps read the world too, which must not start the next step in the middle of one. */
  #advancing = false;

  constructor(
    readonly now: () => number,
    readonly speed: number,
    readonly switches: Switches,
    readonly node: (name: string) => DemoNode | undefined,
  ) {}

  begin(plan: Plan): Task {
    this.advance();
    const task = this.#create(plan, this.now());
    const fate = this.switches.nextTask;
    this.switches.nextTask = undefined;
    const steps = typeof fate === 'object' ? failing(fate.fail) : this.#steps(plan, task);
    let at = this.now();
    const due = steps.map((step) => {
      at += step.seconds === 0 ? 0 : fate === 'hang' ? Number.POSITIVE_INFINITY : step.seconds * 1000 * this.speed;
      return { at, step };
    });
    this.#running.push({ task, due, warn: fate === 'warn' });
    return task;
  }

  /** Does every step whose time has come, in order of time. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      this.#runDue();
    } finally {
      this.#advancing = false;
    }
  }

  #runDue(): void {
    for (;;) {
      const [next] = this.#running.toSorted((a, b) => (a.due[0]?.at ?? 0) - (b.due[0]?.at ?? 0));
      if (next === undefined || (next.due[0] !== undefined && next.due[0].at > this.now())) return;
      this.#step(next);
    }
  }

  cancel(upid: string): void {
    this.advance();
    const task = this.tasks.find((candidate) => candidate.upid === upid);
    if (task && task.exitstatus === undefined) this.#end(task, this.now(), 'unexpected status');
  }

  /** A task that was over before the world began. */
  remember(past: {
    node: string;
    type: string;
    id: string;
    by: By;
    at: number;
    seconds: number;
    log: string[];
    error?: string;
  }): void {
    const task = this.#create(past, past.at);
    task.log.push(...past.log, past.error === undefined ? 'TASK OK' : `TASK ERROR: ${past.error}`);
    task.endtime = task.starttime + past.seconds;
    task.exitstatus = past.error ?? 'OK';
  }

  #create(plan: Pick<Plan, 'node' | 'type' | 'id' | 'by'>, at: number): Task {
    const { node, type, id, by } = plan;
    this.#pid += 2;
    const starttime = Math.floor(at / 1000);
    const pstart = Math.max(0, Math.floor((at - (this.node(node)?.bootedAt ?? at)) / 10)) % 0xffffffff;
    const who = by.tokenid === undefined ? by.user : `${by.user}!${by.tokenid}`;
    const upid = `UPID:${node}:${hex(this.#pid)}:${hex(pstart)}:${hex(starttime)}:${type}:${id}:${who}:`;
    const task: Task = { upid, node, pid: this.#pid, pstart, starttime, type, id, by, log: [] };
    this.tasks.push(task);
    return task;
  }

  #steps(plan: Plan, task: Task): readonly Step[] {
    const guest = plan.holds;
    if (!guest) return plan.steps;
    const holder = this.#holders.get(guest.vmid);
    if (holder && holder.exitstatus === undefined) {
      const file =
        guest.kind === 'lxc'
          ? `/run/lock/lxc/pve-config-${guest.vmid}.lock`
          : `/var/lock/qemu-server/lock-${guest.vmid}.conf`;
      return failing(`can't lock file '${file}' - got timeout`, 10);
    }
    this.#holders.set(guest.vmid, task);
    return plan.steps;
  }

  #step(running: Running): void {
    const next = running.due.shift();
    const { task } = running;
    try {
      next?.step.run?.();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      task.log.push(`TASK ERROR: ${error.message}`);
      this.#end(task, next?.at ?? this.now(), error.message);
      return;
    }
    const log = next?.step.log ?? [];
    task.log.push(...(typeof log === 'function' ? log() : log));
    if (running.due.length > 0) return;
    if (running.warn)
      task.log.push("WARN: old systemd (< v232) detected, container won't run in a pure cgroupv2 environment!");
    task.log.push(running.warn ? 'TASK WARNINGS: 1' : 'TASK OK');
    this.#end(task, next?.at ?? this.now(), running.warn ? 'WARNINGS: 1' : 'OK');
  }

  #end(task: Task, at: number, exitstatus: string): void {
    task.endtime = Math.max(task.starttime, Math.floor(at / 1000));
    task.exitstatus = exitstatus;
    const index = this.#running.findIndex((running) => running.task === task);
    if (index >= 0) this.#running.splice(index, 1);
  }
}

const failing = (message: string, seconds = 1): Step[] => [
  {
    seconds,
    run: () => {
      throw new Refusal(message);
    },
  },
];
