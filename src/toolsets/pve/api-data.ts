import { type Fact, type Facts, remote } from '../../present/answer.ts';
import { namesSecret } from '../../pve/secret-names.ts';
import { onOneLine } from '../format.ts';

const LONGEST_PLAIN = 300;

/** A text that can carry neither an instruction nor anything hidden. */
const isPlain = (text: string): boolean => text.length <= LONGEST_PLAIN && /^[\x21-\x7e]*$/.test(text);

/** Secrets under a plain name: keys of DNS providers (pve-manager, PVE/API2/ACMEPlugin.pm; pve-network, SDN/Dns). */
const plainlyNamed: readonly (readonly [path: RegExp, name: string])[] = [
  [/^\/cluster\/acme\/plugins/, 'data'],
  [/^\/cluster\/sdn\/dns/, 'key'],
];

/** Whether a member or parameter of what is at that path of the API holds a secret of somebody. */
const secretAt =
  (at: string) =>
  (name: string): boolean =>
    namesSecret(name) || plainlyNamed.some(([path, one]) => one === name && path.test(at));

/** JSON of the server as facts: what guests and users wrote as remote text, secrets hidden, nulls left out. */
function factOf(value: unknown, secret: (name: string) => boolean, name = ''): Fact | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return secret(name) ? '[hidden]' : isPlain(value) ? value : remote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((one) => factOf(one, secret, name) ?? '').filter((one) => one !== '');
  if (typeof value !== 'object') return undefined;
  const members = Object.entries(value);
  if (!members.every(([key]) => isPlain(key))) return remote(JSON.stringify(value));
  return Object.fromEntries(members.map(([key, one]) => [key, factOf(one, secret, key)]));
}

/** A value that is about to be sent to that path, for a human to read. */
export function shownValue(at: string, name: string, value: unknown): string {
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  return secretAt(at)(name) ? '[hidden]' : onOneLine(text);
}

export interface Wish {
  readonly fields?: readonly string[];
  readonly match?: string;
  readonly limit: number;
}

/** Rows, or one object, of that path of the API, cut down to what is wished for. What is hidden matches nothing. */
export function dataFacts(at: string, data: unknown, { fields, match, limit }: Wish): Facts {
  const secret = secretAt(at);
  if (data === null || data === undefined) return { data: 'none' };
  if (!Array.isArray(data)) return { data: factOf(picked(data, fields), secret), notes: lacking([data], fields) };
  const wanted = match?.toLowerCase();
  const seen = (row: unknown): string => JSON.stringify(row, (name, one) => (secret(name) ? '' : one)).toLowerCase();
  const found = wanted === undefined ? data : data.filter((row) => seen(row).includes(wanted));
  const shown = found.slice(0, limit);
  return {
    rows: factOf(
      shown.map((row) => picked(row, fields)),
      secret,
    ),
    rows_in_all: found.length,
    rows_not_shown: found.length - shown.length || undefined,
    notes: lacking(found, fields),
  };
}

/** A note of the fields that were wished for and that nothing has. */
function lacking(rows: readonly unknown[], fields: readonly string[] = []): readonly string[] | undefined {
  const objects = rows.filter((row) => typeof row === 'object' && row !== null);
  const has = new Set(objects.flatMap((row) => Object.keys(row)));
  const absent = fields.filter((field) => !has.has(field));
  if (absent.length === 0 || objects.length === 0) return undefined;
  return [`There is no ${absent.join(', ')}; there are ${[...has].sort().join(', ')}.`];
}

function picked(value: unknown, fields: readonly string[] | undefined): unknown {
  if (fields === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => fields.includes(key)));
}
