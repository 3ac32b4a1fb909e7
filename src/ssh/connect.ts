import { setMaxListeners } from 'node:events';
import type { Client } from 'ssh2';
import { Failure } from '../failure.ts';
import type { HostSpec } from './client.ts';
import { type ConnectOptions, goThrough, hangUp, type Layer, newWay } from './layer.ts';
import { watchPulse } from './pulse.ts';

/** A connection that is logged in. */
export interface Connection {
  readonly client: Client;
  /** `SHA256:…` of the accepted host key. */
  readonly hostKey: string;
  /** Aborts once, when the connection or one below it is gone; its reason is a Failure that says why. */
  readonly lost: AbortSignal;
  /** Says goodbye and hangs up; done when the socket is closed, which takes 150 ms at most. */
  close(): Promise<void>;
}

const GOODBYE_MS = 100;

/** Connects through all hops and logs in within `connectTimeoutMs`; or fails, once, and leaves nothing open. */
export async function connect(host: HostSpec, options: ConnectOptions): Promise<Connection> {
  const layers = await goThrough([...(host.via ?? []), host], await newWay(options));
  const last = layers.at(-1) as Layer;
  const lost = new AbortController();
  // Every channel listens, which is more than the 10 at which Node suspects a leak.
  setMaxListeners(100, lost.signal);
  for (const layer of layers) watch(layer, host, lost);
  lost.signal.addEventListener('abort', () => hangUp(layers), { once: true });
  return {
    client: last.client,
    hostKey: last.key?.fingerprint ?? '',
    lost: lost.signal,
    close: () => sayGoodbye(layers),
  };
}

/** Whatever ends a layer ends the whole: nothing that has run out of one of them can be trusted to come back. */
function watch(layer: Layer, host: HostSpec, lost: AbortController): void {
  const at = layer.host === host ? '' : ` (at the hop ${layer.host.name})`;
  const lose = (detail: string, cause?: unknown) => {
    const text = `The SSH connection to ${host.name} was lost${at}: ${detail}.`;
    lost.abort(
      new Failure('unreachable', text, 'Call again; it reconnects.', { cause, said: (cause as Error)?.message }),
    );
  };
  const stop = watchPulse(layer.stream, layer.keepaliveMs, (silentMs) => {
    lose(`nothing has come from it for ${silentMs / 1000} s`);
  });
  lost.signal.addEventListener('abort', stop, { once: true });
  layer.client.on('error', (error) => lose(error.message, error));
  layer.client.on('end', () => lose('the other side closed it'));
  layer.client.on('close', () => lose('it was closed'));
}

async function sayGoodbye(layers: readonly Layer[]): Promise<void> {
  const ground = layers[0]?.stream;
  if (!ground || ground.closed) return;
  const closed = new Promise<void>((resolve) => ground.once('close', () => resolve()));
  layers.at(-1)?.client.end();
  const timer = setTimeout(() => hangUp(layers), GOODBYE_MS);
  await closed;
  clearTimeout(timer);
}
