import { Failure } from '../failure.ts';

/** An API path below /api2/json whose variable parts have been percent-encoded. Made by the `path` tag only. */
export type PvePath = string & { readonly __brand: 'PvePath' };

/**
 * path`/nodes/${node}/lxc/${vmid}` with every value encoded as one segment; an empty value, `.` and `..` are refused,
 * because they would address another resource, and so is half of a UTF-16 character. The server accepts encoded UPIDs and volids (recordings j-upid-enc,
 * c-delcontent-enc).
 */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): PvePath {
  const segments = values.map(encoded);
  return parts.reduce((whole, part, i) => whole + segments[i - 1] + part) as PvePath;
}

/** The path of these parts, each encoded as one segment and refused where `path` refuses it. */
export const pathOf = (segments: readonly string[]): PvePath =>
  segments.map((one) => `/${encoded(one)}`).join('') as PvePath;

function encoded(value: string | number): string {
  const text = String(value);
  if (text === '' || text === '.' || text === '..' || /\p{Surrogate}/u.test(text)) {
    throw new Failure(
      'invalid-input',
      `${JSON.stringify(text)} cannot be part of an API path.`,
      'Give a node, guest, storage or task id.',
    );
  }
  return encodeURIComponent(text);
}
