import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedaction } from '../../src/present/redact.ts';
import { Scrub } from '../../src/present/scrub.ts';
import { Secret } from '../../src/secret.ts';

const SECRETS = [
  'abcabd',
  'bdab',
  'pässwörd €',
  "it's a 'secret'",
  'two\nlines',
  '-----BEGIN',
  'corr3ct horse+battery/staple="x"',
];
const key = (label: string, body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n') =>
  `-----BEGIN ${label}PRIVATE KEY-----\n${body}-----END ${label}PRIVATE KEY-----`;

const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('base64url'),
  (text) => Buffer.from(text).toString('hex'),
  encodeURIComponent,
  (text) => JSON.stringify(text),
];

/** Text in which secrets, parts of them, keys and parts of keys stand beside one another. */
const texts = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom(...SECRETS), fc.constantFrom(...encodings)).map(([secret, encode]) => encode(secret)),
      fc.tuple(fc.constantFrom(...SECRETS), fc.nat(30)).map(([secret, length]) => secret.slice(0, length)),
      fc.constantFrom(key(''), key('RSA '), key('OPENSSH ', `${'A'.repeat(70)}\n`.repeat(20)), key('').slice(0, -3)),
      fc.constantFrom('-', '-----', '-----BEGIN ', '-----BEGIN RSA PRIVATE KEY----', '-----END RSA PRIVATE KEY-----'),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('a', 'ab', 'abc', 'd', '\n', 'ä', '€'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** What comes out when the bytes are pushed in pieces of these sizes, over and over. */
function streamed(words: ReadonlySet<string>, bytes: Buffer, sizes: readonly number[]): string {
  const scrub = new Scrub({ words });
  const out: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    out.push(scrub.push(bytes.subarray(at, at + size)));
    at += size;
  }
  out.push(scrub.end());
  return Buffer.concat(out).toString('latin1');
}

