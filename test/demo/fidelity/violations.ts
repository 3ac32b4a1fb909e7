/** A property of PVE's schema, as far as it says what is refused. */
export interface Property {
  readonly type?: string;
  readonly optional?: number;
  readonly minimum?: number | string;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[] | null;
  readonly format?: string | Readonly<Record<string, Property>>;
  readonly alias?: string;
  readonly requires?: string;
}

interface Violation {
  readonly value: string;
  /** PVE::JSONSchema's words for it. */
  readonly error: string;
}

const unknown = 'property is not defined in schema and the schema does not allow additional properties';
const missing = 'property is missing and it is not optional';

/** A value that the property refuses; undefined where only a named format could. */
export function violate(path: string, { type = '', minimum, maximum, ...rest }: Property): Violation | undefined {
  const mistyped = (value: string): Violation => ({ value, error: `type check ('${type}') failed - got '${value}'` });
  if (type === 'boolean') return mistyped('true');
  if (type === 'array') return { value: '', error: "type check ('array') failed" };
  if (type !== 'integer' && type !== 'number') return violateText(path, rest);
  if (rest.format !== undefined) return mistyped('1x');
  if (maximum !== undefined) {
    return { value: String(maximum + 1), error: `value must have a maximum value of ${maximum}` };
  }
  if (minimum === undefined) return mistyped('');
  return { value: String(Number(minimum) - 1), error: `value must have a minimum value of ${minimum}` };
}

function violateText(path: string, { format, pattern, maxLength, enum: values }: Property): Violation | undefined {
  if (typeof format === 'object') return { value: 'nosuch=1', error: `invalid format - ${stringErrors(path, format)}` };
  if (format !== undefined) return undefined;
  if (values) {
    return { value: 'zzz', error: `value 'zzz' does not have a value in the enumeration '${values.join(', ')}'` };
  }
  if (pattern !== undefined) return { value: '\u0001 x', error: 'value does not match the regex pattern' };
  if (maxLength === undefined) return undefined;
  return { value: 'x'.repeat(maxLength + 1), error: `value may only be ${maxLength} characters long` };
}

function stringErrors(path: string, parts: Readonly<Record<string, Property>>): string {
  const needed = Object.keys(parts).filter((name) => !parts[name]?.optional && parts[name]?.alias === undefined);
  const lines = [...needed.map((name) => `${path}.${name}: ${missing}\n`), `${path}.nosuch: ${unknown}\n`];
  return `format error\n${lines.toSorted().join('')}`;
}

/** Parameters that are all wrong, one that does not exist among them, and what is said of each. */
export function allWrong(properties: Readonly<Record<string, Property>>, inPath: readonly string[]) {
  const given: Record<string, string> = { nosuch: '1' };
  const errors: Record<string, string> = { nosuch: unknown };
  for (const [name, property] of Object.entries(properties)) {
    if (inPath.includes(name)) continue;
    const path = name.replace('[n]', '0');
    const wrong = violate(path, property);
    if (wrong) {
      given[path] = wrong.value;
      errors[path] = wrong.error;
    } else if (!property.optional) errors[path] = missing;
  }
  for (const name of Object.keys(given).toSorted()) {
    const needed = properties[name]?.requires;
    if (needed !== undefined && given[needed] === undefined) {
      errors[needed] ??= `missing property - '${name}' requires this property`;
    }
  }
  return { given, errors };
}
