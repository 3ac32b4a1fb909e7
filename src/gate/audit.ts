import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Redact } from '../present/redact.ts';
import { visible } from '../present/visible.ts';
import { namesSecret } from '../pve/secret-names.ts';
import type { Effect, Tool } from '../toolsets/tool.ts';
import { createLogFile } from './logfile.ts';

export type AuditKind = 'intent' | 'asked' | 'outcome';

/** What one line tells, beside the time, the order and the hashes. */
export interface AuditEntry {
  readonly kind: AuditKind;
  /** The same for all lines of one call. */
  readonly call: string;
  readonly tool: string;
  readonly effect: Effect;
  readonly client: string;
  readonly input?: Record<string, unknown>;
  /** How it was let through: `mode`, `confirmed`. */
  readonly approved?: string;
  /** `ok`, or the kind of the Failure. */
  readonly verdict?: string;
  readonly message?: string;
  readonly durationMs?: number;
}

/** Append-only notes of what was asked for and what came of it. `write` rejects when the line was not written; an intent is on the disk when it resolves. */
export interface Audit {
  write(entry: AuditEntry): Promise<void>;
  /** Waits for what is being written and closes the file. */
  close(): Promise<void>;
}

const LONGEST_VALUE = 500;

/** The value without secrets, those that were given under the name of one too; long strings as their start with length and SHA-256. */
function noted(value: unknown, redact: Redact, name = ''): unknown {
  if (typeof value === 'string') {
    if (namesSecret(name)) return '[hidden]';
    const text = visible(redact(value));
    if (text.length <= LONGEST_VALUE) return text;
    const sha256 = createHash('sha256').update(value).digest('hex');
    return { start: text.slice(0, LONGEST_VALUE), characters: value.length, sha256 };
  }
  if (Array.isArray(value)) return value.map((part) => noted(part, redact, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [redact(name), noted(part, redact, name)]));
}

/** The hash that a line of an audit file ends with; `start` when there is none. */
const hashOf = (line: string): string => /"hash":"([0-9a-f]{64})"}$/.exec(line)?.[1] ?? 'start';

/**
 * An Audit in `file`, one JSON object a line. Each process writes a chain of its own (`chain`, `seq`): `hash` is the
 * SHA-256 of the line without it, `prev` the hash before it, so that an edited or removed line breaks the chain.
 */
export function createAudit(file: string, redact: Redact): Audit {
  const log = createLogFile(file);
  const chain = randomBytes(8).toString('hex');
  let seq = 0;
  let prev: string | undefined;
  const put = (entry: AuditEntry): void => {
    prev ??= hashOf(log.lastLine());
    const { input, message, ...rest } = entry;
    const body = {
      time: new Date().toISOString(),
      chain,
      seq: seq + 1,
      ...rest,
      ...(input && { input: noted(input, redact) }),
      ...(message && { message: noted(message, redact) }),
      prev,
    };
    const text = JSON.stringify(body);
    const hash = createHash('sha256').update(text).digest('hex');
    log.append(`${text.slice(0, -1)},"hash":"${hash}"}\n`);
    seq += 1;
    prev = hash;
  };
  return {
    async write(entry) {
      put(entry);
      if (entry.kind === 'intent') await log.sync();
    },
    close: () => log.close(),
  };
}

/** The refusal of a call whose intent could not be noted. */
export const unaudited = (tool: Tool, file: string, cause: unknown): Failure =>
  new Failure(
    'refused',
    `The audit file ${file} cannot be written (${cause instanceof Error ? cause.message : String(cause)}), so ${tool.name} was not run.`,
    'Make room on the disk or set MCP_AUDIT_FILE to a place that can be written.',
    { cause },
  );
