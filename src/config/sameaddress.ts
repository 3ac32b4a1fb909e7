import { isIPv6 } from 'node:net';

const inBrackets = (name: string): string => (isIPv6(name) ? `[${name}]` : name);

/** One spelling for every way to write the same address or name; names are not looked up. */
export function oneSpelling(address: string): string {
  const plain = address.toLowerCase().replace(/\.$/, '');
  // URL knows 10.5, 0x0a000005 and every IPv6 spelling.
  const url = `http://${inBrackets(plain)}`;
  const name = URL.canParse(url) ? new URL(url).hostname : plain;
  const [, high, low] = /^\[::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(name) ?? [];
  if (high === undefined || low === undefined) return name;
  return [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join('.');
}
