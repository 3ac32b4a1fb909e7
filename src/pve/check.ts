import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import type { ApiMethod, ApiParameter } from './apidoc.ts';
import type { Found } from './apipath.ts';
import type { PveParams } from './client.ts';
import type { Method } from './errors.ts';
import { wrongText } from './formats.ts';

/** A value as a caller may give it. */
export type Given = string | number | boolean | readonly (string | number)[];
export type GivenParams = Readonly<Record<string, Given>>;

/** The method of that verb at the path. An `invalid-input` Failure names those there are; `permission` when no token may. */
export function methodAt(found: Found, verb: Method): ApiMethod {
  const method = found.methods.find((one) => one.method === verb);
  if (!method) {
    const there = found.methods.map((one) => one.method).join(', ');
    const message = `${found.template} has no ${verb}.`;
    throw new Failure('invalid-input', message, `It has ${there}; pve_api_search with this path describes them.`);
  }
  if (!method.allowtoken || method.rootOnly) {
    const who = method.rootOnly ? 'only root@pam itself may make it' : 'it needs a login with a password';
    throw new Failure(
      'permission',
      `No API token may call ${verb} ${found.template}: ${who}.`,
      'No privilege changes it. Do it over SSH as root with pvesh, or in the web interface.',
    );
  }
  return method;
}

/** More than any call of Proxmox VE takes; each unknown one is compared with all that there are. */
const MOST_PARAMETERS = 500;
/** What is told of a long list of mistakes. */
const MOST_PROBLEMS = 20;

/**
 * The parameters as they can be sent. Before anything is sent, an `invalid-input` Failure tells all that is unknown,
 * missing or wrong by the schema, the parts of the path included.
 */
export function checkParams(found: Found, method: ApiMethod, given: GivenParams): PveParams {
  const many = Object.keys(given).length;
  if (many > MOST_PARAMETERS) {
    const message = `${method.method} ${found.template} was not sent: it has ${many} parameters.`;
    throw new Failure('invalid-input', message, `At most ${MOST_PARAMETERS} are looked at.`);
  }
  const inPath = Object.entries(found.values).map(([name, value]) => problem(name, value, method.parameters[name]));
  const problems = [
    ...inPath,
    ...Object.entries(given).map(([name, value]) =>
      Object.hasOwn(found.values, name) ? `${name} stands in the path already` : wrong(name, value, method),
    ),
    ...missing(found, method, given),
    ...lonely(found, method, given),
  ].filter((one) => one !== undefined);
  if (problems.length > 0) {
    const more = problems.length > MOST_PROBLEMS ? [`and ${problems.length - MOST_PROBLEMS} more`] : [];
    const told = [...problems.slice(0, MOST_PROBLEMS), ...more];
    throw new Failure(
      'invalid-input',
      `${method.method} ${found.template} was not sent: ${told.join('; ')}.`,
      `pve_api_search with path ${found.template} describes its parameters.`,
      { facts: { problems: told } },
    );
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, sendable(value, ruleOf(method, name))]),
  );
}

const missing = ({ values }: Found, { parameters }: ApiMethod, given: GivenParams): string[] =>
  Object.entries(parameters)
    .filter(([name, { optional }]) => !optional && !name.endsWith('[n]'))
    .filter(([name]) => !Object.hasOwn(given, name) && !Object.hasOwn(values, name))
    .map(([name]) => `${name} is missing`);

/** What is given without the parameter that it requires. */
const lonely = ({ values }: Found, method: ApiMethod, given: GivenParams): string[] =>
  Object.keys(given).flatMap((name) => {
    const needs = ruleOf(method, name)?.requires;
    const there = needs === undefined || Object.hasOwn(given, needs) || Object.hasOwn(values, needs);
    return there ? [] : [`${name} needs ${needs} with it`];
  });

/** `net3` is ruled by `net[n]`. */
function ruleOf({ parameters }: ApiMethod, name: string): ApiParameter | undefined {
  if (name.endsWith('[n]')) return undefined;
  if (Object.hasOwn(parameters, name)) return parameters[name];
  const family = /^([a-z]+)(?:0|[1-9]\d{0,2})$/.exec(name)?.[1];
  return family === undefined ? undefined : parameters[`${family}[n]`];
}

function wrong(name: string, value: Given, method: ApiMethod): string | undefined {
  const rule = ruleOf(method, name);
  if (rule) return problem(name, value, rule);
  const near = Object.keys(method.parameters)
    .filter((one) => distance(one, name.slice(0, 64)) <= Math.max(2, name.length / 3))
    .sort((a, b) => distance(a, name) - distance(b, name));
  return `there is no parameter ${name.slice(0, 64)}${near[0] === undefined ? '' : ` (is it ${near[0]}?)`}`;
}

function problem(name: string, value: Given, rule: ApiParameter | undefined): string | undefined {
  if (rule === undefined) return undefined;
  const sent = sendable(value, rule);
  if (typeof sent === 'object') {
    if (rule.type !== 'array') return `${name} must be a single value`;
    return sent.length === 0 ? `${name} is an empty list` : undefined;
  }
  if (rule.type === 'array') return sent === '' ? `${name} is empty` : undefined;
  const why = wrongText(typeof sent === 'boolean' ? String(Number(sent)) : String(sent), rule);
  return why && `${name} ${why}`;
}

/** Lists that are texts by their format are sent as such. */
function sendable(
  value: Given,
  rule: ApiParameter | undefined,
): string | number | boolean | readonly (string | number)[] {
  const list = typeof rule?.format === 'string' && rule.format.endsWith('-list');
  return typeof value === 'object' && rule?.type !== 'array' && list ? value.join(',') : value;
}
