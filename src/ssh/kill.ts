import type { Command, HostSpec, RemoteProcess } from './client.ts';
import { belowWord, hunt, type Look, type Prey, readAnswer } from './hunt.ts';
import type { Pool } from './pool.ts';
import { Watch } from './watch.ts';

export interface Killed {
  readonly state: RemoteProcess;
  /** What still ran at the last look. */
  readonly pids: readonly number[];
  /** How it was looked; absent when nobody answered. */
  readonly by?: Look['by'];
}

/** Who looks and signals, and where. */
export type As = Pick<Command, 'sudo' | 'user' | 'container'>;

const LIMIT_MS = 4_500;

/** Ends the processes of runs on any host. Runs that end at the same time share one channel per host and account. */
export class Killer {
  readonly #pool: Pool;
  readonly #watches = new Map<string, Watch>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Ends every process of a run, as who the run was. Never throws; takes 5 s at most, and then tells
   * what still runs, or that it could not look.
   */
  async kill(host: HostSpec, as: As, prey: Prey): Promise<Killed> {
    const { watch, leave } = this.#join(host, as);
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

  /** Interrupts what runs below a shell, once; the pids, or undefined when nobody could look. */
  async interrupt(host: HostSpec, as: As, { cookie, below }: Prey): Promise<readonly number[] | undefined> {
    const { watch, leave } = this.#join(host, as);
    const order = `INT ${cookie} ${below ? belowWord(below) : 0} `;
    const answer = await Promise.race([watch.ask(order), pause(LIMIT_MS)]);
    leave();
    return answer === undefined ? undefined : readAnswer(answer).look.pids;
  }

  #join(host: HostSpec, as: As): { watch: Watch; leave: () => void } {
    const key = JSON.stringify([host, as]);
    const open = this.#watches.get(key);
    const watch = open && !open.over ? open : new Watch(this.#pool, host, as);
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

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
