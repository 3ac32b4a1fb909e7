import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Message } from './message.ts';

/** What is known of deliveries to one URL; times in ms since 1970. */
const stateShape = z.object({
  /** When something was last taken. */
  deliveredAt: z.number().optional(),
  /** The last attempt, when it failed: when, and what came of it. */
  failedAt: z.number().optional(),
  trouble: z.string().optional(),
  /** Attempts in a row that failed, and when the next one is due. */
  failures: z.number().default(0),
  nextAt: z.number().default(0),
  /** The event that was refused, and how often. */
  refused: z.object({ id: z.string(), times: z.number() }).optional(),
  /** When the receiver said that it is gone for good (410). */
  stoppedAt: z.number().optional(),
});
export type State = z.output<typeof stateShape>;

const messageShape = z.object({ id: z.string(), body: z.string() });

/** Events that wait for one URL at most, and for how long. */
const MOST = 1_000;
const LONGEST_MS = 3 * 86_400_000;
/** A draft lives for milliseconds, so one this old was left behind. */
const LEFT_MS = 60_000;

const EVENT = /^(\d{13})-\d{6}-[0-9a-f]{8}\.json$/;
const DRAFT = /\.new$/;

/**
 * The events that wait for one URL, in a folder that several processes share: a file for each, whose name tells its
 * turn. What the disk does not take is kept in memory. Nothing of it rejects.
 */
export class Box {
  readonly #memory = new Map<string, Message>();
  #unwritten: State | undefined;
  #turn = 0;

  constructor(
    readonly folder: string,
    /** Told of events that were given up, with why. */
    private readonly onDrop: (count: number, why: string) => void = () => undefined,
  ) {}

  /** The oldest give way when there are too many. */
  async add(message: Message, at: number): Promise<void> {
    const turn = String(this.#turn++ % 1_000_000).padStart(6, '0');
    const name = `${String(at).padStart(13, '0')}-${turn}-${randomBytes(4).toString('hex')}.json`;
    await this.#write(name, JSON.stringify(message)).catch(() => this.#memory.set(name, message));
    const names = await this.names();
    await this.giveUp(names.slice(0, Math.max(0, names.length - MOST)), `more than ${MOST} were waiting`);
  }

  /** The one whose turn it is, and its name; those that waited too long, or cannot be read, are dropped before. */
  async first(): Promise<{ readonly name: string; readonly message: Message } | undefined> {
    const names = await this.names();
    const old = names.filter((name) => Number(name.slice(0, 13)) < Date.now() - LONGEST_MS);
    await this.giveUp(old, 'they waited for three days');
    for (const name of names.slice(old.length)) {
      const file = join(this.folder, name);
      const message = this.#memory.get(name) ?? (await read(file, messageShape));
      if (message) return { name, message };
      // Another one may have given it up meanwhile.
      if (await stat(file).catch(ignored)) await this.giveUp([name], 'it could not be read');
    }
    return undefined;
  }

  async remove(name: string): Promise<void> {
    this.#memory.delete(name);
    await rm(join(this.folder, name), { force: true }).catch(ignored);
  }

  /** Forgets all that waits. */
  async empty(): Promise<void> {
    for (const name of await this.names()) await this.remove(name);
  }

  /** In their order. */
  async names(): Promise<string[]> {
    const there = await readdir(this.folder).catch(() => []);
    for (const draft of there.filter((name) => DRAFT.test(name))) await this.#removeLeft(draft);
    return [...new Set([...there.filter((name) => EVENT.test(name)), ...this.#memory.keys()])].sort();
  }

  /** How many were given up, ever. */
  async dropped(): Promise<number> {
    return (await stat(join(this.folder, 'dropped')).catch(ignored))?.size ?? 0;
  }

  async state(): Promise<State> {
    return this.#unwritten ?? (await read(join(this.folder, 'state.json'), stateShape)) ?? stateShape.parse({});
  }

  async put(state: State): Promise<void> {
    this.#unwritten = state;
    const written = this.#write('state.json', JSON.stringify(state));
    await written.then(() => {
      this.#unwritten = undefined;
    }, ignored);
  }

  /** A byte for each that is given up, so that processes can count together without a lock. */
  async giveUp(names: readonly string[], why: string): Promise<void> {
    if (names.length === 0) return;
    for (const name of names) await this.remove(name);
    const marks = '.'.repeat(names.length);
    await appendFile(join(this.folder, 'dropped'), marks, { mode: 0o600 }).catch(ignored);
    this.onDrop(names.length, why);
  }

  /** Whole or not at all. Nobody waits for the disk: what a power cut takes away is an event, not a change. */
  async #write(name: string, text: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const draft = join(this.folder, `${name}.${randomBytes(4).toString('hex')}.new`);
    try {
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
      await rename(draft, join(this.folder, name));
    } catch (error) {
      await rm(draft, { force: true }).catch(ignored);
      throw error;
    }
  }

  async #removeLeft(draft: string): Promise<void> {
    const path = join(this.folder, draft);
    const age = Date.now() - ((await stat(path).catch(ignored))?.mtimeMs ?? Date.now());
    if (age > LEFT_MS) await rm(path, { force: true }).catch(ignored);
  }
}

/** What the disk does not take, others do without. */
const ignored = (): undefined => undefined;

/** The content of a file, or undefined when it is not there or not right. */
async function read<T>(file: string, shape: z.ZodType<T>): Promise<T | undefined> {
  try {
    return shape.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
