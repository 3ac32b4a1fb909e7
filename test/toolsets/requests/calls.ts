import fc from 'fast-check';
import type { ApiMethod, ApiParameter, ApiParameters } from '../../../src/pve/apidoc.ts';

const samples: Readonly<Record<string, readonly string[]>> = {
  'pve-node': ['pve1', 'pve2'],
  'pve-vmid': ['101', '400', '500'],
  'pve-storage-id': ['local', 'local-lvm'],
  'pve-configid': ['one', 'two-2'],
  'pve-userid': ['mcp@pve'],
  'pve-volume-id': ['local:iso/x.iso'],
  'pve-storage-content': ['iso', 'backup'],
  'pve-tag': ['a', 'b'],
  'dns-name': ['web.example.com'],
  'mac-addr': ['BC:24:11:00:00:01'],
  'disk-size': ['4G'],
};

/** A value for a parameter by its rule; mostly a right one. */
function valueFor(rule: ApiParameter): fc.Arbitrary<string | number | boolean> {
  const { type, enum: values, format, pattern, minimum = 0, maximum = 100_000 } = rule;
  if (values) return fc.constantFrom(...values);
  if (type === 'boolean') return fc.constantFrom(true, false, 1, 0);
  const known = typeof format === 'string' ? samples[format.replace(/-list$/, '')] : undefined;
  if (known) return fc.constantFrom(...known);
  if (type === 'integer') return fc.integer({ min: minimum, max: Math.min(Math.max(minimum, maximum), 2_147_483_647) });
  if (type === 'number') return fc.double({ min: minimum, max: Math.max(minimum, maximum), noNaN: true });
  if (typeof format === 'object') return propertyString(format);
  if (pattern !== undefined) return fc.constantFrom('a1', '0', '-1', 'abc', '1.5', 'file.iso', 'x'.repeat(40));
  return fc.constantFrom('text', 'a b', '1', 'größe=1', '');
}

/** Some of the parts of a property string, the needed ones always. */
function propertyString(parts: ApiParameters): fc.Arbitrary<string> {
  const usable = Object.entries(parts).filter(([, { alias }]) => alias === undefined);
  const values = fc.record(Object.fromEntries(usable.map(([name, part]) => [name, valueFor(part)])), {
    requiredKeys: usable.filter(([, { optional }]) => !optional).map(([name]) => name),
  });
  return values.map((given) =>
    Object.entries(given)
      .slice(0, 6)
      .map(([name, value]) => `${name}=${String(typeof value === 'boolean' ? Number(value) : value)}`)
      .join(','),
  );
}

const junk = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 2 }));

const pathOf = ({ path, parameters }: ApiMethod): fc.Arbitrary<string> => {
  const parts = path.split('/').map((part) => {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    return name === undefined ? fc.constant(part) : valueFor(parameters[name] ?? {}).map(segment);
  });
  return fc.tuple(...parts).map((made) => made.join('/'));
};

const segment = (value: string | number | boolean): string => encodeURIComponent(String(value)) || 'x';

/** Arguments for the raw API tools: calls of the schema, mostly right, some with a wrong or strange parameter. */
export function callsOf(methods: readonly ApiMethod[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.constantFrom(...methods).chain((method) => {
    const rest = Object.entries(method.parameters).filter(([name]) => !method.path.includes(`{${name}}`));
    const values = rest.map(([name, rule]) => [
      name.replace('[n]', '1'),
      fc.oneof({ weight: 15, arbitrary: valueFor(rule) }, { weight: 1, arbitrary: junk }),
    ]);
    const needed = rest.filter(([name, { optional }]) => !optional && !name.endsWith('[n]')).map(([name]) => name);
    const optional = rest.map(([name]) => name.replace('[n]', '1')).filter((name) => !needed.includes(name));
    const params = fc
      .tuple(fc.record(Object.fromEntries(values)), fc.subarray(optional, { maxLength: Math.min(4, optional.length) }))
      .map(([all, wished]) =>
        Object.fromEntries(Object.entries(all).filter(([name]) => needed.includes(name) || wished.includes(name))),
      );
    return fc.record({ method: fc.constant(method.method), path: pathOf(method), params });
  });
}
