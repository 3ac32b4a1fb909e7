import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { asFailure, Failure } from '../failure.ts';
import { attempt, type Deadlines } from './attempt.ts';
import { type Login, prepareLogin } from './auth.ts';
import type { HostSpec } from './client.ts';
import { dial, forward } from './dial.ts';
import { handshake } from './handshake.ts';
import { type HostKey, knowledgeOf } from './hostkey.ts';
import { HostKeyCheck } from './keycheck.ts';
import { type KnownKey, readKnownHosts } from './knownhosts.ts';

export interface ConnectOptions {
  /** The user's own files, read only. */
  readonly knownHosts: readonly string[];
  /** Ours: read too, and the only one that is written. */
  readonly ownKnownHosts: string;
  /** Keys of hosts that are not known are accepted and written down. Changed and revoked ones never are. */
  readonly acceptNew?: boolean;
  /** For everything from the first byte to the login, hops included; 15 s. */
  readonly connectTimeoutMs?: number;
  /** A peer that is silent for three of these is gone; 5 s. */
  readonly keepaliveMs?: number;
  readonly signal?: AbortSignal;
}

/** One SSH connection of the way to a host: to a hop, or through the hops to the host itself. */
export interface Layer {
  readonly host: HostSpec;
  readonly client: Client;
  readonly stream: Duplex;
  readonly key?: HostKey;
  readonly keepaliveMs: number;
}

/** What the layers of one way to a host share. */
export interface Way {
  readonly deadlines: Deadlines;
  readonly known: readonly KnownKey[];
  readonly options: ConnectOptions;
}

const CONNECT_MS = 15_000;
const KEEPALIVE_MS = 5_000;

/** The clock of all stages starts here. Fails when a known hosts file cannot be read. */
export async function newWay(options: ConnectOptions): Promise<Way> {
  const total = options.connectTimeoutMs ?? CONNECT_MS;
  // No stage may use up the whole: a mute server is told of before the deadline.
  const deadlines = { until: performance.now() + total, stageMs: (total * 2) / 3, signal: options.signal };
  return { deadlines, known: await readKnownHosts([...options.knownHosts, options.ownKnownHosts]), options };
}

/** Goes one hop after the other, each verified and logged in to in its own right. All or nothing. */
export async function goThrough(hosts: readonly HostSpec[], way: Way): Promise<Layer[]> {
  const layers: Layer[] = [];
  try {
    for (const host of hosts) layers.push(await addLayer(host, layers.at(-1), way));
    return layers;
  } catch (error) {
    hangUp(layers);
    throw error;
  }
}

/** The last layer first, so that each can still say what it has to say through those below it. */
export function hangUp(layers: readonly Pick<Layer, 'client' | 'stream'>[]): void {
  for (const { client, stream } of layers.toReversed()) {
    client.destroy();
    stream.destroy();
  }
}

/** A stream to the host: by TCP, or through the layer below. */
export const reach = (host: HostSpec, below: Layer | undefined, deadlines: Deadlines): Promise<Duplex> =>
  below ? forward(below.host, below.client, host, deadlines) : dial(host, deadlines);

async function addLayer(host: HostSpec, below: Layer | undefined, way: Way): Promise<Layer> {
  const { deadlines, options } = way;
  const login = await preparedInTime(host, deadlines);
  const knowledge = knowledgeOf(host, way.known);
  const check = new HostKeyCheck(host, knowledge, options);
  const stream = await reach(host, below, deadlines);
  const keepaliveMs = options.keepaliveMs ?? KEEPALIVE_MS;
  const hostKeyAlgorithms = knowledge.algorithms;
  const client = await handshake({ host, stream, check, hostKeyAlgorithms, login, keepaliveMs, deadlines });
  return { host, client, stream, key: check.accepted, keepaliveMs };
}

const preparedInTime = (host: HostSpec, deadlines: Deadlines) =>
  attempt<Login>(
    `Connecting to ${host.name}`,
    deadlines,
    () => {},
    ({ stage, done, fail }) => {
      stage(() => {
        const text = `The SSH agent at ${host.agent} did not list its keys in time.`;
        return new Failure('timeout', text, 'Unlock or restart the agent, or configure a key file.');
      });
      prepareLogin(host).then(done, (error) => fail(asFailure(error)));
    },
  );
