import { Failure } from '../failure.ts';
import type { AuditCall } from './calls.ts';

/** What a reader wants to see, as typed. */
export interface Wanted {
  readonly tool?: string;
  readonly target?: string;
  readonly effect?: string;
  readonly verdict?: string;
  readonly client?: string;
  readonly since?: string;
  readonly until?: string;
  readonly grep?: string;
  readonly call?: string;
}

export type Filter = (call: AuditCall) => boolean;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** ms since 1970 of `2h` (ago), `2026-11-20`, `2026-11-20 10:15` or a whole ISO time; UTC unless it says otherwise. */
function timeOf(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0) * 1000;
  const [, day, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone}`);
  if (!Number.isNaN(at)) return at;
  throw new Failure(
    'invalid-input',
    `${text} is not a time.`,
    'Write 90m, 12h or 7d (ago), 2026-11-20, or "2026-11-20 10:15" (UTC).',
  );
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch {
    throw new Failure(
      'invalid-input',
      `${text} is not a regular expression.`,
      'Put a \\ before ( [ * + ? . and the like.',
    );
  }
}

/** `ssh_*` is every tool whose name begins so. */
const named = (name: string, wanted: string): boolean =>
  wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;

/** One of those that are named with commas between. */
const anyOf = (text: string): ((value: string) => boolean) => {
  const all = text.split(',').map((part) => part.trim());
  return (value) => all.some((one) => named(value, one));
};

/** Whether a call is about this target; `400` is `ct/400` and `vm/400` too. */
const isAbout = (about: string | undefined, wanted: string): boolean =>
  about?.split(',').some((one) => one === wanted || one.endsWith(`/${wanted}`)) ?? false;

/** A Filter for all of what is wanted; `invalid-input` for a time or pattern that is none. */
export function filterOf(wanted: Wanted, now: number): Filter {
  const { tool, target, effect, verdict, client, since, until, grep, call } = wanted;
  const tests: Filter[] = [];
  const want = <T>(value: T | undefined, test: (value: T) => Filter): void => {
    if (value !== undefined) tests.push(test(value));
  };
  want(tool, (text) => one(anyOf(text), 'tool'));
  want(effect, (text) => one(anyOf(text), 'effect'));
  want(verdict, (text) => one(anyOf(text), 'verdict'));
  want(target, (text) => (found) => isAbout(found.about, text));
  want(client, (text) => (found) => found.client.toLowerCase().includes(text.toLowerCase()));
  want(since, (text) => {
    const from = timeOf(text, now);
    return ({ time }) => Date.parse(time) >= from;
  });
  want(until, (text) => {
    const to = timeOf(text, now);
    return ({ time }) => Date.parse(time) <= to;
  });
  want(call, (text) => (found) => found.call === text);
  want(grep, (text) => {
    const pattern = patternOf(text);
    return (found) => pattern.test(JSON.stringify(found));
  });
  return (found) => tests.every((test) => test(found));
}

const one =
  (test: (value: string) => boolean, name: 'tool' | 'effect' | 'verdict'): Filter =>
  (found) =>
    test(found[name]);
