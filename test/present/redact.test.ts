import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedact } from '../../src/present/redact.ts';
import { Secret } from '../../src/secret.ts';

const held = (value: string) => createRedact([new Secret(value)]);

const encodings: Record<string, (text: string) => string> = {
  plain: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'upper-case hex': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  percent: encodeURIComponent,
  json: (text) => JSON.stringify(text),
  shell: (text) => `'${text.replaceAll("'", "'\\''")}'`,
};

/** Passwords and tokens of the kinds that operators have, quotes, blanks, plus signs and non-ASCII included. */
const secrets = fc
  .oneof(
    fc.uuid(),
    fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }),
    fc.string({ minLength: 8, maxLength: 40 }),
  )
  .filter((text) => text.trim().length >= 8 && !'[secret removed]'.includes(text));

describe('guarantee 21: redaction of exactly the secrets that are held', () => {
  it.each(Object.entries(encodings))('takes a secret out in %s, wherever it stands', (_, encode) => {
    fc.assert(
      fc.property(secrets, fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (secret, before, after) => {
        const cleaned = held(secret)(`${before}${encode(secret)}${after}`);
        expect(cleaned).toContain('[secret removed]');
        expect(cleaned.slice(before.length, cleaned.length - after.length)).not.toContain(encode(secret));
      }),
      { numRuns: 300 },
    );
  });

  it('finds it inside a longer base64 text, at each of the three alignments', () => {
    const secret = '5f0c2c4e-8f1a-4d0a-9b1c-d1f6c9c7a001';
    for (const user of ['a', 'ab', 'abc', 'root@pam!mcp']) {
      const header = Buffer.from(`${user}:${secret}:tail`).toString('base64');
      expect(held(secret)(header)).toContain('removed]');
    }
  });

  it('leaves every other text alone, byte for byte', () => {
    const redact = held('0b3e6a7c-1f2d-4c5b-8a9e-112233445566');
    const kept = [
      'SHA256:OeFCK+6ZFz4BbMPweSKpUlRiGcQ+0/j0Jvgue+0j+bI',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl root@pve1',
      'sha512-2Z7s2m2eSd0bYh6G0sGqXf3d3g==',
      'SESSION_KEY=4a5b6c7d8e9f',
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----',
    ].join('\n');
    expect(redact(kept)).toBe(kept);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(redact(text)).toBe(text);
      }),
    );
  });

  it('takes out private-key blocks, whole or cut off', () => {
    const redact = createRedact([]);
    const block = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----';
    expect(redact(`a ${block} b ${block} c`)).toBe('a [private key removed] b [private key removed] c');
    expect(redact(`head\n${block.slice(0, 50)}`)).toBe('head\n[private key removed]');
    expect(redact(`tail:\n${block.slice(36)}\nafter`)).toBe('tail:\n[private key removed]\nafter');
    expect(redact('-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n')).toBe('[private key removed]\n');
  });

  it('takes out a secret of several lines with the line ends of a terminal, which would become its own again', () => {
    expect(held('first\nsecond')('a first\r\nsecond b')).toBe('a [secret removed] b');
  });

  it('takes out a secret as JSON that is all ASCII', () => {
    expect(held('pässwörd "1"')('"p\\u00e4ssw\\u00f6rd \\"1\\""')).toBe('"[secret removed]"');
  });

  it('takes secrets that are odd: of regular expressions, of its own mark, one in another, of half a character', () => {
    const odd = ['a.*b[c)$^|', 'secret', 'pass', 'password1', 'half\ud800'];
    const redact = createRedact(odd.map((value) => new Secret(value)));
    expect(redact('a.*b[c)$^| aXXb[c) password1 pass half\ud800')).toBe(
      '[secret removed] aXXb[c) [secret removed] [secret removed] [secret removed]',
    );
    expect(redact('my secret')).toBe('my [secret removed]');
  });

  it('leaves a secret that is shorter than four characters, which would empty every answer', () => {
    expect(held('abc')('an abc of things')).toBe('an abc of things');
  });
});
