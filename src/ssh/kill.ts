import { createInterface } from 'node:readline';
import type { ClientChannel } from 'ssh2';
import type { HostSpec, RemoteProcess } from './client.ts';
import { hunt, LOOK_SCRIPT, type Look, type Prey } from './hunt.ts';
import type { Pool } from './pool.ts';
import { quote } from './quote.ts';
import { Talk } from './talk.ts';
import { newMarks, wrap } from './wrap.ts';

export interface Killed {
  readonly state: RemoteProcess;
  /** What still ran at the last look. */
  readonly pids: readonly number[];
  /** How it was looked; absent when nobody answered. */
  readonly by?: Look['by'];
}

const LIMIT_MS = 4_500;

/** Ends the processes of runs on any host. Runs that end at the same time share one channel per host and privilege. */
export class Killer {
  readonly #pool: Pool;
  readonly #watches = new Map<string, Watch>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Ends every process of a run, with the privilege that the run had. Never throws; takes 5 s at most, and then tells
   * what still runs, or that it could not look.
   */
  async kill(host: HostSpec, sudo: boolean, prey: Prey): Promise<Killed> {
    const { watch, leave } = this.#join(host, sudo);
    let seen: Killed = { state: 'unknown', pids: [] };
    const tell = ({ pids, by }: Look, empty: number) => {
      seen = { state: empty > 1 ? 'terminated' : empty === 1 ? 'unknown' : 'still running', pids, by };
    };
    let late = false;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LIMIT_MS);
    });
    const ask = async (line: string) => (late ? undefined : watch.ask(line));
    await Promise.race([hunt(prey, ask, tell), limit]);
    late = true;
    clearTimeout(timer);
    leave();
    return seen;
  }

  #join(host: HostSpec, sudo: boolean): { watch: Watch; leave: () => void } {
    const key = JSON.stringify([host, sudo]);
    const open = this.#watches.get(key);
    const watch = open && !open.over ? open : new Watch(this.#pool, host, sudo);
    this.#watches.set(key, watch);
    watch.users += 1;
    const leave = () => {
      watch.users -= 1;
      if (watch.users > 0) return;
      if (this.#watches.get(key) === watch) this.#watches.delete(key);
      watch.close();
    };
    return { watch, leave };
  }
}

/** One channel on which looks are taken. */
class Watch {
  users = 0;
  /** Nobody answers here any more. */
  over = false;
  readonly #closing = new AbortController();
  readonly #waiting: ((answer: string | undefined) => void)[] = [];
  readonly #channel: Promise<ClientChannel | undefined>;

  constructor(pool: Pool, host: HostSpec, sudo: boolean) {
    this.#channel = new Promise((resolve) => {
      const end = () => {
        this.over = true;
        resolve(undefined);
        for (const answer of this.#waiting.splice(0)) answer(undefined);
      };
      // Why it could not be opened does not matter here: the answer is that nobody could look.
      this.#open(pool, host, sudo, resolve).then(end, end);
    });
  }

  /** Gives the script one line; its answer, or undefined when there is none to be had. */
  async ask(line: string): Promise<string | undefined> {
    const channel = await this.#channel;
    if (!channel || this.over) return undefined;
    channel.write(`${line}\n`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#closing.abort();
  }

  #open(pool: Pool, host: HostSpec, sudo: boolean, ready: (channel: ClientChannel) => void): Promise<void> {
    const { signal } = this.#closing;
    const wrapped = wrap(host, { script: `exec sh -c ${quote(LOOK_SCRIPT)}`, timeoutMs: LIMIT_MS, sudo }, newMarks());
    const use = async (channel: ClientChannel) => {
      const over = new Promise<void>((resolve) => {
        channel.on('close', resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      createInterface({ input: channel }).on('line', (line) => this.#waiting.shift()?.(line));
      const talk = new Talk(channel, wrapped, {
        password: host.sudoPassword,
        stdin: 'open',
        onStderr: () => {},
        onRunning: () => ready(channel),
        onStuck: () => channel.close(),
      });
      if (!signal.aborted) await over;
      talk.close();
    };
    return pool.withChannel(host, wrapped.line, use, { reserved: true, signal });
  }
}
