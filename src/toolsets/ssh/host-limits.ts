import type { Facts } from '../../present/answer.ts';
import type { HostConnection, HostLimits } from '../../ssh/client.ts';

/** Connections a minute where nothing else is set. */
const USUAL_CONNECTS = 60;

/** The limits of a host in short, as `30 commands a minute, 4 at once`; undefined when it has none of its own. */
export function limitsInShort({
  commandsPerMinute,
  concurrent,
  connectsPerMinute,
}: HostLimits = {}): string | undefined {
  const parts = [
    commandsPerMinute === undefined ? [] : [`${commandsPerMinute} commands a minute`],
    concurrent === undefined ? [] : [`${concurrent} at once`],
    connectsPerMinute === undefined ? [] : [`${connectsPerMinute} connections a minute`],
  ].flat();
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** Of each limit how much is used, as `3 of 30`. */
export function limitsUsed(limits: HostLimits = {}, connection: HostConnection): Facts {
  const { commandsPerMinute, concurrent, connectsPerMinute = USUAL_CONNECTS } = limits;
  const { commandsLastMinute, connectsLastMinute, openChannels, queued } = connection;
  const of = (used: number, most: number | undefined) =>
    most === undefined ? `${used}, no limit` : `${used} of ${most}`;
  return {
    commands_a_minute: of(commandsLastMinute, commandsPerMinute),
    at_once: `${of(openChannels, concurrent)}${queued > 0 ? `, ${queued} waiting` : ''}`,
    connections_a_minute: of(connectsLastMinute, connectsPerMinute),
  };
}

/** The same in one line, for the answer of a command; undefined where the host has no limits of its own. */
export function limitsTold(limits: HostLimits | undefined, connection: HostConnection): string | undefined {
  if (limitsInShort(limits) === undefined) return undefined;
  const { commandsPerMinute, concurrent, connectsPerMinute } = limits ?? {};
  const used = limitsUsed(limits, connection);
  return [
    commandsPerMinute === undefined ? [] : [`${used.commands_a_minute} commands a minute`],
    concurrent === undefined ? [] : [`${used.at_once} at once`],
    connectsPerMinute === undefined ? [] : [`${used.connections_a_minute} connections a minute`],
  ]
    .flat()
    .join('; ');
}
