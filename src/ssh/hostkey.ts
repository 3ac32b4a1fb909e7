import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { Failure } from '../failure.ts';
import { blobType, isAbout, type KnownKey, knownName, type Named } from './knownhosts.ts';

export interface HostKey {
  readonly keyType: string;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** The public key as it travels (RFC 4253, 6.6). */
  readonly blob: Buffer;
}

/** `changed`: other keys are known for this host, and this one is not among them. */
export type Verdict = 'known' | 'unknown' | 'changed' | 'revoked';

/** What known_hosts says of one host. */
export interface HostKnowledge {
  /** The keys that it is known by, none of them revoked. */
  readonly keys: readonly KnownKey[];
  judge(key: HostKey): { readonly verdict: Verdict; readonly because: readonly KnownKey[] };
  /** Signature algorithms to ask for, those of the known keys first. */
  readonly algorithms: ServerHostKeyAlgorithm[];
}

const ALGORITHMS = [
  ['ssh-ed25519', 'ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256'],
  ['ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp384'],
  ['ecdsa-sha2-nistp521', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'ssh-rsa'],
  ['rsa-sha2-256', 'ssh-rsa'],
] as const;

export function hostKey(blob: Buffer): HostKey {
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return { keyType: blobType(blob), fingerprint: `SHA256:${digest}`, blob };
}

/**
 * Asks the server for the types that are known first: it shows one key only, and a host whose other key is known would
 * look changed. As ssh(1) does, a host on another port may also show the key that is known for its bare address, but
 * for one with an alias.
 */
export function knowledgeOf(host: Named, keys: readonly KnownKey[]): HostKnowledge {
  const named = keys.filter((key) => isAbout(key, knownName(host)));
  const bare = keys.filter((key) => isAbout(key, knownName({ ...host, port: 22 })));
  const relevant = named.some((key) => !key.revoked) ? named : [...named, ...bare];
  const trusted = [...new Set(relevant)].filter((key) => !key.revoked);
  const known = new Set<string>(trusted.map((key) => key.keyType));
  const rank = (keyType: string) => (known.has(keyType) ? 0 : 1);
  return {
    keys: trusted,
    judge: (key) => judge(key, named, bare),
    algorithms: ALGORITHMS.toSorted((a, b) => rank(a[1]) - rank(b[1])).map(([algorithm]) => algorithm),
  };
}

function judge(key: HostKey, named: readonly KnownKey[], bare: readonly KnownKey[]) {
  const same = [...new Set([...named, ...bare])].filter(({ blob }) => blob.equals(key.blob));
  const revoked = same.filter((line) => line.revoked);
  if (revoked.length > 0) return { verdict: 'revoked' as const, because: revoked };
  const trusted = named.filter((line) => !line.revoked);
  if (trusted.length > 0) {
    const hit = trusted.filter((line) => same.includes(line));
    return hit.length > 0
      ? { verdict: 'known' as const, because: hit }
      : { verdict: 'changed' as const, because: trusted };
  }
  return { verdict: same.length > 0 ? ('known' as const) : ('unknown' as const), because: same };
}

/** The known_hosts line of a host's key, without a line end. */
export const knownHostsLine = (host: Named, key: Pick<HostKey, 'keyType' | 'blob'>): string =>
  `${knownName(host)} ${key.keyType} ${key.blob.toString('base64')}`;

/** A name with these characters would stand for other hosts as well, or for a hash or a marker. */
function refusePattern(name: string, file: string): void {
  if (/^[^\s,*?!|@#]+$/.test(name)) return;
  const text = `The host key was not written to ${file}: "${name}" is no name for one host there.`;
  throw new Failure('misconfigured', text, 'Correct the address or the HostKeyAlias of the host.');
}

/**
 * Appends the key to our own known_hosts file in one write, unless that very line is there; the file is made 0600 and
 * its folder 0700. A file that cannot be written is `misconfigured`.
 */
export function acceptHostKey(file: string, host: Named, key: Pick<HostKey, 'keyType' | 'blob'>): void {
  const line = knownHostsLine(host, key);
  refusePattern(knownName(host), file);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const handle = openSync(file, 'a+', 0o600);
    try {
      const text = fstatSync(handle).size === 0 ? '' : readFileSync(file, 'utf8');
      if (text.split('\n').includes(line)) return;
      writeSync(handle, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    const text = `The host key could not be written to ${file}: ${(error as Error).message}.`;
    throw new Failure('misconfigured', text, 'Make that file and its folder writable for this user.', { cause: error });
  }
}
