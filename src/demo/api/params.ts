import { ApiError } from './errors.ts';

/** A parameter as it arrived: a repeated key is an array, a JSON object an object. */
export type RawValue = string | readonly string[] | { readonly [key: string]: unknown };
export type RawParams = Record<string, RawValue>;

/** Form decoding as pve-http-server does it: `;` separates pairs too, and a pair is cut at every `=` (AnyEvent.pm). */
export function parseForm(text: string): RawParams {
  const params: RawParams = Object.create(null);
  for (const pair of text.split(/[&;]/)) {
    if (pair === '') continue;
    const [key = '', value = ''] = pair.split('=').map(decodeFormText);
    const before = params[key];
    params[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return params;
}

function decodeFormText(text: string): string {
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})|[^\x00-\x7f]/g, (all, hex: string | undefined) =>
      hex === undefined ? Buffer.from(all).toString('latin1') : String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** JSON bodies: null is "not given", booleans become 1 and 0, numbers strings (recordings j-null, p-bool-json). */
export function parseJson(text: string): RawParams {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(500, `${perlJsonError(text)} at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.\n`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  const given = Object.entries(body).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([key, value]) => [key, jsonValue(value)]));
}

function jsonValue(value: unknown): RawValue {
  if (Array.isArray(value)) return value.map((item) => String(item));
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'object') return { ...value };
  return String(value);
}

function perlJsonError(text: string): string {
  const trimmed = text.trimStart();
  const offset = text.length - trimmed.length;
  if (trimmed.startsWith('{')) return `'"' expected, at character offset ${offset + 1} (before "${trimmed.slice(1)}")`;
  const where = `at character offset ${offset} (before "${trimmed || '(end of string)'}")`;
  return `malformed JSON string, neither tag, array, object, number, string or atom, ${where}`;
}
