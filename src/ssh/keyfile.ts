import { open } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { Failure } from '../failure.ts';
import type { Secret } from '../secret.ts';
import { fromPkcs8 } from './pkcs8.ts';

export interface KeyFile {
  readonly encrypted: boolean;
  /** The public key as it travels, where it can be told without the passphrase. */
  readonly blob?: Buffer;
  /** The private key. Wrong or missing passphrase and a damaged key are each a `misconfigured` Failure of its own. */
  unlock(passphrase?: Secret): Promise<ParsedKey>;
}

const MAX_BYTES = 65_536;

/**
 * Reads a private key file in OpenSSH, PKCS#1, SEC1 or PKCS#8 form. A file that is missing, open to others, or not a
 * private key that can be used here is a `misconfigured` Failure with its cure.
 */
export async function openKeyFile(path: string): Promise<KeyFile> {
  const text = await readPrivately(path);
  refuseOtherKinds(path, text);
  const container = openSshContainer(text);
  if (container?.keyType.startsWith('sk-')) {
    throw unusable(path, 'belongs to a hardware security key (FIDO)', 'Use a key that is not bound to hardware.');
  }
  if (container?.cipher.startsWith('chacha20')) {
    const cure = `Encrypt it in another way: ssh-keygen -p -Z aes256-ctr -f ${quote(path)}`;
    throw unusable(path, 'is encrypted with chacha20-poly1305, which is not supported', cure);
  }
  const encrypted = container ? container.cipher !== 'none' : /BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text);
  return { encrypted, blob: container?.blob, unlock: (passphrase) => parse(path, text, encrypted, passphrase) };
}

const quote = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;

const unusable = (path: string, why: string, cure: string, cause?: unknown): Failure =>
  new Failure('misconfigured', `The SSH key file ${path} ${why}.`, cure, { cause });

async function readPrivately(path: string): Promise<string> {
  try {
    const handle = await open(path);
    try {
      const { mode, size } = await handle.stat();
      // Windows tells no permission bits of others, and only it has such paths.
      if ((mode & 0o077) !== 0 && !/^[A-Za-z]:[\\/]|^\\\\/.test(path)) {
        const bits = (mode & 0o777).toString(8);
        throw unusable(path, `can be read by others (mode ${bits})`, `Run: chmod 600 ${quote(path)}`);
      }
      if (size > MAX_BYTES) throw unusable(path, 'is too large for a key', 'Give the path of a private key.');
      return (await handle.readFile('utf8')).replace(/^\uFEFF/, '');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      const cure = `Give the path of your private key, or make one: ssh-keygen -t ed25519 -f ${quote(path)}`;
      throw unusable(path, 'does not exist', cure, error);
    }
    throw unusable(path, `cannot be read: ${message}`, 'Make it a file that this user can read.', error);
  }
}

function refuseOtherKinds(path: string, text: string): void {
  const start = text.trimStart();
  if (/^\S+-cert-v01@openssh\.com /.test(start)) {
    throw unusable(path, 'holds a certificate, which is not supported', 'Give the path of a plain private key.');
  }
  if (/^(ssh-|ecdsa-|sk-)\S+ AAAA|^---- BEGIN SSH2 PUBLIC KEY|^-----BEGIN (RSA )?PUBLIC KEY/.test(start)) {
    const cure = `Give the path of the private key: ${path.replace(/\.pub$/, '')}`;
    throw unusable(path, 'holds a public key', path.endsWith('.pub') ? cure : 'Give the path of the private key.');
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(start)) {
    const convert = `puttygen key.ppk -O private-openssh -o ${quote(path)}`;
    const cure = `Give the path of a private key. A PuTTY key is converted by: ${convert}`;
    throw unusable(path, 'is not a private key in a form that is supported', cure);
  }
}

/** The plain head of openssh-key-v1 (OpenSSH's PROTOCOL.key): readable without the passphrase. */
function openSshContainer(text: string): { cipher: string; keyType: string; blob: Buffer } | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64');
  let at = 'openssh-key-v1\0'.length;
  const next = () => {
    const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  const cipher = next().toString('latin1');
  next(); // kdf name
  next(); // kdf options
  at += 4; // number of keys
  const blob = next();
  const typeLength = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return { cipher, keyType: blob.toString('latin1', 4, 4 + typeLength), blob };
}

async function parse(path: string, text: string, encrypted: boolean, passphrase?: Secret): Promise<ParsedKey> {
  if (encrypted && passphrase === undefined) {
    throw unusable(
      path,
      'is encrypted and no passphrase is set',
      'Set its passphrase, or load the key into an ssh-agent.',
    );
  }
  const { utils } = (await import('ssh2')).default;
  const word = encrypted ? passphrase?.reveal() : undefined;
  let reason: unknown;
  try {
    const readable = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(text) ? fromPkcs8(text, word) : text;
    if (readable === undefined) throw new Error('SSH has no use for keys of this type');
    const key = utils.parseKey(readable, readable === text ? word : undefined);
    if (!(key instanceof Error)) return key;
    reason = key;
  } catch (error) {
    reason = error;
  }
  const detail = reason instanceof Error ? reason.message : String(reason);
  if (encrypted && !/^(Unsupported (OpenSSH|cipher|kdf|private)|SSH has no use)/.test(detail)) {
    throw unusable(path, 'could not be decrypted: the passphrase is wrong', 'Set the right passphrase.', reason);
  }
  const cure = 'Use an Ed25519, ECDSA (nistp256, 384, 521) or RSA key, for example from: ssh-keygen -t ed25519';
  throw unusable(path, `holds a key that cannot be used: ${detail}`, cure, reason);
}
