import { type Certificate, describeCertificate, dial } from './tls.ts';
import { faultOf } from './transport.ts';

export type { Certificate } from './tls.ts';

/**
 * First contact: the certificate that `host:port` shows, whoever that is. A TLS handshake and nothing else: no HTTP,
 * no token. Fails `unreachable` or `timeout` by `timeoutMs`.
 */
export async function fetchCertificate(host: string, port: number, timeoutMs = 10_000): Promise<Certificate> {
  const endpoint = endpointOf(host, port);
  try {
    const socket = await dial({ host, port, timeoutMs });
    try {
      return describeCertificate(socket.getPeerCertificate());
    } finally {
      socket.destroy();
    }
  } catch (error) {
    throw faultOf(endpoint, error).failure;
  }
}

/** `pve1:8006`, and `[2001:db8::1]:8006`. */
export const endpointOf = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
