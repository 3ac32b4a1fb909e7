import { z } from 'zod';
import { Failure } from '../failure.ts';

const text = z.string().optional().catch(undefined);
const number = z.coerce.number().optional().catch(undefined);
const flag = z
  .union([z.boolean(), z.number()])
  .transform((value) => value === true || value === 1)
  .optional()
  .catch(undefined);

/** One parameter, or one part of a property string, in the words of PVE::JSONSchema. */
export interface ApiParameter {
  /** `string`, `integer`, `number`, `boolean` or `array`; none where anything goes. */
  readonly type?: string;
  readonly optional?: boolean;
  readonly description?: string;
  /** How its value is written, as the server's documents show it. */
  readonly typetext?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** A Perl pattern for the whole value. */
  readonly pattern?: string;
  /** The name of a format, or the parts of a property string (`bridge=vmbr0,ip=dhcp`). */
  readonly format?: string | ApiParameters;
  readonly default?: string | number | boolean;
  /** Another parameter that has to be given with it. */
  readonly requires?: string;
  /** The part of a property string that may stand without its name. */
  readonly default_key?: boolean;
  readonly alias?: string;
  readonly keyAlias?: string;
  /** The types of object (by the method's `type` parameter) that it belongs to, when not to all. */
  readonly only?: readonly string[];
}

/** By name; `net[n]` stands for net0, net1, and so on. */
export interface ApiParameters {
  readonly [name: string]: ApiParameter;
}

const parameter: z.ZodType<ApiParameter> = z.object({
  type: text,
  optional: flag,
  description: text,
  typetext: text,
  enum: z.array(z.coerce.string()).optional().catch(undefined),
  minimum: number,
  maximum: number,
  minLength: number,
  maxLength: number,
  pattern: text,
  get format() {
    return z
      .union([z.string(), z.record(z.string(), parameter)])
      .optional()
      .catch(undefined);
  },
  default: z.union([z.string(), z.number(), z.boolean()]).optional().catch(undefined),
  requires: text,
  default_key: flag,
  alias: text,
  keyAlias: text,
  only: z.array(z.string()).optional(),
});
const parameters = z.record(z.string(), parameter);

const method = z.object({
  /** `/nodes/{node}/lxc/{vmid}/config`. */
  path: z.string(),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  name: text,
  description: text,
  parameters,
  /** Whether an API token may call it, whatever its privileges. */
  allowtoken: z.boolean(),
  /** Only root@pam itself may call it, which no token is. */
  rootOnly: z.boolean(),
});
/** One call of the API, as the server describes it. */
export type ApiMethod = z.infer<typeof method>;

/** Methods that were kept as JSON; undefined when the text is not that. */
export function readMethods(json: string): ApiMethod[] | undefined {
  try {
    return z.array(method).min(1).parse(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** A method as apidoc.js has it, with its path and nothing left out. */
export interface RawMethod {
  readonly path: string;
  readonly method: string;
  readonly name?: unknown;
  readonly description?: unknown;
  readonly parameters?: unknown;
  readonly returns?: unknown;
  readonly permissions?: unknown;
  readonly protected: boolean;
  readonly proxyto?: unknown;
  readonly allowtoken: boolean;
}

interface Node {
  readonly path: string;
  readonly info?: Readonly<Record<string, Record<string, unknown>>>;
  readonly children?: readonly Node[];
}
const node: z.ZodType<Node> = z.object({
  path: z.string(),
  info: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  get children() {
    return z.array(node).optional();
  },
});

/**
 * The methods in apidoc.js, which is `const apiSchema = [a tree];` and the code of a viewer (pve-docs, extractapi.pl).
 * The first JSON value after `=` is read, and nothing is evaluated. A `remote-error` Failure when there is none.
 */
export function parseApidoc(source: string): RawMethod[] {
  try {
    return z
      .array(node)
      .min(1)
      .parse(JSON.parse(firstJson(source)))
      .flatMap(flatten);
  } catch (cause) {
    throw new Failure(
      'remote-error',
      'The API schema that the server hands out cannot be read.',
      'Open /pve-docs/api-viewer/ on the server: when that shows nothing, reinstall its package pve-docs.',
      { cause },
    );
  }
}

function flatten({ path, info = {}, children = [] }: Node): RawMethod[] {
  const here = Object.entries(info).map(([verb, { allowtoken, protected: guarded, ...rest }]) => ({
    ...rest,
    path,
    method: verb,
    protected: guarded === 1,
    allowtoken: allowtoken !== 0,
  }));
  return [...here, ...children.flatMap(flatten)];
}

/** From the first bracket after the first `=` to the one that closes it. */
function firstJson(source: string): string {
  const start = source.indexOf('[', source.indexOf('='));
  // A string that nothing closes is one token too: looked for again from each quote in it, it would take the square of its length.
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs;
  tokens.lastIndex = start;
  let depth = 0;
  for (let token = tokens.exec(source); token; token = tokens.exec(source)) {
    if (token[0] === '[' || token[0] === '{') depth += 1;
    else if (token[0] === ']' || token[0] === '}') depth -= 1;
    if (depth === 0) return source.slice(start, tokens.lastIndex);
  }
  throw new Error('no JSON value');
}

/** The methods as they are looked up; one that this server could not call is left out. */
export function methodsOf(raw: readonly RawMethod[]): ApiMethod[] {
  return raw.flatMap(({ path, method: verb, name, description, allowtoken, permissions, parameters: given }) => {
    const described = { path, method: verb, name, description, allowtoken, rootOnly: !permissions };
    const parsed = method.safeParse({ ...described, parameters: merged(given) });
    return parsed.success ? [parsed.data] : [];
  });
}

const shape = z.object({
  properties: z.record(z.string(), z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  'type-property': text,
  'type-property-schema': z.unknown().optional(),
  'instance-type': text,
});

/** All parameters in one table. Those that only some types of object have are optional, and say so (`only`). */
function merged(given: unknown): ApiParameters {
  const parsed = shape.safeParse(given ?? {});
  if (!parsed.success) return {};
  const { properties = {}, allOf = [], oneOf = [], ...rest } = parsed.data;
  const own = parameters.safeParse(properties).data ?? {};
  const type = rest['type-property'];
  const chosen = type === undefined ? {} : (parameters.safeParse({ [type]: rest['type-property-schema'] }).data ?? {});
  return Object.assign({}, own, ...allOf.map(merged), variants(oneOf), chosen);
}

function variants(oneOf: readonly unknown[]): ApiParameters {
  const each = oneOf.map((one) => ({ of: shape.safeParse(one).data?.['instance-type'] ?? '', has: merged(one) }));
  const names = [...new Set(each.flatMap(({ has }) => Object.keys(has)))];
  return Object.fromEntries(
    names.map((name) => {
      const having = each.filter(({ has }) => has[name]);
      const needed = having.length === each.length && having.every(({ has }) => !has[name]?.optional);
      const some = having.length < each.length ? { only: having.map(({ of }) => of) } : {};
      return [name, { ...having[0]?.has[name], optional: !needed, ...some }];
    }),
  );
}
