import { isIP } from 'node:net';
import type { KnownHost } from '../tool.ts';
import { safeName } from './aliases.ts';
import type { Reached } from './reached.ts';

/**
 * An OpenSSH client configuration: a Host for each guest that has an address, reached through its node, and one for
 * each of these `nodes` as it is logged in to. Every word is checked, because ssh_config has no way to quote all.
 */
export function sshConfig(
  guests: readonly Reached[],
  nodes: ReadonlyMap<string, KnownHost | undefined>,
  user: string | undefined,
): string {
  const reachable = guests.filter(({ address }) => address !== undefined);
  const blocks = [
    ...[...nodes].map(([node, host]) => nodeBlock(node, host)),
    ...reachable.map(({ guest, alias, address = '' }) => [
      `# ${guest.kind === 'lxc' ? 'CT' : 'VM'} ${guest.vmid}`,
      `Host ${alias}`,
      ...(isIP(address) === 0 ? [] : [`  HostName ${address}`]),
      ...(user === undefined ? [] : [`  User ${user}`]),
      `  ProxyJump ${jumpName(guest.node)}`,
    ]),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

const jumpName = (node: string): string => safeName(node, 'node');

function nodeBlock(node: string, host: KnownHost | undefined): string[] {
  if (host === undefined) return [];
  const { spec } = host;
  const jumps = (spec.via ?? []).map(({ user, address, port }) => {
    return `${user}@${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
  });
  return [
    `Host ${jumpName(node)}`,
    ...word('HostName', spec.address),
    ...word('User', spec.user),
    ...(spec.port === 22 ? [] : [`  Port ${spec.port}`]),
    ...(jumps.length > 0 ? word('ProxyJump', jumps.join(',')) : []),
  ];
}

/** A line whose value is one plain word; left out when it is not. */
const word = (name: string, value: string): string[] =>
  /^[\w.:@,[\]-]+$/.test(value) && !value.startsWith('-') ? [`  ${name} ${value}`] : [];
