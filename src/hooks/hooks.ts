import { existsSync } from 'node:fs';
import { asFailure, type Failure } from '../failure.ts';
import type { Gate } from '../gate/dispatch.ts';
import type { Registry } from '../gate/registry.ts';
import type { Secret } from '../secret.ts';
import type { HostSpec } from '../ssh/client.ts';
import type { EventType, Happening } from './events.ts';
import type { Office, OfficeOptions } from './office.ts';
import { connectionTold, happeningOf } from './outcome.ts';

export interface HooksOptions extends Omit<OfficeOptions, 'secret'> {
  /** Told of everything. */
  readonly url?: Secret;
  /** Nothing is posted without. */
  readonly secret?: Secret;
  readonly events: readonly EventType[];
  /** The cluster of the settings, where there are others. */
  readonly mainCluster?: string;
  /** The webhooks of single hosts, as they are now. */
  readonly ofHosts: () => ReadonlyMap<string, string>;
}

/** Tells webhooks what happens. Nothing of it waits, fails or slows what it looks at. */
export interface Hooks {
  /** The same gate; what came of its calls is told. */
  watch(gate: Gate, registry: Registry): Gate;
  /** For `onConnection` of the SSH pool. */
  connection(host: HostSpec, failure?: Failure): void;
  /** Within 150 ms; what was not brought stays on the disk. */
  close(): Promise<void>;
}

/** A start is not slowed by what an earlier process left. */
const RESUME_AFTER_MS = 500;
/** Events that wait for a slow disk. */
const MOST_WAITING = 1_000;
const GRACE_MS = 100;

/** Webhooks as they are set up; without a key, no file is touched and nothing more is loaded. */
export function createHooks(options: HooksOptions): Hooks {
  const { secret } = options;
  if (secret) return new LiveHooks({ ...options, secret });
  return { watch: (gate) => gate, connection: () => undefined, close: async () => undefined };
}

class LiveHooks implements Hooks {
  #office: Promise<Office> | undefined;
  #line = Promise.resolve();
  #waiting = 0;
  #behind = false;
  readonly #resume: NodeJS.Timeout;

  constructor(private readonly options: HooksOptions & { readonly secret: Secret }) {
    this.#resume = setTimeout(() => this.#harmless(() => this.#takeUp()), RESUME_AFTER_MS).unref();
  }

  watch(gate: Gate, { listed }: Registry): Gate {
    return async (call) => {
      const outcome = await gate(call);
      const tool = listed.find(({ name }) => name === call.tool);
      this.#harmless(() => this.#tell(happeningOf(call, tool, outcome, this.options.mainCluster)));
      return outcome;
    };
  }

  readonly connection = (host: HostSpec, failure?: Failure): void =>
    this.#harmless(() => (failure ? this.#tell(connectionTold(host, failure)) : this.#reached(host.name)));

  async close(): Promise<void> {
    clearTimeout(this.#resume);
    await this.#line;
    const office = await this.#office?.catch(() => undefined);
    await office?.close(GRACE_MS);
  }

  #tell(happening: Happening | undefined): void {
    const urls = happening && this.#wants(happening.type) ? this.#urlsOf(happening.hosts) : [];
    if (happening && urls.length > 0) this.#next((office) => office.take(happening, urls));
  }

  #reached(host: string): void {
    const urls = this.#urlsOf([host]);
    const told = this.#wants('host.recovered') ? urls : [];
    if (urls.length > 0) this.#next((office) => office.reached(host, told));
  }

  #takeUp(): void {
    const { folder, ofHosts } = this.options;
    if (existsSync(folder)) this.#next((office) => office.resume(this.#urlsOf([...ofHosts().keys()])));
  }

  #wants = (type: Happening['type']): boolean => (this.options.events as readonly string[]).includes(type);

  #urlsOf(hosts: readonly string[]): readonly string[] {
    const own = this.options.ofHosts();
    const all = this.options.url?.reveal();
    return [...new Set([all, ...hosts.map((host) => own.get(host))].flatMap((one) => one ?? []))];
  }

  /** In the order in which it happened. */
  #next(work: (office: Office) => Promise<void>): void {
    if (this.#waiting >= MOST_WAITING) {
      this.#tellBehind();
      return;
    }
    this.#waiting += 1;
    this.#line = this.#line
      .then(async () => work(await this.#opened()))
      .catch((error: unknown) => this.#tellTrouble(error))
      .finally(() => {
        this.#waiting -= 1;
        this.#behind &&= this.#waiting > 0;
      });
  }

  #opened(): Promise<Office> {
    this.#office ??= import('./office.ts').then((made) => made.openOffice(this.options));
    return this.#office;
  }

  /** Once, until it has caught up. */
  #tellBehind(): void {
    if (!this.#behind) this.options.tell(`More than ${MOST_WAITING} events wait for the disk; webhooks miss some.`);
    this.#behind = true;
  }

  #tellTrouble(error: unknown): void {
    this.options.tell(`A webhook was not told: ${asFailure(error).message}`);
  }

  /** A call is never the worse for it. */
  #harmless(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#tellTrouble(error);
    }
  }
}
