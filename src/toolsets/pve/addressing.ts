import { isIP, isIPv6 } from 'node:net';
import { Failure } from '../../failure.ts';

/** Where a network card is plugged in, and which address its guest has there. */
export interface Card {
  /** `dhcp`, or an address with its prefix. */
  readonly ip: string;
  readonly gateway?: string;
  readonly bridge: string;
  readonly vlan?: number;
}

/** `dhcp`, or an address with the length of its prefix. */
export function isAddress(text: string): boolean {
  const [ip = '', prefix = ''] = text.split('/');
  const bits = isIP(ip) === 6 ? 128 : 32;
  return text === 'dhcp' || (isIP(ip) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

export const isGateway = (text: string): boolean => isIP(text) !== 0;

/** The name of a network interface, which ends at 15 characters in Linux. */
export const isBridge = (text: string): boolean => /^[\w.-]{1,15}$/.test(text);

/** `ip=192.168.2.50/24,gw=192.168.2.1` as containers and cloud-init take it, `ip6` and `gw6` where it is IPv6. */
export function addressing({ ip, gateway }: Pick<Card, 'ip' | 'gateway'>): string {
  const six = ip.includes(':');
  if (gateway !== undefined && (ip === 'dhcp' || isIPv6(gateway) !== six)) {
    throw new Failure(
      'invalid-input',
      ip === 'dhcp' ? 'With DHCP the gateway comes from DHCP.' : `The gateway ${gateway} is not of the kind of ${ip}.`,
      'Give ip as an address with its prefix (192.168.2.50/24) and a gateway of the same network, or leave gateway out.',
    );
  }
  const v = six ? '6' : '';
  return `ip${v}=${ip}${gateway === undefined ? '' : `,gw${v}=${gateway}`}`;
}

const plug = ({ bridge, vlan }: Card): string => `bridge=${bridge}${vlan === undefined ? '' : `,tag=${vlan}`}`;

/** The first card of a container. */
export const containerCard = (card: Card): string => `name=eth0,${plug(card)},${addressing(card)}`;

/** The first card of a VM; its address is cloud-init's. */
export const machineCard = (card: Card): string => `virtio,${plug(card)}`;
