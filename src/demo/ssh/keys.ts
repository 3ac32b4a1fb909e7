import { createHash } from 'node:crypto';
import type { ParsedKey } from 'ssh2';

/** An Ed25519 key pair: the private half as an OpenSSH PEM, the public half parsed and as one line without comment. */
export interface KeyPair {
  readonly pem: string;
  readonly key: ParsedKey;
  readonly line: string;
}

/** A key pair made here and now. */
export async function newKeyPair(): Promise<KeyPair> {
  const { default: ssh2 } = await import('ssh2');
  // ssh2 drops zeros that the public half begins with, so one pair in 256 cannot be read.
  for (;;) {
    const { private: pem, public: text } = ssh2.utils.generateKeyPairSync('ed25519');
    const key = ssh2.utils.parseKey(pem);
    if (!(key instanceof Error)) return { pem, key, line: text.trim() };
  }
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprintOf({ key }: KeyPair): string {
  return `SHA256:${createHash('sha256').update(key.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
}
