import { formatError } from './formats.ts';
import type { RawParams, RawValue } from './params.ts';
import { perlPattern, type Rule } from './rules/parse.ts';

/** A parameter that passed: integers and numbers as numbers, booleans as booleans, arrays as arrays. */
export type Value = string | number | boolean | readonly string[];
export type Params = Readonly<Record<string, Value>>;

type Rules = Readonly<Record<string, Rule>>;
type Errors = Record<string, string>;

/** PVE::RESTHandler and PVE::JSONSchema::validate: the parsed parameters, or what is wrong with each. */
export function verify(given: RawParams, rules: Rules): { readonly params: Params } | { readonly errors: Errors } {
  const errors: Errors = {};
  const joined = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, prepare(value, ruleFor(rules, name))]),
  );
  checkObject(joined, rules, '', errors);
  if (Object.keys(errors).length > 0) return { errors };
  return {
    params: Object.fromEntries(
      Object.entries(joined).map(([name, value]) => [name, typed(value, ruleFor(rules, name))]),
    ),
  };
}

/** How many of each indexed parameter there are; one (`net[n]`) stands for all in the published schema. */
const indexed: Readonly<Record<string, number>> = {
  dev: 256,
  hostpci: 16,
  ide: 4,
  ipconfig: 32,
  mp: 256,
  net: 32,
  numa: 8,
  parallel: 3,
  sata: 6,
  scsi: 31,
  serial: 4,
  unused: 256,
  usb: 14,
  virtio: 16,
  virtiofs: 10,
};

/** The rule of a parameter; `net3` is covered by `net[n]`. */
export function ruleFor(rules: Rules, name: string): Rule | undefined {
  const own = Object.hasOwn(rules, name) ? rules[name] : undefined;
  const index = /^([a-z]+)(0|[1-9]\d*)$/.exec(name);
  if (own || !index?.[1] || Number(index[2]) >= (indexed[index[1]] ?? 0)) return name.endsWith('[n]') ? undefined : own;
  return rules[`${index[1]}[n]`];
}

/** Lists may be given as repeated keys or JSON arrays, true arrays as one scalar that is not empty (RESTHandler.pm). */
function prepare(value: RawValue, rule: Rule | undefined): RawValue {
  if (rule?.type === 'array') return typeof value === 'string' && value !== '' ? [value] : value;
  const list = typeof rule?.format === 'string' && rule.format.endsWith('-list');
  return Array.isArray(value) && list ? value.join(',') : value;
}

function checkObject(given: RawParams, rules: Rules, prefix: string, errors: Errors): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (name.endsWith('[n]')) continue;
    checkOne(given[name], rule, prefix + name, errors);
    if (given[name] !== undefined && rule.requires !== undefined && given[rule.requires] === undefined) {
      errors[prefix + rule.requires] ??= `missing property - '${name}' requires this property`;
    }
  }
  for (const [name, value] of Object.entries(given)) {
    const rule = ruleFor(rules, name);
    if (rule === undefined) {
      errors[prefix + name] = 'property is not defined in schema and the schema does not allow additional properties';
    } else if (!Object.hasOwn(rules, name)) checkOne(value, rule, prefix + name, errors);
  }
}

function checkOne(value: RawValue | undefined, rule: Rule, path: string, errors: Errors): void {
  if (value === undefined) {
    if (!rule.optional && rule.alias === undefined) errors[path] = 'property is missing and it is not optional';
    return;
  }
  const error = typeError(value, rule) ?? (typeof value === 'string' ? valueError(value, rule, path) : undefined);
  if (error !== undefined) errors[path] = error;
}

function typeError(value: RawValue, { type }: Rule): string | undefined {
  if (type === undefined) return undefined;
  const fail = `type check ('${type}') failed`;
  if (type === 'array') return Array.isArray(value) ? undefined : fail;
  if (typeof value !== 'string') return `${fail} - got ${Array.isArray(value) ? 'ARRAY' : 'HASH'}`;
  const fits =
    type === 'string' ||
    (type === 'boolean' && /^[01]$/.test(value)) ||
    (type === 'integer' && /^[+-]?\d+$/.test(value)) ||
    (type === 'number' && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value));
  return fits ? undefined : `${fail} - got '${value}'`;
}

function valueError(value: string, rule: Rule, path: string): string | undefined {
  if (rule.format !== undefined) {
    const error =
      typeof rule.format === 'string' ? formatError(rule.format, value) : stringError(value, rule.format, path);
    if (error !== undefined) return `invalid format - ${error}`;
  }
  if (rule.pattern !== undefined && !perlPattern(rule.pattern).test(value))
    return 'value does not match the regex pattern';
  const text = rule.type === 'string';
  if (rule.max !== undefined && (text ? [...value].length : Number(value)) > rule.max) {
    return text ? `value may only be ${rule.max} characters long` : `value must have a maximum value of ${rule.max}`;
  }
  if (rule.min !== undefined && (text ? [...value].length : Number(value)) < rule.min) {
    return text
      ? `value must be at least ${rule.min} characters long`
      : `value must have a minimum value of ${rule.min}`;
  }
  if (rule.enum && !rule.enum.includes(value)) {
    return `value '${value}' does not have a value in the enumeration '${rule.enum.join(', ')}'`;
  }
  return undefined;
}

/** A property string, as PVE::JSONSchema::parse_property_string reads it. */
function stringError(text: string, rules: Rules, path: string): string | undefined {
  const defaultKey = Object.keys(rules).find((name) => rules[name]?.defaultKey);
  const parts: RawParams = {};
  for (const part of text.split(',').filter((candidate) => candidate.trim() !== '')) {
    const pair = /^([^=]+)=(.+)$/s.exec(part);
    if (!pair && part.includes('=')) return 'missing key in comma-separated list property\n';
    if (!pair && defaultKey === undefined) return 'value without key, but schema does not define a default key\n';
    const key = pair?.[1] ?? defaultKey ?? '';
    const rule = rules[key];
    const target = rule?.alias ?? key;
    if (parts[target] !== undefined) return `duplicate key in comma-separated list property: ${key}\n`;
    const value = pair?.[2] ?? part;
    parts[target] = rules[target]?.type === 'boolean' ? looseBoolean(value) : value;
    if (rule?.keyAlias !== undefined) parts[rule.keyAlias] = key;
  }
  const errors: Errors = {};
  checkObject(parts, rules, `${path}.`, errors);
  const lines = Object.entries(errors).map(([name, error]) => `${name}: ${error}\n`);
  return lines.length > 0 ? `format error\n${lines.sort().join('')}` : undefined;
}

function looseBoolean(value: string): string {
  if (/^(1|on|yes|true)$/i.test(value)) return '1';
  return /^(0|off|no|false)$/i.test(value) ? '0' : value;
}

function typed(value: RawValue, rule: Rule | undefined): Value {
  if (Array.isArray(value)) return value;
  if (rule?.type === 'integer' || rule?.type === 'number') return Number(value);
  if (rule?.type === 'boolean') return value === '1';
  return String(value);
}
