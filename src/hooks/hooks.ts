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

/** Webhooks as they are set up; without any, no file is touched and nothing more is loaded. */
export function createHooks(options: HooksOptions): Hooks {
  const { secret, url, events, ofHosts } = options;
  let office: Promise<Office> | undefined;
  let line = Promise.resolve();
  let waiting = 0;
  const opened = (): Promise<Office> => {
    office ??= import('./office.ts').then((made) => new made.Office({ ...options, secret: secret as Secret }));
    return office;
  };
  /** In the order in which it happened. */
  const next = (work: (office: Office) => Promise<void>): void => {
    if (waiting >= MOST_WAITING) return;
    waiting += 1;
    line = line
      .then(async () => work(await opened()))
      .catch((error: unknown) => trouble(error))
      .finally(() => {
        waiting -= 1;
      });
  };
  const urlsOf = (hosts: readonly string[]): readonly string[] => {
    if (!secret) return [];
    const own = ofHosts();
    return [...new Set([url?.reveal(), ...hosts.map((host) => own.get(host))].flatMap((one) => one ?? []))];
  };
  const wanted = ({ type }: Happening): boolean => (events as readonly string[]).includes(type);
  const tell = (happening: Happening | undefined): void => {
    const urls = happening && wanted(happening) ? urlsOf(happening.hosts) : [];
    if (happening && urls.length > 0) next((it) => it.take(happening, urls));
  };
  const reached = (host: string): void => {
    const urls = urlsOf([host]);
    const recovered = (since: string): Happening => ({ type: 'host.recovered', data: { host, since }, hosts: [host] });
    if (urls.length > 0) next((it) => it.reached(host, recovered, wanted(recovered('')) ? urls : []));
  };
  const trouble = (error: unknown): void => options.tell(`A webhook was not told: ${asFailure(error).message}`);
  const harmless = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      trouble(error);
    }
  };
  const timer = setTimeout(() => {
    if (secret && existsSync(options.folder)) next((it) => it.resume(urlsOf([...ofHosts().keys()])));
  }, RESUME_AFTER_MS).unref();
  return {
    watch:
      (gate, { listed }) =>
      async (call) => {
        const outcome = await gate(call);
        const tool = listed.find(({ name }) => name === call.tool);
        tell(happeningOf(call, tool, outcome));
        return outcome;
      },
    connection(host, failure) {
      harmless(() => (failure ? tell(connectionTold(host, failure)) : reached(host.name)));
    },
    async close() {
      clearTimeout(timer);
      await line;
      await (await office)?.close(GRACE_MS);
    },
  };
}
