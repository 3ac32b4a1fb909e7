import type { Failure } from '../failure.ts';
import type { HostSpec } from './client.ts';
import { acceptHostKey, knowledgeOf } from './hostkey.ts';
import { type KnownKey, readKnownHosts } from './knownhosts.ts';
import type { ConnectOptions } from './layer.ts';
import { type ScannedKey, scanHostKey } from './scan.ts';

/** The keys of hosts, as they are known and as they are shown. */
export interface HostKeys {
  /** The keys that known_hosts has of a host, none of them revoked. */
  known(host: HostSpec): Promise<readonly KnownKey[]>;
  /** The key that a host shows and proves to hold; it hears nothing of a user. */
  scan(host: HostSpec, signal?: AbortSignal): Promise<ScannedKey>;
  /** Writes a key that a human has accepted into our own known_hosts, and gives that file. */
  accept(host: HostSpec, key: ScannedKey): string;
}

/** The keys as these files have them; `refusal` is thrown in the place of accepting any. */
export function createHostKeys(options: ConnectOptions, refusal?: Failure): HostKeys {
  const { knownHosts, ownKnownHosts } = options;
  return {
    known: async (host) => knowledgeOf(host, await readKnownHosts([...knownHosts, ownKnownHosts])).keys,
    scan: (host, signal) => scanHostKey(host, { ...options, acceptNew: false, signal }),
    accept(host, key) {
      if (refusal) throw refusal;
      acceptHostKey(ownKnownHosts, host, key);
      return ownKnownHosts;
    },
  };
}
