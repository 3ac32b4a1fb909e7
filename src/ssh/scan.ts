import type { HostSpec } from './client.ts';
import { handshake } from './handshake.ts';
import { type HostKey, hostKey, knowledgeOf, knownHostsLine, type Verdict } from './hostkey.ts';
import type { KnownKey } from './knownhosts.ts';
import { type ConnectOptions, goThrough, hangUp, newWay, reach } from './layer.ts';

export interface ScannedKey extends HostKey {
  readonly verdict: Verdict;
  /** The lines of known_hosts that decide it. */
  readonly because: readonly KnownKey[];
  /** The known_hosts line for this key. */
  readonly line: string;
}

/**
 * The key a host shows and proves to hold, and what known_hosts says of it. The connection ends before anything is said
 * of the user; hops on the way are verified and logged in to as always.
 */
export async function scanHostKey(host: HostSpec, options: ConnectOptions): Promise<ScannedKey> {
  const way = await newWay(options);
  const hops = await goThrough(host.via ?? [], way);
  try {
    const knowledge = knowledgeOf(host, way.known);
    const shown: HostKey[] = [];
    const check = {
      verify(blob: Buffer) {
        return shown.push(hostKey(blob)) > 0;
      },
      proved() {},
    };
    const stream = await reach(host, hops.at(-1), way.deadlines);
    await handshake({
      host,
      stream,
      check,
      hostKeyAlgorithms: knowledge.algorithms,
      keepaliveMs: 0,
      deadlines: way.deadlines,
    });
    const key = shown[0] as HostKey;
    return { ...key, ...knowledge.judge(key), line: knownHostsLine(host, key) };
  } finally {
    hangUp(hops);
  }
}
