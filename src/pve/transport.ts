import { cancelled, Failure } from '../failure.ts';

/** Something went wrong below HTTP, or before an answer was whole. */
export interface Fault {
  readonly failure: Failure;
  /** The same in a clause that can follow "but": `the connection was reset`. */
  readonly cause: string;
  /** Trying again at once may help. */
  readonly transient: boolean;
}

interface Known {
  readonly kind: 'unreachable' | 'timeout' | 'remote-error';
  readonly cause: string;
  readonly cure: string;
  readonly transient: boolean;
}

const gone: Known = {
  kind: 'unreachable',
  cause: 'the connection was closed before the answer was complete',
  cure: 'pveproxy may have been restarted. When it stays so, look at `journalctl -u pveproxy` on the host.',
  transient: true,
};
const noName: Known = {
  kind: 'unreachable',
  cause: 'its name cannot be resolved',
  cure: 'Check PROXMOX_HOST for a misspelling, and the DNS or VPN of this machine; an IP address works as well.',
  transient: true,
};
const noRoute: Known = {
  kind: 'unreachable',
  cause: 'there is no route to it',
  cure: 'Check the network or VPN of this machine, PROXMOX_HOST, and that the host is up.',
  transient: true,
};
const noTls: Known = {
  kind: 'unreachable',
  cause: 'it does not speak TLS as Proxmox VE does',
  cure: "Check PROXMOX_PORT: the API's port is 8006, or that of a reverse proxy that speaks HTTPS.",
  transient: false,
};
const damaged: Known = {
  kind: 'unreachable',
  cause: 'what came back had been changed on the way',
  cure: 'Something between here and the host (a proxy, a VPN, failing hardware) damages what is sent. Try again.',
  transient: true,
};
const silent: Known = {
  kind: 'timeout',
  cause: 'no connection was made in time',
  cure: 'The host is down, hangs, or a firewall drops what is sent to that port. Check PROXMOX_HOST and PROXMOX_PORT.',
  transient: true,
};
const closed: Known = {
  kind: 'unreachable',
  cause: 'this client has been closed',
  cure: 'The server is shutting down; start it again.',
  transient: false,
};

const byCode: Readonly<Record<string, Known>> = {
  ENOTFOUND: noName,
  EAI_AGAIN: noName,
  ECONNREFUSED: {
    kind: 'unreachable',
    cause: 'it refused the connection',
    cure: 'Check PROXMOX_PORT (8006 is usual) and that pveproxy runs on the host: `systemctl status pveproxy`.',
    transient: true,
  },
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  EHOSTDOWN: noRoute,
  ETIMEDOUT: silent,
  EPROTO: noTls,
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: damaged,
  ECONNRESET: gone,
  EPIPE: gone,
  UND_ERR_SOCKET: gone,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: gone,
  HPE_INVALID_EOF_STATE: gone,
  ECANCELED: closed,
  UND_ERR_DESTROYED: closed,
  UND_ERR_HEADERS_OVERFLOW: {
    kind: 'remote-error',
    cause: 'it sent more headers than Proxmox VE ever does',
    cure: 'Check that host and port are those of the Proxmox VE API.',
    transient: false,
  },
};
const notHttp: Known = {
  kind: 'remote-error',
  cause: 'what came back is not HTTP',
  cure: 'Check that host and port are those of the Proxmox VE API (8006).',
  transient: false,
};

/** An error of the socket, of TLS or of the HTTP parser, in our words. */
export function faultOf(endpoint: string, error: unknown): Fault {
  const raised: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  const { code = '', name, message } = raised;
  const known = byCode[code] ?? (code.startsWith('ERR_SSL') ? noTls : name === 'HTTPParserError' ? notHttp : undefined);
  return fault(endpoint, known ?? { ...gone, cause: `the connection failed (${code || message})` }, error);
}

/** The overall deadline passed. `seen` tells how far it got: `no answer came`, `the answer was not complete`. */
export const overdue = (endpoint: string, seen: string, timeoutMs: number): Fault =>
  fault(endpoint, {
    kind: 'timeout',
    cause: `${seen} within ${Math.round(timeoutMs / 100) / 10} s`,
    cure: 'The host, or the node behind it, is overloaded or hangs. Try again later, or allow more time.',
    transient: false,
  });

/** An answer beyond the cap, which is never read to its end. */
export const tooBig = (endpoint: string, cap: number): Fault =>
  fault(endpoint, {
    kind: 'remote-error',
    cause: `the answer is bigger than ${cap / 1024 / 1024} MiB`,
    cure: 'Ask for less at once: a limit, a shorter time, one guest.',
    transient: false,
  });

/** A body that claims to be compressed and is not. */
export const unreadable = (endpoint: string, error: unknown): Fault =>
  fault(endpoint, { ...notHttp, cause: 'the answer cannot be decompressed' }, error);

/** The caller gave up. */
export const withdrawn = (what: string): Fault => ({
  failure: cancelled(what),
  cause: 'the call was cancelled before the answer came',
  transient: false,
});

/** A Failure that was made further down, such as a certificate that is not trusted. */
export const faultFrom = (failure: Failure): Fault => ({ failure, cause: failure.message, transient: false });

function fault(endpoint: string, { kind, cause, cure, transient }: Known, error?: unknown): Fault {
  return {
    failure: new Failure(kind, `No usable answer from ${endpoint}: ${cause}.`, cure, { cause: error }),
    cause,
    transient,
  };
}
