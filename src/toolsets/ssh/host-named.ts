import { isIP } from 'node:net';
import { Failure } from '../../failure.ts';
import type { HostSpec } from '../../ssh/client.ts';
import type { Hosts } from '../tool.ts';

/**
 * The host whose key is meant: a known one, one at another port (`inner:2222`, as failures name a hop), or an address that
 * nothing else says anything about.
 */
export async function hostNamed(name: string, hosts: Hosts): Promise<HostSpec> {
  const { base, port } = splitPort(name);
  const at = port === undefined ? {} : { name, port: Number(port) };
  try {
    const { spec } = await hosts.find(base);
    return { ...spec, ...at };
  } catch (error) {
    const address = /[.:]/.test(base);
    if (!address || !(error instanceof Failure) || error.kind !== 'not-found') throw error;
    return { name: base, address: base, port: 22, user: 'root', ...at };
  }
}

/** `inner:2222` and `[2001:db8::5]:24`; the colons of a bare IPv6 address are its own. */
function splitPort(name: string): { base: string; port?: string } {
  if (isIP(name) === 6) return { base: name };
  const [, base = name, port] = /^\[?([^\]]+?)\]?(?::(\d{1,5}))?$/.exec(name) ?? [];
  return { base, port };
}
