import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import type { ApiMethod } from './apidoc.ts';
import { type PvePath, pathOf } from './path.ts';
import type { ApiSchema } from './schema.ts';

/** A path of the API as somebody wrote it, found in the schema. */
export interface Found {
  /** `/nodes/{node}/lxc/{vmid}/config`. */
  readonly template: string;
  /** What stands for each variable part, decoded. */
  readonly values: Readonly<Record<string, string>>;
  readonly path: PvePath;
  /** What may be done there, at least one. */
  readonly methods: readonly ApiMethod[];
}

const notAPath = (text: string, why: string): Failure =>
  new Failure(
    'invalid-input',
    `${JSON.stringify(text.slice(0, 200))} is not an API path: ${why}.`,
    'Write one such as /nodes/pve1/lxc/400/config; parameters go into params.',
  );

/** The decoded parts of a path such as /nodes/pve1/lxc/400; `/api2/json` before it is dropped. */
export function segmentsOf(text: string): string[] {
  const plain = text.replace(/^\/api2\/json(?=\/)/, '').replace(/(.)\/$/, '$1');
  if (!plain.startsWith('/')) throw notAPath(text, 'it does not begin with a slash');
  if (/[?#]/.test(plain)) throw notAPath(text, 'it has a ? or # in it');
  return plain
    .slice(1)
    .split('/')
    .map((written) => {
      const segment = decoded(written);
      if (segment === undefined) throw notAPath(text, 'its percent-encoding is broken');
      if (segment === '' || segment === '.' || segment === '..') throw notAPath(text, `a part of it is "${segment}"`);
      if (/[\p{Cc}\p{Cf}\p{Surrogate}]/u.test(segment)) throw notAPath(text, 'it has hidden characters in it');
      return segment;
    });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Looks a path up as the server does: a literal part before a variable one. A `not-found` Failure names the nearest. */
export function findPath({ methods, version }: ApiSchema, text: string): Found {
  const segments = segmentsOf(text);
  const templates = [...new Set(methods.map((one) => one.path))];
  const matches = templates.flatMap((template) => {
    const values = match(template, segments);
    return values ? [{ template, values }] : [];
  });
  const [best] = matches.sort((a, b) => Object.keys(a.values).length - Object.keys(b.values).length);
  if (!best) {
    const near = nearestPaths(templates, segments);
    throw new Failure(
      'not-found',
      `Proxmox VE ${version} has no API path ${text.slice(0, 200)}.`,
      `Nearest: ${near.join(', ')}. pve_api_search finds paths by words.`,
      { facts: { candidates: near } },
    );
  }
  return { ...best, path: pathOf(parts(best.template, best.values)), methods: at(methods, best.template) };
}

const at = (methods: readonly ApiMethod[], template: string): ApiMethod[] =>
  methods.filter(({ path }) => path === template);

const variable = (part: string): string | undefined => /^\{(.+)\}$/.exec(part)?.[1];

const parts = (template: string, values: Readonly<Record<string, string>>): string[] =>
  template
    .slice(1)
    .split('/')
    .map((part) => values[variable(part) ?? ''] ?? part);

/** The variable parts, or undefined. A volume id may hold slashes, so that `{volume}` takes all that is left. */
function match(template: string, segments: readonly string[]): Record<string, string> | undefined {
  const wanted = template.slice(1).split('/');
  const given =
    wanted.at(-1) === '{volume}' && segments.length > wanted.length
      ? [...segments.slice(0, wanted.length - 1), segments.slice(wanted.length - 1).join('/')]
      : segments;
  if (given.length !== wanted.length) return undefined;
  const values: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const name = variable(part);
    const value = given[i] ?? '';
    if (name !== undefined) values[name] = value;
    else if (part !== value) return undefined;
  }
  return values;
}

const NEAREST = 4;
/** What a part that is too many or missing counts, against a literal part that is wholly another one. */
const EXTRA = 0.7;
const VARIABLE = 0.15;

function nearestPaths(templates: readonly string[], segments: readonly string[]): string[] {
  const written = segments.map((segment) => segment.slice(0, 64).toLowerCase());
  const far = (template: string): number => {
    const wanted = template.slice(1).split('/');
    const both = wanted.slice(0, written.length).map((part, i) => unlike(part, written[i] ?? ''));
    return both.reduce((sum, one) => sum + one, 0) + EXTRA * Math.abs(wanted.length - written.length);
  };
  return templates
    .map((template) => ({ template, far: far(template) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, NEAREST)
    .map(({ template }) => template);
}

const unlike = (part: string, segment: string): number =>
  part.startsWith('{') ? VARIABLE : distance(part, segment) / Math.max(part.length, segment.length, 1);
