/** Fields of an answer by where they stand (`[].ha.managed`), each with the JSON types seen there. */
export type Shape = ReadonlyMap<string, ReadonlySet<string>>;

/** Keys that are data and not names. */
const variable = (key: string): string => key.replace(/^tap\d+i\d+$/, '*').replace(/^\/[\w/]*$/, '*');

export function shapeOf(value: unknown, at = '', shape = new Map<string, Set<string>>()): Shape {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  shape.set(at, (shape.get(at) ?? new Set<string>()).add(type));
  if (Array.isArray(value)) for (const item of value) shapeOf(item, `${at}[]`, shape);
  else if (type === 'object') {
    for (const [key, item] of Object.entries(value as Record<string, unknown>))
      shapeOf(item, `${at}.${variable(key)}`, shape);
  }
  return shape;
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const jsonType: Readonly<Record<string, string>> = { integer: 'number', boolean: 'number', number: 'number' };

/** What the schema's `returns` says may be there; the server does not keep to it, so it only adds names. */
export function shapeOfSchema(schema: Schema, at = '', shape = new Map<string, Set<string>>()): Shape {
  if (!shape.has(at)) shape.set(at, new Set([jsonType[schema.type ?? ''] ?? schema.type ?? 'any']));
  if (schema.items) shapeOfSchema(schema.items, `${at}[]`, shape);
  for (const [name, part] of Object.entries(schema.properties ?? {})) shapeOfSchema(part, `${at}.${name}`, shape);
  return shape;
}

/** Where `answer` has a field that is nowhere known, or one of another type than known. */
export function strangers(answer: Shape, recorded: Shape | undefined, schema: Shape): string[] {
  return [...answer].flatMap(([at, types]) => {
    const known = recorded?.get(at) ?? schema.get(at);
    if (known === undefined) return insideFreeObject(at, schema) ? [] : [`${at} is not a field of Proxmox VE`];
    if (known.has('any')) return [];
    const odd = [...types].filter((type) => !known.has(type));
    return odd.length > 0 ? [`${at} is ${odd.join('|')}, Proxmox VE has ${[...known].join('|')}`] : [];
  });
}

/** Recorded fields that the demo leaves out, as far as their row is there at all. */
export const missing = (answer: Shape, recorded: Shape): string[] =>
  [...recorded.keys()].filter((at) => !answer.has(at));

/** An object whose members the schema does not list holds what it likes. */
function insideFreeObject(at: string, schema: Shape): boolean {
  const parent = at.replace(/(\.[^.[]+|\[\])$/, '');
  const types = schema.get(parent);
  if (types === undefined) return parent !== at && insideFreeObject(parent, schema);
  const listed = [...schema.keys()].some((key) => key.startsWith(`${parent}.`));
  return types.has('object') && !listed;
}
