import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { Secret } from '../../src/secret.ts';
import { openKeyFile } from '../../src/ssh/keyfile.ts';

const PASSPHRASE = 'a pass phrase, ünïcode "quoted"';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'psm-keyfile-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
const newPath = () => join(folder, `key${++count}`);

function keygen(...args: string[]): string {
  const path = newPath();
  execFileSync('ssh-keygen', ['-q', '-C', 'c', '-f', path, ...args]);
  return path;
}

function written(text: string, mode = 0o600): string {
  const path = newPath();
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

const KEYS = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
};

function pkcs8(kind: keyof typeof KEYS, encrypted: boolean): string {
  const cipher = encrypted ? { cipher: 'aes-256-cbc', passphrase: PASSPHRASE } : {};
  return written(
    KEYS[kind]()
      .export({ type: 'pkcs8', format: 'pem', ...cipher })
      .toString(),
  );
}

const GOOD: Record<string, () => string> = {
  'OpenSSH ed25519': () => keygen('-t', 'ed25519', '-N', ''),
  'OpenSSH ed25519, encrypted': () => keygen('-t', 'ed25519', '-N', PASSPHRASE, '-a', '2'),
  'OpenSSH ed25519, encrypted with gcm': () =>
    keygen('-t', 'ed25519', '-N', PASSPHRASE, '-a', '2', '-Z', 'aes256-gcm@openssh.com'),
  'OpenSSH ecdsa': () => keygen('-t', 'ecdsa', '-b', '384', '-N', ''),
  'OpenSSH rsa': () => keygen('-t', 'rsa', '-b', '2048', '-N', ''),
  'PKCS#1 rsa': () => keygen('-t', 'rsa', '-b', '2048', '-N', '', '-m', 'PEM'),
  'PKCS#1 rsa, encrypted': () => keygen('-t', 'rsa', '-b', '2048', '-N', PASSPHRASE, '-m', 'PEM'),
  'SEC1 ecdsa': () => keygen('-t', 'ecdsa', '-N', '', '-m', 'PEM'),
  'with a BOM and CRLF': () =>
    written(`\uFEFF${readFileSync(keygen('-t', 'ed25519', '-N', ''), 'utf8').replaceAll('\n', '\r\n')}`),
  ...Object.fromEntries(
    (['rsa', 'p256', 'p521', 'ed25519'] as const).flatMap((kind) => [
      [`PKCS#8 ${kind}`, () => pkcs8(kind, false)],
      [`PKCS#8 ${kind}, encrypted`, () => pkcs8(kind, true)],
    ]),
  ),
};

