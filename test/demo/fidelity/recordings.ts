import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findSchema } from '../../reference.ts';

/** One exchange with a real Proxmox VE, as it was recorded. */
export interface Recording {
  readonly name: string;
  readonly method: string;
  /** With its query string, below /api2/json unless `absolute`. */
  readonly path: string;
  readonly absolute: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
  readonly reason: string;
  /** Header lines, names in lower case, in order. */
  readonly answer: readonly (readonly [string, string])[];
  readonly text: string;
}

/** Where Proxmox VE's own schema and the recordings are; they are not part of this repository. */
export function findReference(env: NodeJS.ProcessEnv) {
  const recordings = env.PVE_RECORDINGS ?? resolve(import.meta.dirname, '../../../../shared/recordings');
  const schema = findSchema(env);
  if (existsSync(recordings)) return { schema, recordings };
  throw new Error(
    `The fidelity test needs recordings of the answers of a Proxmox VE 9 (folder, PVE_RECORDINGS); not found: ${recordings}.`,
  );
}

/** Every recording of the folder that holds an answer, by name. */
export function readRecordings(folder: string): Map<string, Recording> {
  const names = readdirSync(folder).filter((file) => file.endsWith('.http'));
  const all = names.map((file) => parse(file.slice(0, -'.http'.length), readFileSync(join(folder, file), 'latin1')));
  return new Map(all.filter((recording) => recording !== undefined).map((recording) => [recording.name, recording]));
}

function parse(name: string, bytes: string): Recording | undefined {
  const [first = '', ...rest] = bytes.split('\n');
  const start = rest.findIndex((line) => line.startsWith('HTTP/1.1 '));
  if (start < 0) return undefined;
  const end = rest.findIndex((line, i) => i > start && line.trim() === '');
  const [, status, reason] = /^HTTP\/1\.1 (\d+) (.*?)\r?$/.exec(rest[start] ?? '') ?? [];
  const answer = rest.slice(start + 1, end).map((line) => {
    const [, header = '', value = ''] = /^([^:]+): (.*?)\r?$/.exec(line) ?? [];
    return [header.toLowerCase(), value] as const;
  });
  const text = rest.slice(end + 1).filter((line) => !line.startsWith('# time_total='));
  const utf8 = Buffer.from(text.join('\n').trim(), 'latin1').toString('utf8');
  const request = parseRequest(Buffer.from(first, 'latin1').toString('utf8').slice(2));
  return { name, ...request, status: Number(status), reason: reason ?? '', answer, text: utf8 };
}

/** `POST /path -d a=1 --data-urlencode b=2 -H Name: value`, or the same in curl's order. */
function parseRequest(line: string): Pick<Recording, 'method' | 'path' | 'absolute' | 'headers' | 'body'> {
  const words = line.split(
    / (?=(?:-d|-H|-F|-X|--data-urlencode|--data-binary|--http2|https?:\/\/)(?: |\/|$)|https?:\/\/)/,
  );
  const of = (flag: string) =>
    words.filter((word) => word.startsWith(`${flag} `)).map((word) => word.slice(flag.length + 1));
  const [head = ''] = words;
  const url = words.find((word) => /^https?:\/\//.test(word)) ?? '';
  const curl = head === 'curl';
  const [method = 'GET', path = ''] = curl
    ? [of('-X')[0] ?? 'GET', url.replace(/^https?:\/\/[^/]+/, '')]
    : head.trim().split(/ (.*)/s);
  const pairs = of('-H').map((header) => [header.split(':')[0] ?? '', header.replace(/^[^:]+: ?/, '')] as const);
  const headers = Object.fromEntries(pairs.filter(([, value]) => value !== ''));
  const body = bodyOf(words);
  return { method, path, absolute: curl, headers, ...(body === undefined ? {} : { body }) };
}

function bodyOf(words: readonly string[]): string | undefined {
  const parts = words.flatMap((word) => {
    const [, flag, value = ''] = /^(-d|--data-urlencode) (.*)$/s.exec(word) ?? [];
    if (flag === '-d') return [value];
    if (flag === undefined) return [];
    const [, name, text = ''] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
    return [`${name}=${encodeURIComponent(text)}`];
  });
  return parts.length === 0 ? undefined : parts.join('&');
}
