import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../failure.ts';
import { beginHead, type HeadPlace, headPlace, updateHead } from '../log/head.ts';
import { sealed } from '../log/line.ts';
import { removeOlder } from '../log/retain.ts';
import type { Facts } from '../present/answer.ts';
import type { Redact } from '../present/redact.ts';
import type { Effect, Setup, Tool } from '../toolsets/tool.ts';
import type { Approved } from './admit.ts';
import { createLogFile } from './logfile.ts';
import { aboutOf, commandOf, noted, notedMessage, outputsOf, questionOf } from './noted.ts';

export type AuditKind = 'intent' | 'asked' | 'outcome';

/** What one line tells, beside the time, the order and the hashes. */
export interface AuditEntry {
  readonly kind: AuditKind;
  /** The same for all lines of one call. */
  readonly call: string;
  readonly tool: string;
  readonly effect: Effect;
  /** Name and version. */
  readonly client: string;
  /** Version of MCP that the client speaks. */
  readonly protocol?: string;
  readonly mode?: Setup['mode'];
  readonly input?: Record<string, unknown>;
  /** How it was let through. */
  readonly approved?: Approved;
  /** Of the question that was asked, and of the one that was answered. */
  readonly nonce?: string;
  /** `ok`, or the kind of the Failure. */
  readonly verdict?: string;
  readonly message?: string;
  /** What the tool answered with, or what a Failure tells besides. */
  readonly facts?: Facts;
  readonly durationMs?: number;
}

/** Append-only notes of what was asked for and what came of it. `write` rejects when the line was not written; an intent is on the disk when it resolves. */
export interface Audit {
  write(entry: AuditEntry): Promise<void>;
  /** Waits for what is being written and closes the file. */
  close(): Promise<void>;
}

export interface AuditOptions {
  readonly file: string;
  /** Where the key and the heads of audit files are kept. */
  readonly headFolder: string;
  readonly redact: Redact;
  /** The file is rotated before it grows beyond; unlimited. */
  readonly maxBytes?: number;
  /** Rotated files are removed when they are older; 0 keeps all. */
  readonly keepDays?: number;
}

/** What an entry says, in the words of a line. What is said of the call stands in its first line only. */
function told(entry: AuditEntry, redact: Redact): object {
  const { kind, call, tool, effect, client, protocol, mode, input, nonce, message, facts, ...rest } = entry;
  const first = input && {
    protocol,
    mode,
    about: aboutOf(input, redact),
    command: commandOf(input, redact),
    input: noted(input, redact),
  };
  return {
    ...{ kind, call, tool, effect, client },
    ...rest,
    ...(nonce && { question: questionOf(nonce) }),
    ...first,
    ...(typeof facts?.exit_code === 'number' && { exitCode: facts.exit_code }),
    ...(facts && { output: outputsOf(facts, redact) }),
    ...(message && { message: notedMessage(message, redact) }),
  };
}

/** The head follows what was written within this time, and never waits for a call nor a call for it. */
const HEAD_MS = 500;
/** How often it is looked for files that are too old. */
const LOOK_EVERY_MS = 3600_000;

/**
 * An Audit in `file`, one JSON object a line, whose form src/log/line.ts describes. Each process writes a chain of its
 * own; how far it goes is noted in the head in the background, when it is on the disk.
 */
export function createAudit({ file, headFolder, redact, maxBytes, keepDays = 0 }: AuditOptions): Audit {
  const log = createLogFile(file, maxBytes);
  const chain = randomBytes(8).toString('hex');
  let last = { seq: 0, hash: 'start' };
  let head: { readonly place: HeadPlace; readonly key: Buffer } | undefined;

  const put = (entry: AuditEntry): void => {
    head ??= begun(file, headFolder);
    const { key } = head;
    const seq = last.seq + 1;
    let hash = '';
    log.append((at) => {
      const body = { time: new Date().toISOString(), chain, seq, at, ...told(entry, redact), prev: last.hash };
      const whole = sealed(body, key);
      hash = whole.hash;
      return `${whole.line}\n`;
    });
    last = { seq, hash };
  };

  let flushed = 0;
  let lookedAt = 0;
  const flush = async (): Promise<void> => {
    const { seq, hash } = last;
    if (!head || seq === flushed) return;
    await log.sync('all');
    await updateHead(head.place, head.key, ({ chains }) => {
      const known = chains[chain];
      const gone = known ? known.gone : flushed || undefined;
      chains[chain] = { seq, hash, gone };
    });
    flushed = seq;
    if (keepDays > 0 && Date.now() - lookedAt > LOOK_EVERY_MS) {
      lookedAt = Date.now();
      await removeOlder(head.place, head.key, keepDays, lookedAt);
    }
  };
  const headed = inBackground(flush, HEAD_MS);
  return {
    async write(entry) {
      put(entry);
      headed.soon();
      if (entry.kind === 'intent') await log.sync();
    },
    async close() {
      await headed.now();
      await log.close();
    },
  };
}

/** The head of this audit file and its key, made where there are none. */
function begun(file: string, folder: string): { readonly place: HeadPlace; readonly key: Buffer } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const place = headPlace(folder, file);
  return { place, key: beginHead(place) };
}

/** Does `work` some time after each call of `soon`, once for all that come until then; what fails is tried again at the next. */
function inBackground(work: () => Promise<void>, ms: number): { soon(): void; now(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const now = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    running = running.then(work).catch(() => undefined);
    return running;
  };
  const soon = (): void => {
    timer ??= setTimeout(now, ms).unref();
  };
  return { soon, now };
}

/** The refusal of a call whose intent could not be noted. */
export const unaudited = (tool: Tool, file: string, cause: unknown): Failure =>
  new Failure(
    'refused',
    `The audit file ${file} cannot be written (${cause instanceof Error ? cause.message : String(cause)}), so ${tool.name} was not run.`,
    'Make room on the disk or set MCP_AUDIT_FILE to a place that can be written.',
    { cause },
  );
