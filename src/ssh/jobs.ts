import { asFailure, type Failure, SHUTDOWN } from '../failure.ts';
import type { CommandResult } from './client.ts';
import type { JobBook } from './job-book.ts';
import { type JobId, newJobId } from './job-id.ts';
import type { Keep, Scrub } from './keep.ts';
import { wholeLines } from './lines.ts';
import { OutputReader } from './output.ts';

/** What a command that may become a job is, before it runs. */
export interface JobPlan {
  readonly target: string;
  /** `pve1`, `CT 400 (keycloak)`. */
  readonly label: string;
  readonly script: string;
  /** Told the newest line while a call waits. */
  readonly tell: (line: string) => void;
}

/** What runs the command is given: its end, where its output goes, and whom to tell while a call waits for it. */
export interface JobRun {
  readonly signal: AbortSignal;
  readonly output: OutputReader;
  readonly tell: (line: string) => void;
}

export type JobResult = CommandResult & { readonly cut?: readonly ('stdout' | 'stderr')[] };

/** `failed`: it never ran, or ran past its time; `lost`: what became of it is not known. */
export type JobState = 'running' | 'exited' | 'killed' | 'failed' | 'lost';

/** Why a job is ended on request. */
const KILLED = Symbol('killed');

/** A command of this process. A call may wait for it; nobody else has to. */
export class Job {
  readonly id: JobId;
  readonly output: OutputReader;
  /** When it began and ended, ms since 1970. */
  readonly startedAt = Date.now();
  endedAt: number | undefined;
  result: JobResult | undefined;
  failure: Failure | undefined;
  /** Settles when it is over, and never fails. */
  readonly over: Promise<void>;
  readonly #stop = new AbortController();
  #tells = true;

  constructor(
    readonly plan: JobPlan,
    keep: Keep | undefined,
    run: (job: JobRun) => Promise<JobResult>,
  ) {
    this.id = newJobId(plan.target);
    const tell = (line: string) => {
      if (this.#tells) plan.tell(line);
    };
    this.output = new OutputReader({ onOutput: wholeLines(tell), keep, byOffset: true });
    this.over = this.#attend(run({ signal: this.#stop.signal, output: this.output, tell }));
  }

  get state(): JobState {
    if (this.endedAt === undefined) return 'running';
    if (this.result) return 'exited';
    if (this.#stop.signal.reason === KILLED) return 'killed';
    return this.failure?.kind === 'outcome-unknown' ? 'lost' : 'failed';
  }

  /**
   * The result, or undefined when it still runs after so long. While this waits, an abort of `signal` ends the command;
   * its failures are thrown.
   */
  async within(ms: number, signal: AbortSignal): Promise<JobResult | undefined> {
    const abort = () => this.#stop.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    await this.settled(ms);
    signal.removeEventListener('abort', abort);
    if (signal.aborted) await this.over;
    if (this.failure) throw this.failure;
    return this.result;
  }

  /** Waits until it is over, or for so long; infinitely only for what is sure to end. */
  async settled(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      if (ms !== Number.POSITIVE_INFINITY) timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.over, late]);
    clearTimeout(timer);
  }

  /** No call waits any more. */
  leave(): void {
    this.#tells = false;
    this.output.stop();
  }

  /** Ends every process of it, and waits for what is seen of them. */
  async kill(reason: symbol = KILLED): Promise<void> {
    this.#stop.abort(reason);
    await this.over;
  }

  async #attend(running: Promise<JobResult>): Promise<void> {
    try {
      this.result = await running;
    } catch (error) {
      this.failure = asFailure(error);
    }
    await this.output.end();
    this.endedAt = Date.now();
  }
}

const MOST_JOBS = 50;
const FORGET_MS = 3600_000;

export interface JobsOptions {
  readonly keep?: Keep;
  readonly book?: JobBook;
  /** How many there may be; 50. */
  readonly most?: number;
}

/** The commands of this process that no call waits for. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #begun = new Set<Job>();
  /** Those that outlive this process. */
  readonly book: JobBook | undefined;
  readonly #keep: Keep | undefined;
  readonly #most: number;

  constructor({ keep, book, most = MOST_JOBS }: JobsOptions = {}) {
    this.#keep = keep;
    this.book = book;
    this.#most = most;
  }

  /** Starts a command that is no job yet. */
  begin(plan: JobPlan, run: (job: JobRun) => Promise<JobResult>): Job {
    const job = new Job(plan, this.#keep, run);
    this.#begun.add(job);
    void job.over.then(() => this.#begun.delete(job));
    return job;
  }

  /** Makes it a job; false when so many run already that it cannot be one. */
  adopt(job: Job): boolean {
    this.#forget(1);
    if (this.#jobs.size >= this.#most) return false;
    job.leave();
    this.#jobs.set(job.id.text, job);
    return true;
  }

  /** Those that run and those that ended within the last hour, oldest first. */
  list(): readonly Job[] {
    this.#forget(0);
    return [...this.#jobs.values()];
  }

  find(id: JobId): Job | undefined {
    this.#forget(0);
    return this.#jobs.get(id.text);
  }

  /** What takes the secrets of this process out of output that is read by offsets; none where it holds none. */
  scrub(): Scrub | undefined {
    return this.#keep?.scrub();
  }

  /** What keeps the output of a command that is no job. */
  newOutput(): OutputReader {
    return new OutputReader({ keep: this.#keep });
  }

  /** Ends all that runs, because the process ends. */
  async close(): Promise<void> {
    await Promise.all([...this.#begun].map((job) => job.kill(SHUTDOWN)));
  }

  /** Drops what ended an hour ago, and the oldest ended ones where room is needed. */
  #forget(needed: number): void {
    const ended = [...this.#jobs.values()].filter(({ endedAt }) => endedAt !== undefined);
    ended.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
    for (const job of ended) {
      const old = Date.now() - (job.endedAt ?? 0) > FORGET_MS;
      if (old || this.#jobs.size + needed > this.#most) this.#jobs.delete(job.id.text);
    }
  }
}
