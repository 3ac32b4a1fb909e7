import { X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { Failure } from '../../failure.ts';

/** Certificate (with its chain) and private key, both PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Where to listen, and under which names clients may call it. */
export interface Place {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  readonly tls?: Tls;
  /** Whether a Host or Origin header with this host name (an IPv6 address in brackets) is meant for this server. */
  readonly isOurs: (hostname: string) => boolean;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isLoopback = (host: string): boolean => loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

function read(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch (error) {
    const text = 'What MCP_TLS_CERT names is not a certificate.';
    throw new Failure('misconfigured', text, 'Name a PEM file: the certificate, then its chain.', { cause: error });
  }
}

/** A name that the certificate is good for; what a browser is lured to by another name does not pass TLS. */
function certified({ cert }: Tls): (hostname: string) => boolean {
  const certificate = read(cert);
  return (hostname) => {
    if (hostname === '') return false;
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    return (isIP(address) ? certificate.checkIP(address) : certificate.checkHost(hostname)) !== undefined;
  };
}

/**
 * The place that `127.0.0.1:8765` or `[::1]:8765` names; port 0 is any free one. Beyond this machine it takes TLS and
 * `understood`, the operator's word for it. A `misconfigured` Failure otherwise.
 */
export function placeOf(text: string, { tls, understood }: { tls?: Tls; understood: boolean }): Place {
  const [, name = '', digits = ''] = /^\[?(.*?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const host = name === 'localhost' ? '127.0.0.1' : name;
  const port = Number(digits);
  if (isIP(host) === 0 || port > 65535) {
    const text = 'The address to listen on is not an IP address with a port.';
    throw new Failure('misconfigured', text, 'Write it as 127.0.0.1:8765 or [::1]:8765.');
  }
  if (!isLoopback(host) && (!tls || !understood)) {
    throw new Failure(
      'misconfigured',
      `${host} can be reached from other machines, and whoever has the token may do there all that this server may.`,
      'Listen on 127.0.0.1 and go there by an SSH tunnel; or give MCP_TLS_CERT, MCP_TLS_KEY and --i-understand.',
    );
  }
  const good = tls && certified(tls);
  return { host, port, tls, isOurs: (hostname) => LOCAL.includes(hostname) || good?.(hostname) === true };
}
