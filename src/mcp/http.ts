import type { Server } from 'node:http';
import { createEndpoint, type EndpointParts } from './http/endpoint.ts';
import { usualLimits } from './http/limits.ts';
import { listen } from './http/listen.ts';
import type { Place } from './http/place.ts';
import { beginLifetime, type ServerParts } from './lifetime.ts';
import { buildServer, type Edge } from './server.ts';

/** Listens at the place until `shutdown`, when connections that are open stay until they are answered. */
export async function openHttp(
  parts: Omit<EndpointParts, 'isOurs'>,
  place: Place,
): Promise<{ readonly server: Server; readonly url: string }> {
  const opened = await listen(place, parts.limits, createEndpoint({ ...parts, isOurs: place.isOurs }));
  parts.shutdown.addEventListener('abort', () => opened.server.close());
  return opened;
}

/** Serves MCP over HTTP to whoever has the token until the process is told to end. Gives the URL, else `misconfigured`. */
export async function serveOverHttp(parts: ServerParts, place: Place, token: string): Promise<string> {
  const lifetime = beginLifetime(parts);
  const { gate, setup } = parts;
  const edge: Edge = { ...parts, ...lifetime, gate: (call) => gate({ ...call, client: `${call.client} (http)` }) };
  const endpoint = { ...lifetime, token, version: setup.version, limits: usualLimits, build: () => buildServer(edge) };
  return (await openHttp(endpoint, place)).url;
}
