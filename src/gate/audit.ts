import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../failure.ts';
import type { Redact } from '../present/redact.ts';
import { visible } from '../present/visible.ts';
import type { Effect, Tool } from '../toolsets/tool.ts';

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
}

const LONGEST_VALUE = 500;

/** The value without secrets, long strings as their start with length and SHA-256. */
function noted(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') {
    const text = visible(redact(value));
    if (text.length <= LONGEST_VALUE) return text;
    const sha256 = createHash('sha256').update(value).digest('hex');
    return { start: text.slice(0, LONGEST_VALUE), characters: value.length, sha256 };
  }
  if (Array.isArray(value)) return value.map((part) => noted(part, redact));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [redact(name), noted(part, redact)]));
}

/** The hash of the file's last line, so that a new chain says what it follows; `start` for a new file. */
async function lastHash(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return 'start';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 65_536);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const line = buffer.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    return /"hash":"([0-9a-f]{64})"}$/.exec(line)?.[1] ?? 'start';
  } finally {
    await handle.close();
  }
}

/** Opens `file` for appending, 0600 in a 0700 folder. */
async function openLog(file: string): Promise<FileHandle> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return open(file, 'a', 0o600);
}

/** One open log file, opened again when somebody moved or removed it. */
function createLog(file: string) {
  let handle: FileHandle | undefined;
  /** A write that failed may have left a part of a line: the next one begins on a line of its own. */
  let torn = false;
  const same = async (open: FileHandle): Promise<boolean> => {
    const [ours, there] = await Promise.all([open.stat(), stat(file).catch(() => undefined)]);
    return there !== undefined && ours.ino === there.ino && ours.dev === there.dev;
  };
  return async (line: string, durable: boolean): Promise<void> => {
    if (handle && !(await same(handle))) {
      await handle.close();
      handle = undefined;
    }
    handle ??= await openLog(file);
    try {
      await handle.appendFile(torn ? `\n${line}` : line);
      if (durable) await handle.datasync();
      torn = false;
    } catch (error) {
      torn = true;
      throw error;
    }
  };
}

/**
 * An Audit in `file`, one JSON object a line. Each process writes a chain of its own (`chain`, `seq`): `hash` is the
 * SHA-256 of the line without it, `prev` the hash before it, so that an edited or removed line breaks the chain.
 */
export function createAudit(file: string, redact: Redact): Audit {
  const append = createLog(file);
  const chain = randomBytes(8).toString('hex');
  let seq = 0;
  let prev: string | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const put = async (entry: AuditEntry): Promise<void> => {
    prev ??= await lastHash(file);
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
    const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    await append(`${JSON.stringify({ ...body, hash })}\n`, entry.kind === 'intent');
    seq += 1;
    prev = hash;
  };
  return {
    write(entry) {
      const written = queue.then(() => put(entry));
      queue = written.catch(() => undefined);
      return written;
    },
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