/** The public key as node:crypto or ssh-keygen derives it, which share nothing with the code under test. */
function publicBlob(path: string, encrypted: boolean): string {
  const text = readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r', '');
  const plain = /BEGIN (ENCRYPTED )?PRIVATE/.test(text)
    ? createPrivateKey({ key: text, passphrase: PASSPHRASE })
    : undefined;
  const copy = written(text);
  if (plain?.asymmetricKeyType === 'ed25519') {
    return Buffer.from(plain.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  }
  if (plain) {
    const type = plain.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
    writeFileSync(copy, plain.export({ type: type as 'pkcs1', format: 'pem' }));
  }
  const line = execFileSync('ssh-keygen', ['-y', '-P', encrypted && !plain ? PASSPHRASE : '', '-f', copy], {
    encoding: 'utf8',
  });
  return Buffer.from(line.split(' ')[1] ?? '', 'base64').toString('hex');
}

describe('private key files', () => {
  it.each(Object.keys(GOOD))('are read: %s', async (name) => {
    const path = GOOD[name]?.() ?? '';
    const encrypted = name.includes('encrypted');
    const file = await openKeyFile(path);
    expect(file.encrypted).toBe(encrypted);
    const key = await file.unlock(encrypted ? new Secret(PASSPHRASE) : undefined);
    expect(key.isPrivateKey()).toBe(true);
    const blob = key.getPublicSSH().toString('hex');
    // The Ed25519 blob ends with the raw key, which is what the other side gives for PKCS#8.
    expect(blob.endsWith(publicBlob(path, encrypted))).toBe(true);
    const signature = key.sign('words', key.type === 'ssh-rsa' ? 'sha256' : undefined);
    expect(key.verify('words', signature, key.type === 'ssh-rsa' ? 'sha256' : undefined)).toBe(true);
  });

  it.each(Object.keys(GOOD).filter((name) => name.includes('encrypted')))(
    'tell a missing and a wrong passphrase apart: %s',
    async (name) => {
      const path = GOOD[name]?.() ?? '';
      const file = await openKeyFile(path);
      const message = (text: string) => ({ kind: 'misconfigured', message: `The SSH key file ${path} ${text}.` });
      await expect(file.unlock()).rejects.toMatchObject(message('is encrypted and no passphrase is set'));
      const wrong = file.unlock(new Secret('not it'));
      await expect(wrong).rejects.toMatchObject(message('could not be decrypted: the passphrase is wrong'));
    },
  );

  it('ignore a passphrase that an unencrypted key does not need', async () => {
    for (const path of [keygen('-t', 'ed25519', '-N', ''), pkcs8('ed25519', false)]) {
      expect((await (await openKeyFile(path)).unlock(new Secret('unneeded'))).isPrivateKey()).toBe(true);
    }
  });
});

async function refusal(path: string, passphrase?: string): Promise<Failure> {
  const error = await openKeyFile(path)
    .then((file) => file.unlock(passphrase === undefined ? undefined : new Secret(passphrase)))
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (!(error instanceof Failure)) throw new Error('no Failure');
  expect(error.kind).toBe('misconfigured');
  expect(error.message.startsWith(`The SSH key file ${path} `)).toBe(true);
  return error;
}

describe('files that are not a usable private key', () => {
  it('missing', async () => {
    const failure = await refusal(join(folder, 'none'));
    expect(failure.message).toContain('does not exist');
    expect(failure.hint).toContain(`ssh-keygen -t ed25519 -f '${join(folder, 'none')}'`);
  });

  it('a folder', async () => {
    chmodSync(folder, 0o700);
    expect((await refusal(folder)).message).toContain('cannot be read');
  });

  it.each([0o644, 0o640, 0o604, 0o660])('open to others: %o', async (mode) => {
    const path = keygen('-t', 'ed25519', '-N', '');
    chmodSync(path, mode);
    const failure = await refusal(path);
    expect(failure.message).toContain(`can be read by others (mode ${mode.toString(8)})`);
    expect(failure.hint).toBe(`Run: chmod 600 '${path}'`);
  });

  it('a public key', async () => {
    const path = keygen('-t', 'ed25519', '-N', '');
    chmodSync(`${path}.pub`, 0o600);
    const failure = await refusal(`${path}.pub`);
    expect(failure.message).toContain('holds a public key');
    expect(failure.hint).toContain(path);
  });

  it('a certificate', async () => {
    const [ca, path] = [keygen('-t', 'ed25519', '-N', ''), keygen('-t', 'ed25519', '-N', '')];
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'id', `${path}.pub`]);
    chmodSync(`${path}-cert.pub`, 0o600);
    expect((await refusal(`${path}-cert.pub`)).message).toContain('holds a certificate');
  });

  it('a security key', async () => {
    const name = 'sk-ssh-ed25519@openssh.com';
    const field = (text: string | Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const head = ['openssh-key-v1\0', field('none'), field('none'), field(''), Buffer.from([0, 0, 0, 1])];
    const body = Buffer.concat(
      [...head, field(Buffer.concat([field(name), field('x'.repeat(32)), field('ssh:')]))].map((part) =>
        Buffer.from(part),
      ),
    );
    const pem = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    expect((await refusal(written(pem))).message).toContain('hardware security key');
    expect((await refusal(written(`${name} AAAA c`))).message).toContain('holds a public key');
  });

  it('an OpenSSH key encrypted with chacha20', async () => {
    const path = keygen('-t', 'ed25519', '-N', PASSPHRASE, '-a', '2', '-Z', 'chacha20-poly1305@openssh.com');
    const failure = await refusal(path, PASSPHRASE);
    expect(failure.message).toContain('chacha20-poly1305');
    execFileSync('ssh-keygen', [
      '-q',
      '-p',
      '-a',
      '2',
      '-P',
      PASSPHRASE,
      '-N',
      PASSPHRASE,
      '-Z',
      'aes256-ctr',
      '-f',
      path,
    ]);
    expect((await (await openKeyFile(path)).unlock(new Secret(PASSPHRASE))).isPrivateKey()).toBe(true);
  });

  it.each(['ed448', 'x25519', 'dsa'] as const)('a PKCS#8 key that SSH has no use for: %s', async (kind) => {
    const pair =
      kind === 'dsa'
        ? generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
        : generateKeyPairSync(kind as 'ed448');
    const plain = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect((await refusal(written(plain))).message).toContain('SSH has no use for keys of this type');
    const closed = pair.privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
      .toString();
    expect((await refusal(written(closed), PASSPHRASE)).message).toContain('SSH has no use for keys of this type');
  });

  it('a curve that SSH does not have', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    expect((await refusal(written(key.toString()))).message).toContain('cannot be used');
  });

  it.each(['', 'hello', 'PuTTY-User-Key-File-3: ssh-ed25519\n', '{"a":1}'])('something else: %j', async (text) => {
    const failure = await refusal(written(text));
    expect(failure.message).toContain('is not a private key in a form that is supported');
    expect(failure.hint).toContain('puttygen');
  });

  it.each(['OpenSSH ed25519', 'PKCS#8 rsa'])('a damaged key: %s', async (name) => {
    const path = GOOD[name]?.() ?? '';
    const copy = newPath();
    copyFileSync(path, copy);
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(copy, [...lines.slice(0, 2), ...lines.slice(-2)].join('\n'));
    expect((await refusal(copy)).message).toContain('cannot be used');
  });

  it('too large', async () => {
    expect((await refusal(written('x'.repeat(70_000)))).message).toContain('too large');
  });
});
