import { randomInt } from 'node:crypto';
import { Failure } from '../failure.ts';
import { guestTarget, parseTarget } from './target.ts';

/** Who and where a job is: `j8k2m4q@pve1`, and `j8k2m4q+root@ct/400` of one that somebody else than the login runs. */
export interface JobId {
  /** The whole id. */
  readonly text: string;
  /** The part before the place: the name of its folder. */
  readonly name: string;
  readonly user?: string;
  readonly target: string;
}

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A fresh id for a job at that target, run by its login unless `user` says otherwise. */
export function newJobId(target: string, user?: string): JobId {
  const name = `j${Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`;
  return idOf(name, user, target);
}

const idOf = (name: string, user: string | undefined, target: string): JobId => ({
  text: `${name}${user === undefined ? '' : `+${user}`}@${target}`,
  name,
  user,
  target,
});

/** Whether `parseJobId` reads it. */
export function isJobId(text: string): boolean {
  try {
    return parseJobId(text).name !== '';
  } catch {
    return false;
  }
}

/** Reads an id; `invalid-input` for what is none. */
export function parseJobId(text: string): JobId {
  const found = /^(j[a-z0-9]{6})(?:\+([A-Za-z_][\w.-]{0,63}\$?))?@(.+)$/.exec(text);
  const [, name, user, target] = found ?? [];
  if (name !== undefined && target !== undefined) {
    const place = parseTarget(target);
    return idOf(name, user, place.kind === 'host' ? target : guestTarget(place));
  }
  throw new Failure(
    'invalid-input',
    `"${text.slice(0, 100)}" is no id of a job.`,
    'Give it as it was told (j8k2m4q@pve1); ssh_job_list shows them.',
  );
}
