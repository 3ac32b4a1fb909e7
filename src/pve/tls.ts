import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { Failure } from '../failure.ts';

/** Whom to believe: a pinned certificate, else a certificate authority, else the CAs that Node.js brings. */
export interface Trust {
  /** SHA-256 of the certificate, hexadecimal; case and colons do not matter. Of several, any one is believed. */
  readonly fingerprint?: string | readonly string[];
  /** PEM text of one or more CA certificates. */
  readonly ca?: string;
}

export interface Dial {
  readonly host: string;
  readonly port: number;
  readonly ca?: string;
  /** For TCP and TLS together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * A TLS connection over which nothing has been said yet; HTTP/1.1, no resumed session (its certificate would not be
 * checked), no Nagle. It is open whoever answered: what `distrust` says has to be heeded before a byte is written.
 * Rejects with the error of the socket, `ETIMEDOUT` past `timeoutMs`, `ECANCELED` by `signal`.
 */
export function dial({ host, port, ca, timeoutMs, signal }: Dial): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ca,
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      // Set either way, NODE_TLS_REJECT_UNAUTHORIZED has no say. Refusing is left to distrust(), which can then show
      // the certificate that came.
      rejectUnauthorized: false,
    });
    const giveUp = () => socket.destroy(coded('ECANCELED'));
    const timer = setTimeout(() => socket.destroy(coded('ETIMEDOUT')), timeoutMs);
    const settled = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
    // Stays, because an error between here and the next owner's listener would end the process; and because Node leaves
    // a socket open on which a record came that cannot be read, and undici waits for its end.
    socket.on('error', (error) => {
      reject(error);
      socket.destroy();
    });
    socket.once('close', () => {
      settled();
      reject(coded('ECONNRESET'));
    });
    socket.once('secureConnect', () => {
      settled();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

const coded = (code: string): Error => Object.assign(new Error(code), { code });

/** Why the other end of a fresh connection is not to be trusted; nothing when it is. */
export function distrust(socket: TLSSocket, trust: Trust, endpoint: string): Failure | undefined {
  const certificate = socket.getPeerCertificate();
  const seen = certificate.fingerprint256 ?? 'none';
  if (trust.fingerprint !== undefined) {
    const pinned = [trust.fingerprint].flat();
    return pinned.some((one) => plain(seen) === plain(one)) ? undefined : wrongPin(endpoint, pinned.join(' or '), seen);
  }
  if (socket.authorized && socket.authorizationError == null) return undefined;
  return unvouched(endpoint, seen, String(socket.authorizationError), trust.ca !== undefined);
}

/** A fingerprint as it can be compared: lower-case hexadecimal digits only. */
export const plain = (fingerprint: string): string => fingerprint.replace(/[^0-9a-fA-F]/g, '').toLowerCase();

/** Whether a text can be a SHA-256 fingerprint at all. */
export const isFingerprint = (text: string): boolean => /^[0-9a-fA-F: ]+$/.test(text) && plain(text).length === 64;

/** Whether a text begins with a certificate in PEM form. */
export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

const where = 'Proxmox VE shows it under Node > System > Certificates, and on the host by `pvenode cert info`';

function wrongPin(endpoint: string, expected: string, seen: string): Failure {
  return new Failure(
    'untrusted',
    `${endpoint} shows another certificate than the one that is pinned: SHA-256 ${seen}, expected ${expected}. Nothing was sent.`,
    `If the certificate was renewed, compare the new fingerprint with the one of the host itself (${where}), and set PROXMOX_FINGERPRINT to it. If it was not, somebody is in between.`,
    { facts: { fingerprint_seen: seen, fingerprint_expected: expected } },
  );
}

function unvouched(endpoint: string, seen: string, reason: string, withCa: boolean): Failure {
  const voucher = withCa ? 'the CA file does not vouch for' : 'no known CA vouches for';
  return new Failure(
    'untrusted',
    `${endpoint} shows a certificate that ${voucher} (${reason}): SHA-256 ${seen}. Nothing was sent.`,
    `Compare that fingerprint with the one of the host itself: ${where}. If they are equal, set PROXMOX_FINGERPRINT=${seen}; or set PROXMOX_CA_FILE to a copy of the host's /etc/pve/pve-root-ca.pem.`,
    { facts: { fingerprint_seen: seen, reason } },
  );
}

/** What a certificate says of itself. */
export interface Certificate {
  /** SHA-256, upper-case hexadecimal with colons, as Proxmox VE shows it. */
  readonly fingerprint: string;
  /** `CN=pve1.example.org, O=…`. */
  readonly subject: string;
  readonly issuer: string;
  /** As OpenSSL writes dates: `Nov 20 04:08:00 2026 GMT`. */
  readonly validFrom: string;
  readonly validTo: string;
}

/** The readable parts of a peer's certificate. */
export function describeCertificate(certificate: PeerCertificate): Certificate {
  return {
    fingerprint: certificate.fingerprint256,
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validFrom: certificate.valid_from,
    validTo: certificate.valid_to,
  };
}

const nameOf = (name: object | undefined): string =>
  Object.entries(name ?? {})
    .map(([part, value]) => `${part}=${[value].flat().join('+')}`)
    .join(', ');
