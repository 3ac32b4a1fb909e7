import { BlockList, isIP, isIPv6 } from 'node:net';

/** What an address is: `never` posted to, this machine, a network of one's own, or the internet. */
export type Reach = 'never' | 'loopback' | 'private' | 'public';

type Net = readonly [address: string, prefix: number];

/** Made when it is first asked. */
function listed(...nets: readonly Net[]): (address: string) => boolean {
  const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');
  let list: BlockList | undefined;
  return (address) => {
    if (!list) {
      list = new BlockList();
      for (const [from, prefix] of nets) list.addSubnet(from, prefix, familyOf(from));
    }
    return list.check(address, familyOf(address));
  };
}

/** Unspecified, link-local, multicast, reserved and broadcast (RFC 6890), and where clouds tell a machine its secrets. */
const isNever = listed(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['::', 128],
  // Teredo carries an IPv4 address in disguise (RFC 4380).
  ['2001::', 32],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
);
const isLoopback = listed(['127.0.0.0', 8], ['::1', 128]);
const isOwnNetwork = listed(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['192.0.0.0', 24],
  ['198.18.0.0', 15],
  ['fc00::', 7],
  ['64:ff9b:1::', 48],
);

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [plain = ''] = address.split('%');
  // URL writes every spelling in the one canonical form, without dots.
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [read(head), read(tail ?? '')];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

/** Mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052): all of them lead to an IPv4 address. */
const CARRIERS = ['0:0:0:0:0:65535', '0:0:0:0:0:0', '0:0:0:0:65535:0', '100:65435:0:0:0:0'];

/** The IPv4 address that an IPv6 address carries, where it does. */
function carried(address: string): string | undefined {
  const groups = groupsOf(address);
  const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  // 6to4 (RFC 3056).
  if (groups[0] === 0x2002) return dotted(groups[1], groups[2]);
  const [high = 0, low = 0] = groups.slice(6);
  // The unspecified address and ::1 are none that carry another.
  return CARRIERS.includes(groups.slice(0, 6).join(':')) && (high !== 0 || low > 1) ? dotted(high, low) : undefined;
}

/** Where an IP address leads; what is none is `never` posted to. */
export function reachOf(address: string): Reach {
  if (isIP(address) === 0) return 'never';
  const inner = isIPv6(address) ? carried(address) : undefined;
  if (inner !== undefined) return reachOf(inner);
  const [plain = ''] = address.split('%');
  if (isNever(plain)) return 'never';
  if (isLoopback(plain)) return 'loopback';
  return isOwnNetwork(plain) ? 'private' : 'public';
}

/** The host of a URL as it is connected to: an IPv6 address without its brackets, a name without its last dot. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/** `text` as a URL that can be posted to, or why it is none, as the end of "it must …". URL knows every spelling of an address. */
export function hookUrl(text: string): URL | { readonly wrong: string } {
  if (!URL.canParse(text)) return { wrong: 'be a URL' };
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { wrong: 'begin with https://' };
  if (url.username !== '' || url.password !== '') return { wrong: 'have no user and no password in it' };
  if (url.hash !== '' || url.port === '0') return { wrong: 'have no part after # and no port 0' };
  if (isIP(hostOf(url)) !== 0 && reachOf(hostOf(url)) === 'never') {
    return { wrong: 'not lead to a link-local, multicast, metadata or reserved address' };
  }
  return url;
}

/** The same for what a model asks for: https, and not this machine, which only its operator may name. */
export function askedUrl(text: string): URL | { readonly wrong: string } {
  const url = hookUrl(text);
  if ('wrong' in url) return url;
  if (url.protocol !== 'https:') return { wrong: 'begin with https://' };
  const host = hostOf(url);
  const here = isIP(host) === 0 ? /(^|\.)localhost$/i.test(host) : reachOf(host) === 'loopback';
  return here ? { wrong: 'not lead to this machine; the operator can write such a one into the inventory file' } : url;
}

/** Without what may be secret in it. */
export const urlInShort = (url: string): string => (URL.canParse(url) ? `${new URL(url).origin}/…` : '…');
