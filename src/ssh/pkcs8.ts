import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';

/**
 * A PKCS#8 key (RFC 5208) in a form that ssh2 reads: PKCS#1 for RSA, SEC1 for EC, openssh-key-v1 for Ed25519.
 * `undefined` when SSH has no use for its type. Throws node:crypto's error for a damaged key or a wrong passphrase.
 */
export function fromPkcs8(pem: string, passphrase?: string): string | undefined {
  const key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }).toString();
  if (key.asymmetricKeyType === 'ec') return key.export({ type: 'sec1', format: 'pem' }).toString();
  if (key.asymmetricKeyType === 'ed25519') return openSshEd25519(key);
  return undefined;
}

/** The unencrypted container of OpenSSH's PROTOCOL.key. */
function openSshEd25519(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const pub = Buffer.from(x, 'base64url');
  const type = 'ssh-ed25519';
  const check = randomBytes(4);
  const secret = Buffer.concat([Buffer.from(d, 'base64url'), pub]);
  const inner = Buffer.concat([check, check, field(type), field(pub), field(secret), field('')]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, i) => i + 1));
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field(''), uint32(1)],
    field(Buffer.concat([field(type), field(pub)])),
    field(Buffer.concat([inner, padding])),
  ]);
  const lines = whole.toString('base64').replace(/(.{70})/g, '$1\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.trimEnd()}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
