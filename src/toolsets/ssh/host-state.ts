import type { HostConnection, HostSpec } from '../../ssh/client.ts';
import { duration } from '../format.ts';

/** `user@address:port`, the port where it is not 22. */
export const loginOf = ({ user, address, port }: HostSpec): string =>
  `${user}@${address}${port === 22 ? '' : `:${port}`}`;

const ago = (at: number): string => `${duration((Date.now() - at) / 1000)} ago`;

/** How a host is doing, by what came of using it; nothing is asked of it. */
export function stateOf({ state, lastSeen, lastError, lastErrorAt }: HostConnection): string {
  if (state === 'connected') return 'connected';
  if (lastError !== undefined) return `failed ${ago(lastErrorAt ?? Date.now())}`;
  return lastSeen === undefined ? 'not used yet' : `seen ${ago(lastSeen)}`;
}

/** Connected, or reached since it last failed. */
export const isOnline = ({ state, lastSeen, lastError }: HostConnection): boolean =>
  state === 'connected' || (lastSeen !== undefined && lastError === undefined);
