import { Failure } from '../failure.ts';
import type { PveParams } from './client.ts';

/**
 * Parameters as a query or a form body: arrays as repeated keys, booleans as 1 and 0, `undefined` left out. Everything
 * is percent-encoded, `=` too: the server splits a pair on every bare `=` (recording j-form-raw-eq).
 */
export function encodeForm(params: PveParams): string {
  const pairs = Object.entries(params).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const values = typeof value === 'object' ? value : [value];
    return values.map((one) => `${encode(name)}=${encode(textOf(one))}`);
  });
  return pairs.join('&');
}

const textOf = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? '1' : '0') : String(value);

function encode(text: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw new Failure('invalid-input', 'A parameter holds half of a UTF-16 character.', 'Send whole characters.');
  }
  return encodeURIComponent(text);
}