describe('guarantee 21: a stream of output, cut anywhere', () => {
  const { redact, words } = createRedaction(SECRETS.map((one) => new Secret(one)));
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

  const inOne = [Number.MAX_SAFE_INTEGER];

  it('is rid of the same however it is cut', () => {
    fc.assert(
      fc.property(texts, sizes, (text, cuts) => {
        const bytes = Buffer.from(text);
        expect(streamed(words, bytes, cuts)).toBe(streamed(words, bytes, inOne));
      }),
      { numRuns: 3000 },
    );
  });

  it('is rid of what a text would be, byte for byte otherwise', () => {
    fc.assert(
      fc.property(
        // The end of a key alone tells nothing to a stream: it has seen all that came before.
        texts.filter(
          (text) => !/-----END/.test(text.replace(/-----BEGIN[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '')),
        ),
        sizes,
        (text, cuts) => {
          const out = Buffer.from(streamed(words, Buffer.from(text), cuts), 'latin1').toString();
          expect(out).toBe(redact(text));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('never gives a part of a secret before all of it was seen', () => {
    for (const encode of encodings) {
      for (const secret of SECRETS) {
        const scrub = new Scrub({ words });
        const out = [...Buffer.from(encode(secret))].map((byte) => scrub.push(Buffer.from([byte])).toString()).join('');
        expect(out.replaceAll(/\[[^\]]*removed\]/g, '').length, encode(secret)).toBeLessThan(4);
      }
    }
  });

  it('loses 64 KiB at most to a key that never ends', () => {
    const scrub = new Scrub({ words });
    const out = Buffer.concat([
      scrub.push(Buffer.from(`${key('').slice(0, 27)}${'x'.repeat(65536)}`)),
      scrub.push(Buffer.from('after, and more than an end is long')),
    ]);
    expect(out.toString()).toBe('[private key removed]after, and more than an end is long');
    expect(scrub.end().length).toBe(0);
  });

  it('learns of a secret that is made meanwhile', () => {
    const { words: some, hold } = createRedaction([]);
    const scrub = new Scrub({ words: some });
    expect(scrub.push(Buffer.from('new-pass')).toString()).toBe('new-pass');
    hold(new Secret('new-password'));
    expect(
      Buffer.concat([scrub.push(Buffer.from(' new-pass')), scrub.push(Buffer.from('word.')), scrub.end()]).toString(),
    ).toBe(' [secret removed].');
  });

  it('gives a piece back as it is when nothing of it is in doubt, and tells how much is', () => {
    const scrub = new Scrub(createRedaction([new Secret('abcabd')]));
    const plain = Buffer.from('nothing of note\n');
    expect(scrub.push(plain)).toBe(plain);
    const certificate = '-----BEGIN CERTIFICATE-----\n';
    expect(scrub.push(Buffer.from(certificate)).toString()).toBe(certificate);
    expect(scrub.held).toBe(0);
    expect(scrub.push(Buffer.from('x abcab')).toString()).toBe('x ');
    expect(scrub.held).toBe(5);
    expect(scrub.push(Buffer.from('c ---')).toString()).toBe('abcabc ');
    expect(scrub.held).toBe(3);
    expect(scrub.push(Buffer.from('--BEGIN RSA PRIVATE')).toString()).toBe('');
    expect(scrub.end().toString()).toBe('-----BEGIN RSA PRIVATE');
    expect(scrub.held).toBe(0);
  });

  it('decides at once where nothing can follow, and waits where a longer secret may', () => {
    const scrub = new Scrub(createRedaction([new Secret('pass'), new Secret('password1'), new Secret('geheim')]));
    expect(scrub.push(Buffer.from('x geheim')).toString()).toBe('x [secret removed]');
    expect(scrub.push(Buffer.from('geheim')).toString()).toBe('[secret removed]');
    expect(scrub.push(Buffer.from('geheim, more')).toString()).toBe('[secret removed], more');
    expect(scrub.push(Buffer.from(' pass')).toString()).toBe(' ');
    expect(scrub.push(Buffer.from('word1 pass')).toString()).toBe('[secret removed] ');
    expect(scrub.push(Buffer.from('age')).toString()).toBe('[secret removed]a');
    expect(scrub.end().toString()).toBe('ge');
  });

  it('gives every byte back as it was, those too that it held, and all where it holds no secret', () => {
    const scrub = new Scrub(createRedaction([new Secret('pässwörd')]));
    const bytes = Buffer.from([0xff, 0x70, 0xc3]);
    expect(Buffer.concat([scrub.push(bytes), scrub.end()])).toEqual(bytes);
    expect(new Scrub({ words: new Set() }).push(bytes)).toBe(bytes);
  });

  it('takes no label for a key that is longer than labels are', () => {
    const none = createRedaction([]).words;
    const labelled = (length: number) => `-----BEGIN ${'A'.repeat(length)}PRIVATE KEY-----`;
    expect(streamed(none, Buffer.from(`${labelled(64)}x`), [7])).toBe('[private key removed]');
    expect(streamed(none, Buffer.from(`${labelled(65)}x`), [7])).toBe(`${labelled(65)}x`);
  });

  it('ends a key of 64 KiB exactly, and one that never does where the text ends', () => {
    const body = 'x'.repeat(65_536);
    const begin = '-----BEGIN PRIVATE KEY-----';
    for (const size of [1_000, 100_000]) {
      const ended = `a ${begin}${body}-----END PRIVATE KEY----- b`;
      expect(streamed(words, Buffer.from(ended), [size])).toBe('a [private key removed] b');
      expect(streamed(words, Buffer.from(`a ${begin}${body}y-----END`), [size])).toBe(
        'a [private key removed]y-----END',
      );
      expect(streamed(words, Buffer.from(`a ${begin}short bdab`), [size])).toBe('a [private key removed]');
      const late = `y${key('').slice(-25)} b`;
      expect(streamed(words, Buffer.from(`a ${begin}${body}${late}`), [size])).toBe(`a [private key removed]${late}`);
    }
  });

  it('keeps what follows a key in the same piece, and a second key', () => {
    const text = `${key('')} bdab ${key('RSA ')}\n`;
    expect(streamed(words, Buffer.from(text), inOne)).toBe(
      '[private key removed] [secret removed] [private key removed]\n',
    );
  });
});
