import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';

const text = z.string().optional();
const number = z.number().optional();

/**
 * What one line of an audit file says. Each process writes a chain of its own (`chain`, `seq` from 1 on). `at` is the
 * size of the file when the line was written, so that it never stands before that byte; `prev` is the hash of the line
 * before it in its chain, or `start`.
 */
const shape = z.looseObject({
  time: z.string(),
  chain: z.string(),
  seq: z.number().int().min(1),
  at: z.number(),
  kind: z.enum(['intent', 'asked', 'outcome']),
  /** The same for all lines of one call. */
  call: z.string(),
  tool: z.string(),
  effect: z.string(),
  client: z.string(),
  protocol: text,
  mode: text,
  approved: text,
  /** The same for a question and for the call that its answer came with. */
  question: text,
  about: text,
  input: z.record(z.string(), z.unknown()).optional(),
  command: z.record(z.string(), z.string()).optional(),
  output: z.record(z.string(), z.object({ bytes: z.number(), sha256: text })).optional(),
  exitCode: number,
  verdict: text,
  message: text,
  durationMs: number,
  prev: z.string(),
});

export type AuditLine = z.infer<typeof shape>;

/** SHA-256 in hex. */
export const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

const macOf = (hash: string, key: Buffer): string => createHmac('sha256', key).update(hash).digest('hex');

/** `body` as a line without its end: `hash` is the SHA-256 of all before it, `mac` the HMAC-SHA256 of `hash`. */
export function sealed(body: object, key: Buffer): { readonly line: string; readonly hash: string } {
  const text = JSON.stringify(body);
  const hash = sha256(text);
  return { line: `${text.slice(0, -1)},"hash":"${hash}","mac":"${macOf(hash, key)}"}`, hash };
}

const SEAL = /^,"hash":"([0-9a-f]{64})","mac":"([0-9a-f]{64})"}$/;
const SEAL_LENGTH = ',"hash":"","mac":""}'.length + 128;

/** What is wrong with the seal of a line: `hash` when it is not of this text, `mac` when it was not made with this key. */
export interface Seal {
  readonly hash: string;
  readonly wrong?: 'hash' | 'mac';
}

/** The seal of a line of bytes; undefined when it has none. Without a key only its hash is looked at. */
export function sealOf(line: Buffer, key: Buffer | undefined): Seal | undefined {
  const from = line.length - SEAL_LENGTH;
  const [, hash, mac] = SEAL.exec(line.toString('latin1', Math.max(0, from))) ?? [];
  if (hash === undefined || mac === undefined || from <= 0) return undefined;
  const own = createHash('sha256').update(line.subarray(0, from)).update('}').digest('hex');
  if (own !== hash) return { hash, wrong: 'hash' };
  return key !== undefined && mac !== macOf(hash, key) ? { hash, wrong: 'mac' } : { hash };
}

/** What a line says; undefined when it is not one of an audit. */
export function parseLine(line: Buffer): AuditLine | undefined {
  try {
    return shape.safeParse(JSON.parse(line.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
