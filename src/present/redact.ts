import type { Secret } from '../secret.ts';

/** Takes out of a text the secrets that this process holds, and private-key blocks; nothing else, nothing by guess. */
export type Redact = (text: string) => string;

/** A shorter secret would take ordinary words out of every answer; the settings tell the operator so. */
export const SHORTEST_REDACTED = 4;

/** What stands where something was taken out. */
export const REMOVED = { key: '[private key removed]', secret: '[secret removed]' } as const;

/** A block, whole or without its end; or the end of one whose beginning was left out: its lines of base64. */
const privateKeyBlock =
  /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|(?![\s\S]))|(?:^[A-Za-z0-9+/=]{1,100}\r?\n){1,200}-----END [A-Z0-9 ]*PRIVATE KEY-----/gm;

/** `text` as a regular expression that matches it. */
export const inRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** The part of a base64 text that stays the same whatever stands before and after the secret, for each alignment. */
function base64Cores(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(first, last);
  });
}

const percentAll = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const unicodeEscaped = (text: string): string =>
  text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The secret as it is, with the line ends of a terminal, and as base64, base64url, hex, percent-encoding, a JSON string
 * (non-ASCII as it is or escaped) and a quoted shell word.
 */
function spellings(held: string): string[] {
  // A surrogate without a partner has no bytes to be written as.
  const secret = Buffer.from(held).toString();
  const hex = Buffer.from(secret).toString('hex');
  const base64 = base64Cores(secret);
  const percent = [encodeURIComponent(secret), percentAll(secret)];
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    held,
    secret,
    secret.replaceAll('\n', '\r\n'),
    json,
    unicodeEscaped(json),
    secret.replaceAll("'", "'\\''"),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
    ...percent,
    ...percent.map((text) => text.replace(/%[0-9A-Fa-f]{2}/g, (code) => code.toLowerCase())),
    ...percent.map((text) => text.replace(/%[0-9A-Fa-f]{2}/g, (code) => code.toUpperCase())),
  ];
}

/** A Redact, and the way to have it hold one secret more from then on. */
export interface Redaction {
  readonly redact: Redact;
  /** Every spelling of every secret that is held. */
  readonly words: ReadonlySet<string>;
  hold(secret: Secret): void;
}

/** Redaction of these secrets. Holding one takes a few microseconds; redacting is one pass over the text. */
export function createRedaction(held: readonly Secret[]): Redaction {
  const words = new Set<string>();
  let pattern: RegExp | undefined;
  const hold = (...secrets: readonly Secret[]): void => {
    const values = secrets.map((secret) => secret.reveal()).filter((value) => value.length >= SHORTEST_REDACTED);
    for (const word of values.flatMap(spellings)) words.add(word);
    const longestFirst = [...words].sort((a, b) => b.length - a.length);
    pattern = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(inRegExp).join('|'), 'g');
  };
  hold(...held);
  const redact = (text: string): string => {
    const withoutKeys = text.includes('PRIVATE KEY-----') ? text.replace(privateKeyBlock, REMOVED.key) : text;
    return pattern ? withoutKeys.replace(pattern, REMOVED.secret) : withoutKeys;
  };
  return { redact, words, hold };
}

/** A Redact for these secrets and no more. */
export const createRedact = (held: readonly Secret[]): Redact => createRedaction(held).redact;
