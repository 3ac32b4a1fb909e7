import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { iso } from '../format.ts';

const HOUR_S = 3600;
const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: HOUR_S, d: 24 * HOUR_S };

/** An age, or a time; the host's own clock is meant where no zone is given. */
export const moment = z
  .string()
  .refine(
    (text) => /^(\d{1,6}[smhd]|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?)$/.test(text),
    'must be an age such as 90s, 30m, 2h or 3d, or a time such as 2026-11-20 10:00 or 2026-11-20T10:00:00Z',
  );

/** A point in time, for `--since` of journalctl and for an answer. */
export interface Moment {
  /** `@1794884400`, or `2026-11-20 10:00:00` by the host's own clock (systemd.time(7)). */
  readonly word: string;
  readonly told: string;
  /** Seconds since 1970, where the zone is known. */
  readonly epoch?: number;
}

const ofEpoch = (epoch: number): Moment => ({ word: `@${epoch}`, told: iso(epoch), epoch });

/** The time that a `moment` means, `now` being ours in seconds since 1970; `invalid-input` for what no calendar has. */
export function momentOf(text: string, now: number): Moment {
  const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return ofEpoch(Math.max(0, Math.floor(now) - Number(number) * (seconds[unit] ?? 1)));
  const [, day = '', clock = '00:00', zone] =
    /^([\d-]+)(?:[T ]([\d:]+)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? [];
  const time = clock.length === 5 ? `${clock}:00` : clock;
  const asUtc = new Date(`${day}T${time}Z`);
  const exists = !Number.isNaN(asUtc.getTime()) && asUtc.toISOString().startsWith(day) && asUtc.getTime() >= 0;
  const epoch = Date.parse(`${day}T${time}${zone?.replace(/(\d\d)(\d\d)$/, '$1:$2') ?? 'Z'}`) / 1000;
  if (!exists || Number.isNaN(epoch)) {
    throw new Failure(
      'invalid-input',
      `${text} is not a time.`,
      'Write one such as 2026-11-20T03:00:00Z, or an age such as 2h.',
    );
  }
  return zone === undefined ? { word: `${day} ${time}`, told: `${day} ${time}` } : ofEpoch(Math.max(0, epoch));
}

export interface Span {
  readonly since?: Moment;
  readonly until?: Moment;
}

/** From when to when; `invalid-input` when it is known to end before it begins. */
export function spanOf(since: string | undefined, until: string | undefined, now: number): Span {
  const span = {
    since: since === undefined ? undefined : momentOf(since, now),
    until: until === undefined ? undefined : momentOf(until, now),
  };
  const { epoch: start } = span.since ?? {};
  const { epoch: end } = span.until ?? {};
  const backwards =
    start !== undefined
      ? end !== undefined && start > end
      : end === undefined && (span.since?.word ?? '') > (span.until?.word ?? '~');
  if (!backwards) return span;
  throw new Failure('invalid-input', 'That span ends before it begins.', 'since is the older one of since and until.');
}
