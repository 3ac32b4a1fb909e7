import { readdirSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';

/** `audit-20261120T101500123.jsonl` of `audit.jsonl`: what was written until that time (UTC), and no more. */
export interface Rotated {
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})$/;

function timeIn(text: string): number | undefined {
  const [, ...parts] = TIME.exec(text) ?? [];
  const [year = 0, month = 0, ...rest] = parts.map(Number);
  return parts.length === 0 ? undefined : Date.UTC(year, month - 1, ...rest);
}

/** The files that were rotated out of this one, the oldest first. None when their folder cannot be read. */
export function rotatedOf(file: string): Rotated[] {
  const { name, ext } = parse(file);
  const folder = dirname(file);
  const found = namesIn(folder).flatMap((one) => {
    if (!one.startsWith(`${name}-`) || !one.endsWith(ext)) return [];
    const until = timeIn(one.slice(name.length + 1, one.length - ext.length));
    return until === undefined ? [] : [{ file: join(folder, one), until }];
  });
  return found.sort((a, b) => a.until - b.until);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The name that the file gets now: later than every other, whatever the clock says. */
export function nextRotated(file: string, now: number): string {
  const { dir, name, ext } = parse(file);
  const until = Math.max(now, (rotatedOf(file).at(-1)?.until ?? 0) + 1);
  const stamp = new Date(until).toISOString().replace(/[-:.Z]/g, '');
  return join(dir, `${name}-${stamp}${ext}`);
}

/** `audit.jsonl` of `/home/me/audit.jsonl`, as findings name it. */
export const shortName = (file: string): string => basename(file);
