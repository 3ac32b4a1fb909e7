import { readFile } from 'node:fs/promises';
import { replaceFile } from '../replacefile.ts';
import { isJobId } from './job-id.ts';

/** A job that outlives this process, as this machine remembers it. */
export interface BookedJob {
  readonly id: string;
  /** When it was started, ms since 1970. */
  readonly startedAt: number;
}

const MOST = 500;

/** The jobs that were started from this machine and go on without it, in a 0600 file. What cannot be kept is forgotten. */
export class JobBook {
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** Oldest first. */
  async list(): Promise<readonly BookedJob[]> {
    await this.#last;
    return this.#read();
  }

  add(id: string): Promise<void> {
    return this.#change((jobs) => [...jobs, { id, startedAt: Date.now() }].slice(-MOST));
  }

  /** For what is no longer on its host. */
  drop(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return Promise.resolve();
    return this.#change((jobs) => jobs.filter(({ id }) => !ids.includes(id)));
  }

  /** One change after the other, each on what the file holds by then: it may be another process's. */
  #change(change: (jobs: readonly BookedJob[]) => readonly BookedJob[]): Promise<void> {
    this.#last = this.#last
      .then(async () => replaceFile(this.file, `${JSON.stringify(change(await this.#read()), undefined, 1)}\n`))
      .catch(() => undefined);
    return this.#last;
  }

  async #read(): Promise<readonly BookedJob[]> {
    try {
      const found: unknown = JSON.parse(await readFile(this.file, 'utf8'));
      return Array.isArray(found) ? found.filter(isBooked) : [];
    } catch {
      return [];
    }
  }
}

const isBooked = (one: unknown): one is BookedJob =>
  typeof one === 'object' &&
  one !== null &&
  'id' in one &&
  typeof one.id === 'string' &&
  isJobId(one.id) &&
  'startedAt' in one &&
  typeof one.startedAt === 'number';
