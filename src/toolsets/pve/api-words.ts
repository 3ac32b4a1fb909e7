import type { Facts } from '../../present/answer.ts';
import type { ApiMethod, ApiParameter } from '../../pve/apidoc.ts';

/** The first sentence of a description, cut at `most` characters. */
export function brief(text: string | undefined, most: number): string | undefined {
  const [first = ''] = /^.*?[.!](?=\s|$)|^.*/s.exec(text?.trim() ?? '') ?? [];
  const line = first.replace(/\s+/g, ' ').replace(/\.$/, '');
  if (line === '') return undefined;
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** The parameters that have to be given besides those in the path. */
export const needed = ({ path, parameters }: ApiMethod): string[] =>
  Object.entries(parameters)
    .filter(([name, { optional }]) => !optional && !path.includes(`{${name}}`))
    .map(([name]) => name);

/** `integer 100-999999999`, `dhcp|static`, `[model=]<enum>,bridge=<bridge>`. */
function kindOf({ type = 'any', enum: values, minimum, maximum, format, typetext }: ApiParameter): string {
  if (values) return values.join('|');
  if (typeof format === 'object' && typetext) return typetext.length > 300 ? `${typetext.slice(0, 299)}…` : typetext;
  if (minimum !== undefined || maximum !== undefined) return `${type} ${minimum ?? ''}-${maximum ?? ''}`;
  return typeof format === 'string' && type === 'string' ? format : type;
}

/** One parameter as a row. */
export const parameterFacts = (name: string, rule: ApiParameter): Facts => ({
  name,
  needed: !rule.optional || undefined,
  value: kindOf(rule),
  default: rule.default,
  only_for: rule.only,
  about: brief(rule.description, 120),
});

/** What is to be known of a method before it is called: who may not. */
export const barred = ({ allowtoken, rootOnly }: ApiMethod): string | undefined =>
  rootOnly ? 'root@pam only' : allowtoken ? undefined : 'no API token';
