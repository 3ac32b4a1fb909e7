import type { Method, Rule } from './rules/parse.ts';

interface Leaf {
  readonly path: string;
  readonly text: string;
  readonly leaf: 0 | 1;
  readonly info: Record<string, unknown>;
  children?: Leaf[];
}

/** /pve-docs/api-viewer/apidoc.js as pve-manager serves it, for the served methods: a tree, and code after it. */
export function apidoc(methods: readonly Method[]): string {
  const schema = JSON.stringify(tree(methods, ''), undefined, 3);
  return `const apiSchema = ${schema}\n;\n\nlet method2cmd = { GET: 'get' };\n`;
}

function tree(methods: readonly Method[], prefix: string): Leaf[] {
  const below = methods.filter(({ path }) => path.startsWith(`${prefix}/`));
  const names = [...new Set(below.map(({ path }) => path.slice(prefix.length + 1).split('/')[0] ?? ''))].toSorted();
  return names.map((text) => {
    const path = `${prefix}/${text}`;
    const here = methods.filter((method) => method.path === path);
    const children = tree(methods, path);
    const info = Object.fromEntries(here.map((method) => [method.method, describe(method)]));
    return { path, text, leaf: children.length === 0 ? 1 : 0, info, ...(children.length === 0 ? {} : { children }) };
  });
}

const describe = ({ method, permission, params, protected: isProtected, tokens }: Method) => ({
  allowtoken: tokens ? 1 : 0,
  method,
  parameters: {
    additionalProperties: 0,
    properties: Object.fromEntries(Object.entries(params).map(([name, rule]) => [name, property(rule)])),
  },
  ...(isProtected ? { protected: 1 } : {}),
  ...(permission === 'root' ? {} : { permissions: permissionOf(permission) }),
});

function permissionOf(permission: Method['permission']): unknown {
  if (typeof permission !== 'object') return { user: 'all' };
  const any = permission.any.length > 1 ? ['any', 1] : [];
  return { check: ['perm', permission.path, permission.any, ...any] };
}

/** One parameter in the words of PVE's schema. */
export function property(rule: Rule): Record<string, unknown> {
  const text = rule.type === 'string';
  return {
    ...(rule.type === undefined ? {} : { type: rule.type }),
    ...(rule.type === 'array' ? { items: { type: 'string' } } : {}),
    ...(rule.optional ? { optional: 1 } : {}),
    ...(rule.min === undefined ? {} : { [text ? 'minLength' : 'minimum']: rule.min }),
    ...(rule.max === undefined ? {} : { [text ? 'maxLength' : 'maximum']: rule.max }),
    ...(rule.pattern === undefined ? {} : { pattern: rule.pattern }),
    ...(rule.enum === undefined ? {} : { enum: rule.enum }),
    ...(rule.requires === undefined ? {} : { requires: rule.requires }),
    ...(rule.alias === undefined ? {} : { alias: rule.alias }),
    ...(rule.keyAlias === undefined ? {} : { keyAlias: rule.keyAlias }),
    ...(rule.defaultKey ? { default_key: 1 } : {}),
    ...(rule.format === undefined ? {} : { format: formatOf(rule.format) }),
  };
}

const formatOf = (format: NonNullable<Rule['format']>): unknown =>
  typeof format === 'string'
    ? format
    : Object.fromEntries(Object.entries(format).map(([name, part]) => [name, property(part)]));
