import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import { matchesWildcard } from '../wildcard.ts';
import type { HostSpec } from './client.ts';

/** One usable line of a known_hosts file, as sshd(8) describes it under SSH_KNOWN_HOSTS FILE FORMAT. */
export interface KnownKey {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly patterns: readonly string[];
  readonly revoked: boolean;
  /** The key's type as its blob tells it: ssh-ed25519, ssh-rsa, … */
  readonly keyType: string;
  readonly blob: Buffer;
}

/** What decides under which name known_hosts has a host. */
export type Named = Pick<HostSpec, 'address' | 'port' | 'hostKeyAlias'>;

/**
 * The name a host goes by in known_hosts, in lower case: its alias as it is (HostKeyAlias of ssh_config(5)), else the
 * address, or `[address]:port` when the port is not 22.
 */
export function knownName({ address, port, hostKeyAlias }: Named): string {
  if (hostKeyAlias !== undefined) return hostKeyAlias.toLowerCase();
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The first field of a key blob, which is its type (RFC 4253, 6.6); empty when the blob is too short for one. */
export function blobType(blob: Buffer): string {
  if (blob.length < 4) return '';
  const end = 4 + blob.readUInt32BE(0);
  return end <= blob.length ? blob.toString('latin1', 4, end) : '';
}

/** Lines that are blank, comments, of protocol 1, damaged, or for certificate authorities are left out. */
export function parseKnownHosts(text: string, file: string): KnownKey[] {
  return text.split('\n').flatMap((row, index) => {
    const fields = row.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names, keyType, encoded] = fields;
    if (!names || !keyType || !encoded || names.startsWith('#')) return [];
    if (marker !== undefined && marker !== '@revoked') return [];
    const blob = Buffer.from(encoded, 'base64');
    if (blobType(blob) !== keyType) return [];
    return [{ file, line: index + 1, patterns: names.split(','), revoked: marker !== undefined, keyType, blob }];
  });
}

/** The keys of all files that exist. One that cannot be read may hide a @revoked line: `misconfigured`. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownKey[]> {
  const lists = await Promise.all(files.map(async (file) => parseKnownHosts(await readIfThere(file), file)));
  return lists.flat();
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new Failure(
      'misconfigured',
      `The known hosts file ${file} cannot be read: ${message}.`,
      'Make it readable for this user: no host key is trusted before every known hosts file has been read.',
      { cause: error },
    );
  }
}

/** Whether the line is about that name (as `knownName` gives it). One matching `!pattern` rules the line out. */
export function isAbout(key: KnownKey, name: string): boolean {
  const hits = key.patterns.filter((pattern) => matches(pattern.replace(/^!/, ''), name));
  return hits.length > 0 && !hits.some((pattern) => pattern.startsWith('!'));
}

function matches(pattern: string, name: string): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern);
  if (hashed?.[1] && hashed[2]) {
    return createHmac('sha1', Buffer.from(hashed[1], 'base64')).update(name).digest('base64') === hashed[2];
  }
  return matchesWildcard(name, pattern.toLowerCase());
}
