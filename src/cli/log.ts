import { resolve } from 'node:path';
import { asFailure, Failure } from '../failure.ts';
import { type AuditCall, Calls } from '../log/calls.ts';
import { type Filter, filterOf, type Wanted } from '../log/filter.ts';
import { headPlace } from '../log/head.ts';
import { asciiJson } from '../log/json.ts';
import { auditCalls, followLines, unreadable } from '../log/read.ts';
import { visibleLine } from '../present/visible.ts';
import { columns } from './columns.ts';
import { type Flags, loadHere } from './surroundings.ts';
import { say, warn } from './terminal.ts';

export type LogFlags = Flags & Wanted;

export interface ListFlags extends Wanted {
  readonly settingsFile?: string;
  readonly limit?: string;
  readonly follow?: true;
  readonly json?: true;
}

/** Where the audit is that the settings name, with its head. */
export function auditPlace(settingsFile: string | undefined) {
  const { settings, auditHeads, settingsFile: read, problems } = loadHere({ settingsFile });
  if (settingsFile && !read) for (const { cause, cure } of problems) warn(`${cause} ${cure}`);
  return headPlace(auditHeads, resolve(settings.auditFile));
}

/** Runs one of the commands over the audit; what fails is told with its cure, and exits with 1. */
export async function telling(
  settingsFile: string | undefined,
  work: (place: ReturnType<typeof auditPlace>) => Promise<void>,
): Promise<void> {
  const place = auditPlace(settingsFile);
  try {
    await work(place);
  } catch (error) {
    const { message, hint } = asFailure(unreadable(place.audit, error));
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  }
}

/** Counts lines that cannot be read, and tells of them once. */
export function brokenLines() {
  let count = 0;
  let first = '';
  return {
    seen(where: string): void {
      count += 1;
      first ||= where;
    },
    tell(): void {
      if (count === 0) return;
      const lines =
        count === 1 ? `Line ${first} cannot be read` : `${count} lines cannot be read, the first is ${first}`;
      warn(`${lines}. proxmox-ssh-mcp log verify says whether anything is missing.`);
    },
  };
}

/** Lists calls, the newest last, and goes on with those that come when they are followed. */
export const list = (flags: ListFlags): Promise<void> =>
  telling(flags.settingsFile, async (place) => {
    const matches = filterOf(flags, Date.now());
    const limit = limitOf(flags.limit);
    const table = flags.json ? new JsonRows() : new Table();
    if (flags.follow) return follow(place.audit, matches, limit, table);
    const broken = brokenLines();
    const newest = new Newest(limit, table);
    for await (const call of auditCalls(place.audit, broken.seen)) if (matches(call)) newest.add(call);
    newest.print();
    broken.tell();
  });

function limitOf(text = '50'): number {
  if (!/^\d+$/.test(text)) {
    throw new Failure('invalid-input', `${text} is not a number of calls.`, 'For example: --limit 200; 0 shows all.');
  }
  return Number(text) || Number.POSITIVE_INFINITY;
}

async function follow(audit: string, matches: Filter, limit: number, table: Rows): Promise<void> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const calls = new Calls();
  const newest = new Newest(limit, table);
  let live = false;
  const take = (some: readonly AuditCall[]): void => {
    for (const call of some.filter(matches)) live ? table.add(call) : newest.add(call);
  };
  for await (const line of followLines(audit, ending.signal)) {
    if (line !== 'now') {
      take(calls.add(line));
      continue;
    }
    take(calls.ended());
    if (!live) newest.print();
    live = true;
    table.flush();
  }
}

/** Holds back all but the newest ones; without a limit nothing is held back. */
class Newest {
  readonly #limit: number;
  readonly #table: Rows;
  #held: AuditCall[] = [];

  constructor(limit: number, table: Rows) {
    this.#limit = limit;
    this.#table = table;
  }

  add(call: AuditCall): void {
    if (this.#limit === Number.POSITIVE_INFINITY) {
      this.#table.add(call);
      return;
    }
    this.#held.push(call);
    if (this.#held.length >= 2 * this.#limit) this.#held = this.#held.slice(-this.#limit);
  }

  print(): void {
    for (const call of this.#held.slice(-this.#limit)) this.#table.add(call);
    this.#held = [];
    this.#table.flush();
  }
}

interface Rows {
  add(call: AuditCall): void;
  /** Prints what was held back. */
  flush(): void;
}

class JsonRows implements Rows {
  add(call: AuditCall): void {
    say(asciiJson(call));
  }

  flush(): void {}
}

const HEADS = ['TIME (UTC)', 'CALL', 'TOOL', 'TARGET', 'EFFECT', 'VERDICT', 'TOOK', 'APPROVED'];
/** Widths that later pages begin with. */
const LEAST = [19, 12, 14, 10, 7, 10, 8];
const PAGE = 1000;

/** Aligned lines; a page of them is as wide as its widest. */
class Table implements Rows {
  #rows: string[][] = [HEADS];

  add(call: AuditCall): void {
    this.#rows.push(rowOf(call));
    if (this.#rows.length >= PAGE) this.flush();
  }

  flush(): void {
    for (const line of columns(this.#rows, LEAST)) say(line);
    this.#rows = [];
  }
}

const rowOf = ({ time, call, tool, about, effect, verdict, exitCode, durationMs, approved }: AuditCall): string[] =>
  [
    time.slice(0, 19).replace('T', ' '),
    call,
    tool,
    about ?? '',
    effect,
    exitCode === undefined || exitCode === 0 ? verdict : `${verdict}, exit ${exitCode}`,
    durationMs === undefined ? '' : tookOf(durationMs),
    approved ?? '',
  ].map(visibleLine);

/** `12 ms`, `3.4 s`, `125 s`. */
export const tookOf = (ms: number): string =>
  ms < 1000 ? `${ms} ms` : `${ms < 60_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;
