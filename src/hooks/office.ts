import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Redact } from '../present/redact.ts';
import { Box } from './box.ts';
import { Courier, type CourierOptions } from './courier.ts';
import type { Happening } from './events.ts';
import { messageOf } from './message.ts';
import { Once } from './once.ts';

export interface OfficeOptions extends CourierOptions {
  /** Where events wait, for every process of this user. */
  readonly folder: string;
  readonly redact: Redact;
  /** The user, where files have an owner. */
  readonly uid?: number;
}

/** The name of a URL's folder: the events of another URL are never brought to it, and it tells no secret. */
export const keyOf = (url: string): string => createHash('sha256').update(url).digest('hex').slice(0, 32);

const TOLD = 'told';
/** A refusal that repeats itself is told once in this time. */
const REPEAT_MS = 60_000;
const MOST_REMEMBERED = 1_000;

/**
 * An office over its folder. `misconfigured` when others can write that: they could put events there, which would be signed.
 */
export async function openOffice(options: OfficeOptions): Promise<Office> {
  const { folder, uid } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
  // What the disk does not take is kept in memory.
  const found = await lstat(folder).catch(() => undefined);
  const shared = found && uid !== undefined && (found.uid !== uid || (found.mode & 0o022) !== 0);
  if (found?.isSymbolicLink() || (found?.isDirectory() && shared)) {
    const text = `Events cannot wait in ${folder}: others could write there.`;
    throw new Failure('misconfigured', text, 'Remove it, or set MCP_AUDIT_FILE to a file in a folder of your own.');
  }
  return new Office(options);
}

/** Takes in what happened, and has it brought to the URLs. */
export class Office {
  readonly #couriers = new Map<string, Courier>();
  readonly #once: Once;
  readonly #refusals = new Map<string, { at: number; repeated: number }>();

  constructor(private readonly options: OfficeOptions) {
    this.#once = new Once(join(options.folder, TOLD));
  }

  /** The event is on the disk when this is done; it is brought after that. */
  async take(happening: Happening, urls: readonly string[]): Promise<void> {
    const news = await this.#news(happening);
    if (!news) return;
    const message = messageOf(news, this.options.version, this.options.redact);
    for (const url of urls) {
      const courier = this.#courier(url);
      await courier.box.add(message, Date.now());
      courier.go();
    }
  }

  /** A host was connected to: if it was told of as unreachable, that is over. */
  async reached(host: string, urls: readonly string[]): Promise<void> {
    const at = await this.#once.over(host, 'host.unreachable');
    if (at === undefined) return;
    const since = new Date(at).toISOString();
    await this.take({ type: 'host.recovered', data: { host, since }, hosts: [host] }, urls);
  }

  /** Brings what earlier processes left, and forgets what is for URLs that are no longer set, in its time. */
  async resume(urls: readonly string[]): Promise<void> {
    for (const url of urls) this.#courier(url).go();
    const known = new Set([TOLD, ...urls.map(keyOf)]);
    for (const name of await readdir(this.options.folder).catch(() => [])) {
      const box = new Box(join(this.options.folder, name));
      if (known.has(name) || (await box.first())) continue;
      await rm(box.folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.#couriers.values()].map((courier) => courier.close(graceMs)));
  }

  #courier(url: string): Courier {
    const courier = this.#couriers.get(url) ?? new Courier(url, join(this.options.folder, keyOf(url)), this.options);
    this.#couriers.set(url, courier);
    return courier;
  }

  /** Undefined when it is no news. */
  async #news(happening: Happening): Promise<Happening | undefined> {
    const { type, data } = happening;
    if (type === 'guard.refused') return this.#rarely(happening);
    const [host = ''] = happening.hosts;
    if (type === 'host.unreachable') return (await this.#once.first(host, type)) ? happening : undefined;
    if (type !== 'hostkey.changed') return happening;
    return (await this.#once.first(host, `${type} ${data.offered}`)) ? happening : undefined;
  }

  #rarely(happening: Happening): Happening | undefined {
    const key = JSON.stringify(happening.data);
    const now = Date.now();
    const last = this.#refusals.get(key);
    if (last && now - last.at < REPEAT_MS) {
      last.repeated += 1;
      return undefined;
    }
    if (this.#refusals.size >= MOST_REMEMBERED) this.#refusals.clear();
    this.#refusals.set(key, { at: now, repeated: 0 });
    const repeated = last?.repeated || undefined;
    return { ...happening, data: { ...happening.data, repeated } };
  }
}
