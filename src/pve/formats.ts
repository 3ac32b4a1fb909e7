import { runInNewContext } from 'node:vm';
import type { ApiParameter, ApiParameters } from './apidoc.ts';

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';

/** The named formats that are simple, as PVE::JSONSchema and PVE::Storage check them. */
const named: Readonly<Record<string, RegExp>> = {
  'pve-node': new RegExp(`^${label}$`),
  'pve-vmid': /^[1-9]\d{2,8}$/,
  'pve-configid': /^[a-z][a-z0-9_-]+$/i,
  'pve-storage-id': /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
  'pve-storage-content': /^(images|rootdir|vztmpl|iso|backup|snippets|import|none)$/,
  'pve-userid': /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/,
  'pve-tag': /^[a-z0-9_][a-z0-9_\-+.]*$/i,
  'pve-volume-id': /^[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]:.+$/s,
  'pve-task-status-type': /^(ok|error|warning|unknown)$/,
  'dns-name': new RegExp(`^(?:${label}\\.)*${label}$`),
  'mac-addr': /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i,
  'disk-size': /^\d+(\.\d+)?[KMGT]?$/,
};

/** What is wrong with the text of a value, as a clause; undefined when nothing is that can be told here. */
export function wrongText(text: string, rule: ApiParameter): string | undefined {
  return wrongType(text, rule) ?? wrongSize(text, rule) ?? wrongForm(text, rule);
}

/** By PVE::JSONSchema::check_type, for values as a form carries them. */
function wrongType(text: string, { type }: ApiParameter): string | undefined {
  if (type === 'boolean' && !/^[01]$/.test(text)) return 'must be true or false';
  if (type === 'integer' && !/^[+-]?\d+$/.test(text)) return 'must be a whole number';
  if (type === 'number' && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return 'must be a number';
  return undefined;
}

function wrongSize(text: string, rule: ApiParameter): string | undefined {
  const { minimum, maximum, minLength, maxLength } = rule;
  const value = Number(text);
  if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`;
  if (maximum !== undefined && value > maximum) return `must be at most ${maximum}`;
  const length = [...text].length;
  if (minLength !== undefined && length < minLength) return `must have at least ${minLength} characters`;
  if (maxLength !== undefined && length > maxLength) return `must have at most ${maxLength} characters`;
  return undefined;
}

function wrongForm(text: string, rule: ApiParameter): string | undefined {
  if (rule.enum && !rule.enum.includes(text)) return `must be one of ${rule.enum.join(', ')}`;
  if (rule.pattern !== undefined && fits(text, rule.pattern) === false) return `must match ${rule.pattern}`;
  if (typeof rule.format === 'object') return wrongProperties(text, rule.format);
  return rule.format === undefined ? undefined : wrongFormat(text, rule.format);
}

function wrongFormat(text: string, format: string): string | undefined {
  const own = named[format];
  if (own) return own.test(text) ? undefined : `is not a ${format}`;
  const item = named[format.replace(/-list$/, '')];
  const bad = item && splitList(text).find((one) => !item.test(one));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} in it is not a ${format.replace(/-list$/, '')}`;
}

/** PVE::Tools::split_list. */
const splitList = (text: string): string[] => text.split(/[,;\s\0]+/).filter((item) => item !== '');

/** The time that a pattern is given: some of the server's own take twice as long with each character. */
const PATTERN_MS = 250;

/** Whether the whole value is of that pattern; undefined for one that only Perl understands, and when it takes too long. */
function fits(text: string, pattern: string): boolean | undefined {
  const whole = `^(?:${pattern.replaceAll('(?^:', '(?:').replaceAll('{,', '{0,')})$`;
  try {
    return runInNewContext('new RegExp(whole).test(text)', { whole, text }, { timeout: PATTERN_MS }) === true;
  } catch {
    return undefined;
  }
}

/** `virtio=…,bridge=vmbr0`, as PVE::JSONSchema::parse_property_string reads it. */
function wrongProperties(text: string, rules: ApiParameters): string | undefined {
  const own = (name: string): ApiParameter | undefined => (Object.hasOwn(rules, name) ? rules[name] : undefined);
  const unnamed = Object.keys(rules).find((name) => rules[name]?.default_key);
  const seen = new Set<string>();
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const [, key = unnamed, value = part] = /^([^=]+)=(.+)$/s.exec(part) ?? [];
    if (key === undefined || (value === part && part.includes('=')))
      return `has a part ${JSON.stringify(part)} without a name`;
    const name = own(key)?.alias ?? key;
    const rule = own(name);
    if (rule === undefined) return `has no part ${key}: it has ${Object.keys(rules).join(', ')}`;
    if (seen.has(name)) return `has ${name} twice`;
    seen.add(name);
    const wrong = wrongText(rule.type === 'boolean' ? plainBoolean(value) : value, rule);
    if (wrong !== undefined) return `${key} in it ${wrong}`;
  }
  const missing = Object.keys(rules).find((name) => !seen.has(name) && !rules[name]?.optional && !rules[name]?.alias);
  const named = Object.values(rules).some(({ keyAlias }) => keyAlias !== undefined && keyAlias === missing);
  return missing === undefined || named ? undefined : `needs a part ${missing}`;
}

/** What a property string may hold for 1 and 0 (PVE::JSONSchema::parse_boolean). */
const plainBoolean = (text: string): string =>
  /^(1|on|yes|true)$/i.test(text) ? '1' : /^(0|off|no|false)$/i.test(text) ? '0' : text;
