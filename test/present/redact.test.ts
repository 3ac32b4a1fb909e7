import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedact, createRedaction } from '../../src/present/redact.ts';
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

  it('takes a secret out of a shell word, of percent-encoding in any case, and where every byte is encoded', () => {
    const redact = held('it’s a key+é/…');
    for (const text of [
      'it%E2%80%99s%20a%20key%2B%C3%A9%2F%E2%80%A6',
      'it%e2%80%99s%20a%20key%2b%c3%a9%2f%e2%80%a6',
      '%69%74%e2%80%99%73%20%61%20%6b%65%79%2b%c3%a9%2f%e2%80%a6',
      '%69%74%E2%80%99%73%20%61%20%6B%65%79%2B%C3%A9%2F%E2%80%A6',
    ]) {
      expect(redact(`a ${text} b`)).toBe('a [secret removed] b');
    }
    expect(held("it's it's")("'it'\\''s it'\\''s'")).toBe("'[secret removed]'");
  });

  it('takes out nothing of base64 but what the secret alone decides', () => {
    const secret = 'secret-token-of-mine';
    const inBase64 = (before: string) => Buffer.from(`${before}${secret}~`).toString('base64');
    // 20 bytes are 26 characters and a rest, of which the ends are shared with what stands beside.
    expect(['', 'a', 'ab'].map((before) => held(secret)(inBase64(before)))).toEqual([
      `[secret removed]${inBase64('').slice(26)}`,
      `${inBase64('a').slice(0, 2)}[secret removed]${inBase64('a').slice(28)}`,
      `${inBase64('ab').slice(0, 3)}[secret removed]${inBase64('ab').slice(29)}`,
    ]);
  });

  it('takes out the end of a private key whose beginning is not there, line by line of base64', () => {
    const redact = createRedact([]);
    const end = '-----END RSA PRIVATE KEY-----';
    const body = `${'A1+/='.repeat(20)}\r\n`.repeat(200);
    expect(redact(`log\n${body}${end} after`)).toBe('log\n[private key removed] after');
    expect(redact(`log: x\nshort\n${end}`)).toBe('log: x\n[private key removed]');
    for (const text of [`no base64!\n${end}`, end, `${'A'.repeat(101)}\n${end}`]) expect(redact(text)).toBe(text);
    expect(redact('-----BEGIN EC2 PRIVATE KEY-----')).toBe('[private key removed]');
    for (const text of ['-----BEGIN x PRIVATE KEY-----', 'a PRIVATE KEY----- that is none'])
      expect(redact(text)).toBe(text);
    const other =
      '-----BEGIN EC PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n-----END EC PRIVATE KEY----- after';
    expect(redact(other)).toBe('[private key removed] after');
  });

  it('holds what is added to it, and the four characters of the shortest', () => {
    const { redact, hold, words } = createRedaction([new Secret('first one')]);
    hold(new Secret('abcd'));
    expect(redact('first one, abcd, abc')).toBe('[secret removed], [secret removed], abc');
    expect([...words].filter((word) => word.length < 4)).toEqual([]);
    expect(words.has('61626364') && words.has('abcd')).toBe(true);
    hold(new Secret('xyz'));
    expect([...words].filter((word) => /xyz|78797a/i.test(word))).toEqual([]);
    hold(new Secret('a\nb c'));
    expect(redact('%61%0a%62%20%63 %61%0A%62%20%63')).toBe('[secret removed] [secret removed]');
    expect(createRedact([])('any text')).toBe('any text');
  });

  it('leaves a secret that is shorter than four characters, which would empty every answer', () => {
    expect(held('abc')('an abc of things')).toBe('an abc of things');
  });
});
