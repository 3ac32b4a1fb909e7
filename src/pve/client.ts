import { isIPv6 } from 'node:net';
import type { ZodType } from 'zod';
import { Failure } from '../failure.ts';
import type { Secret } from '../secret.ts';
import { endpointOf } from './certificate.ts';
import { dataOf, parse, textOf } from './data.ts';
import { createEndpoints } from './endpoints.ts';
import type { Method } from './errors.ts';
import { check } from './guard.ts';
import type { PvePath } from './path.ts';
import { requestOf, sendPatiently } from './send.ts';
import { isCertificate, isFingerprint } from './tls.ts';
import { createWire, type Wire } from './wire.ts';

/** Values as Proxmox VE takes them: booleans are sent as 1 and 0, arrays as repeated keys, `undefined` is left out. */
export type PveParams = Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;

export interface PveCallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The REST API of one Proxmox VE, at one endpoint or several. Reads are parsed by `shape` (the fields used, nothing
 * else; the server does not keep to its own `returns`) and retried at most twice; a write leaves at most once.
 * Every failure is a `Failure`; 595 to 599 or a lost connection on a write is `outcome-unknown`.
 */
export interface Pve {
  /** `host:port` that is asked first, for messages; of several, the one that answered last. */
  readonly endpoint: string;
  /** All that may be asked, as they were given. */
  readonly endpoints: readonly string[];
  get<T>(path: PvePath, shape: ZodType<T>, params?: PveParams, options?: PveCallOptions): Promise<T>;
  /** The `data` of the answer: a UPID string for a task, null for a change that is done at once, else an object. */
  post(path: PvePath, params?: PveParams, options?: PveCallOptions): Promise<unknown>;
  put(path: PvePath, params?: PveParams, options?: PveCallOptions): Promise<unknown>;
  delete(path: PvePath, params?: PveParams, options?: PveCallOptions): Promise<unknown>;
  /** The text of /pve-docs/api-viewer/apidoc.js, by which the server describes its API (4 MB). No token is sent for it. */
  apidoc(options?: PveCallOptions): Promise<string>;
  close(): Promise<void>;
}

export interface PveOptions {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Further endpoints of the same cluster, asked in turn when one does not answer. */
  readonly others?: readonly { readonly host: string; readonly port: number }[];
  /** `id` is `user@realm!tokenid`. */
  readonly token?: { readonly id: string; readonly secret: Secret };
  /**
   * SHA-256 of the server's certificate, hexadecimal, colons or not; without one, `ca` or the system's CAs decide.
   * Of several, each is good for every endpoint: their keys are held by nodes of one cluster, each of which is root on
   * all of them, so that keeping them apart would protect nothing.
   */
  readonly fingerprint?: string | readonly string[];
  /** PEM text (not a path) of the CA certificates to believe. */
  readonly ca?: string;
  /** For each call as a whole, retries included; 30 s unless told. */
  readonly timeoutMs?: number;
  readonly readOnly?: boolean;
  readonly protectedGuests?: ReadonlySet<number>;
  /** Why this client cannot be used; every call throws it. */
  readonly problem?: Failure;
  readonly wire?: Wire;
}

const apidoc = '/pve-docs/api-viewer/apidoc.js';

/** A client. Nothing is connected, and undici is not loaded, before the first call. */
export function createPve(options: PveOptions): Pve {
  const { host, port, others = [], token, timeoutMs = 30_000 } = options;
  const problem = options.problem ?? problemOf(options);
  const guard = { readOnly: options.readOnly ?? false, protectedGuests: options.protectedGuests ?? new Set<number>() };
  const wire = options.wire ?? wireTo(options);

  const call = async (method: Method, path: PvePath, params: PveParams = {}, { signal }: PveCallOptions = {}) => {
    if (problem) throw problem;
    check(guard, method, path, params);
    const asked = { method, path, endpoint: wire.endpoint, token: token?.id };
    const request = { ...requestOf(method, path, params, token), timeoutMs, signal };
    const answered = await sendPatiently(wire, asked, request);
    return dataOf({ ...asked, endpoint: answered.endpoint ?? asked.endpoint }, answered);
  };
  return {
    get endpoint() {
      return wire.endpoint;
    },
    endpoints: [{ host, port }, ...others].map((one) => endpointOf(one.host, one.port)),
    get: async (path, shape, params, callOptions) =>
      parse(wire.endpoint, path, shape, await call('GET', path, params, callOptions)),
    post: (path, params, callOptions) => call('POST', path, params, callOptions),
    put: (path, params, callOptions) => call('PUT', path, params, callOptions),
    delete: (path, params, callOptions) => call('DELETE', path, params, callOptions),
    apidoc: async ({ signal } = {}) => {
      if (problem) throw problem;
      const request = {
        method: 'GET',
        path: apidoc,
        headers: { 'accept-encoding': 'gzip' },
        timeoutMs,
        signal,
      } as const;
      const asked = { method: 'GET', path: apidoc, endpoint: wire.endpoint } as const;
      const answered = await sendPatiently(wire, asked, request);
      return textOf({ ...asked, endpoint: answered.endpoint ?? asked.endpoint }, answered);
    },
    close: () => wire.close(),
  };
}

/** Where there is another endpoint to ask, one that takes longer to connect is not waited for. */
const connectMs = 3_000;

function wireTo({ host, port, others = [], fingerprint, ca }: PveOptions): Wire {
  const trust = { fingerprint, ca };
  if (others.length === 0) return createWire({ host, port, trust });
  const to = (place: { readonly host: string; readonly port: number }) => createWire({ ...place, trust, connectMs });
  return createEndpoints([to({ host, port }), ...others.map(to)]);
}

function problemOf({ host, others = [], fingerprint, ca, token }: PveOptions): Failure | undefined {
  const wrong = [host, ...others.map((one) => one.host)].find((one) => !/^[A-Za-z0-9._-]+$/.test(one) && !isIPv6(one));
  if (wrong !== undefined) {
    return new Failure(
      'misconfigured',
      `"${wrong}" is not a host name or address.`,
      'Set PROXMOX_HOST to one, without https://.',
    );
  }
  if (fingerprint !== undefined && ![fingerprint].flat().every(isFingerprint)) {
    return new Failure(
      'misconfigured',
      'The pinned fingerprint is not a SHA-256 of 64 hexadecimal digits.',
      'Set PROXMOX_FINGERPRINT as Node > System > Certificates or `pvenode cert info` shows it.',
    );
  }
  if (ca !== undefined && !isCertificate(ca)) {
    return new Failure(
      'misconfigured',
      'What is given as CA holds no certificate in PEM form.',
      "Set PROXMOX_CA_FILE to a copy of the host's /etc/pve/pve-root-ca.pem.",
    );
  }
  if (token && !/^[\x21-\x7e]+$/.test(`${token.id}${token.secret.reveal()}`)) {
    return new Failure(
      'misconfigured',
      'The API token is empty or holds blanks or characters that a token never has.',
      'Set PROXMOX_USER, PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE again, without quotes or line ends.',
    );
  }
  return undefined;
}
