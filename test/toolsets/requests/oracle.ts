import type { RawParams } from '../../../src/demo/api/params.ts';
import { routerFor } from '../../../src/demo/api/router.ts';
import { type Method, perlPattern, type Rule } from '../../../src/demo/api/rules/parse.ts';
import { verify } from '../../../src/demo/api/verify.ts';
import type { SeenRequest } from '../../../src/demo/world.ts';
import type { SchemaMethod } from '../../reference.ts';

type Properties = Readonly<Record<string, Record<string, unknown>>>;

/** A property of PVE's schema as a rule of the demo's own verification, which is that of PVE::JSONSchema. */
function ruleOf(part: Record<string, unknown>): Rule {
  const number = (name: string): number | undefined => (part[name] === undefined ? undefined : Number(part[name]));
  const text = part.type === 'string';
  const { format } = part;
  const rule = {
    type: part.type as Rule['type'],
    optional: part.optional === 1,
    min: number(text ? 'minLength' : 'minimum'),
    max: number(text ? 'maxLength' : 'maximum'),
    format:
      typeof format === 'object' && format !== null ? rulesOf(format as Properties) : (format as string | undefined),
    pattern: patternOf(part.pattern),
    enum: Array.isArray(part.enum) ? part.enum.map(String) : undefined,
    requires: part.requires as string | undefined,
    alias: part.alias as string | undefined,
    keyAlias: part.keyAlias as string | undefined,
    defaultKey: part.default_key === 1,
  };
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)) as unknown as Rule;
}

/** Left out where only Perl understands it. */
function patternOf(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string') return undefined;
  try {
    perlPattern(pattern);
    return pattern;
  } catch {
    return undefined;
  }
}

/** How many `net[n]` there are is not said by the schema. */
const MOST = 256;

const rulesOf = (properties: Properties): Record<string, Rule> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, part]) => {
      const rule = ruleOf(part);
      if (!name.endsWith('[n]')) return [[name, rule]];
      return Array.from({ length: MOST }, (_, i) => [name.replace('[n]', String(i)), rule]);
    }),
  );

interface Shape {
  readonly properties?: Properties;
  readonly allOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly 'type-property'?: string;
}

/** Two methods take what depends on a type: whatever one of the types takes. */
function propertiesOf({ properties = {}, allOf = [], oneOf = [], ...rest }: Shape): Properties {
  const optional = oneOf
    .map(propertiesOf)
    .map((some) => Object.fromEntries(Object.entries(some).map(([name, part]) => [name, { ...part, optional: 1 }])));
  const type = rest['type-property'] === undefined ? {} : { [rest['type-property']]: { type: 'string' } };
  return Object.assign({}, properties, ...allOf.map(propertiesOf), ...optional, type);
}

/** What PVE's schema says against a request: an unknown path or method, wrong or unknown parameters. */
export type Oracle = (request: SeenRequest) => string | undefined;

export function oracleOf(schema: readonly SchemaMethod[]): Oracle {
  const methods = schema.map(
    ({ path, method, parameters }): Method => ({
      path,
      method: method as Method['method'],
      protected: false,
      tokens: true,
      permission: 'all',
      params: rulesOf(propertiesOf(parameters)),
    }),
  );
  // A literal part goes before a variable one, as in PVE::RESTHandler.
  const router = routerFor(methods.sort((a, b) => variables(a.path) - variables(b.path)));
  return ({ method, path, params }) => {
    const match = router(method, path);
    if (!match) return `${method} ${path} does not exist`;
    // Some methods of 9.2 leave a variable part of their path out of their own parameters.
    const parts = Object.entries(match.parts).filter(([name]) => Object.hasOwn(match.rule.params, name));
    const told = verify({ ...(params as RawParams), ...Object.fromEntries(parts) }, match.rule.params);
    return 'errors' in told ? `${method} ${path} ${JSON.stringify(params)}: ${JSON.stringify(told.errors)}` : undefined;
  };
}

const variables = (path: string): number => path.split('{').length;
