import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { Failure } from './failure.ts';
import { replaceFile } from './replacefile.ts';

/** Where questions and answers lie, and the key that seals them, which is elsewhere. */
export interface ApprovalPlace {
  readonly folder: string;
  readonly keyFile: string;
}

const questionShape = z.object({
  id: z.string().regex(/^[a-z2-9]{6}$/),
  tool: z.string(),
  /** What it is about, as the call names it. */
  about: z.string(),
  /** What a human reads. */
  message: z.string(),
  /** Digest of the ticket: tool, arguments, state, nonce. */
  ticket: z.string(),
  /** ms since 1970. */
  asked: z.number(),
  until: z.number(),
});
const answerShape = z.object({ question: z.string(), yes: z.boolean(), at: z.number() });
const sealedShape = z.object({ body: z.string(), mac: z.string().regex(/^[0-9a-f]{64}$/) });

export type WaitingQuestion = z.output<typeof questionShape>;

/** The operator's word, and when it was said. */
export type Verdict = Pick<z.output<typeof answerShape>, 'yes' | 'at'>;

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const KEY_BYTES = 32;
const LARGEST = 64 * 1024;
/** Nobody waits for what is this old. */
const LEFT_MS = 2 * 3600_000;

export const newApprovalId = (): string =>
  Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Questions that wait for an answer in a terminal, and the answers: files of this user alone, sealed with a key. */
export class Approvals {
  readonly #folder: string;
  readonly #key: Buffer;

  /** Makes folder and key where they are not there. `misconfigured` when others could get at them, or at `reachable`. */
  constructor({ folder, keyFile }: ApprovalPlace, reachable: readonly string[] = [], uid?: number) {
    for (const place of [folder, dirname(keyFile)]) refuseWithin(place, reachable);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
      refuseShared(folder, lstatSync(folder).isDirectory(), uid);
      this.#key = keyIn(keyFile);
      refuseShared(keyFile, lstatSync(keyFile).isFile(), uid);
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      const text = `Approving in a terminal does not work: ${cause instanceof Error ? cause.message : cause}.`;
      throw new Failure('misconfigured', text, `Make ${folder} and ${dirname(keyFile)} writable for this user.`, {
        cause,
      });
    }
    this.#folder = folder;
  }

  /** All that waits and was sealed by a server of ours; what was left behind is removed. */
  list(now = Date.now()): WaitingQuestion[] {
    const names = readdirSync(this.#folder).flatMap((name) => /^([a-z2-9]{6})\.question$/.exec(name)?.[1] ?? []);
    return names.flatMap((id) => {
      const question = this.#read(id, 'question', questionShape)?.value;
      if (question === undefined || question.id !== id) return [];
      if (question.until + LEFT_MS < now) this.remove(id);
      return question.until > now && this.#read(id, 'answer', answerShape) === undefined ? [question] : [];
    });
  }

  put(question: WaitingQuestion): void {
    this.#write(question.id, 'question', question);
  }

  /** Answers what was shown, and nothing else. */
  answer(question: WaitingQuestion, yes: boolean): void {
    this.#write(question.id, 'answer', { question: digestOf(question), yes, at: Date.now() });
  }

  /** The operator's word on this very question; anything else that lies there is none. */
  verdict(question: WaitingQuestion): Verdict | undefined {
    const found = this.#read(question.id, 'answer', answerShape)?.value;
    return found?.question === digestOf(question) ? found : undefined;
  }

  remove(id: string): void {
    for (const kind of ['question', 'answer']) rmSync(join(this.#folder, `${id}.${kind}`), { force: true });
  }

  #mac(kind: string, body: string): string {
    return createHmac('sha256', this.#key).update(`${kind}\n${body}`).digest('hex');
  }

  #write(id: string, kind: 'question' | 'answer', value: object): void {
    const body = JSON.stringify(value);
    replaceFile(join(this.#folder, `${id}.${kind}`), `${JSON.stringify({ body, mac: this.#mac(kind, body) })}\n`);
  }

  #read<T>(id: string, kind: 'question' | 'answer', shape: z.ZodType<T>): { readonly value: T } | undefined {
    try {
      const { body, mac } = sealedShape.parse(JSON.parse(contentOf(join(this.#folder, `${id}.${kind}`))));
      if (!timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(kind, body)))) return undefined;
      return { value: shape.parse(JSON.parse(body)) };
    } catch {
      return undefined;
    }
  }
}

const digestOf = (question: WaitingQuestion): string => sha256(JSON.stringify(questionShape.parse(question)));

function contentOf(file: string): string {
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(handle);
    if (!found.isFile() || found.size > LARGEST) throw new Error('no file of ours');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

/** The key in the file; where there is none it is made, by one of several processes that may try. */
function keyIn(file: string): Buffer {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) {
    const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
    try {
      writeFileSync(draft, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' });
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }
  const key = readFileSync(file);
  if (key.length !== KEY_BYTES) throw new Error(`${file} is not a key; remove it`);
  return key;
}

function refuseShared(path: string, rightKind: boolean, uid: number | undefined): void {
  const { mode, uid: owner } = lstatSync(path);
  if (rightKind && (mode & 0o077) === 0 && (uid === undefined || owner === uid)) return;
  throw new Failure(
    'misconfigured',
    `Approving in a terminal does not work: others could write ${path}.`,
    `It has to be yours alone: chmod go= ${path}`,
  );
}

/** Tools write below those folders, so that an answer that lies there might be theirs. */
function refuseWithin(place: string, reachable: readonly string[]): void {
  const within = reachable.find((folder) => !/^\.\.(\/|$)/.test(relative(real(folder), real(place))));
  if (within === undefined) return;
  throw new Failure(
    'misconfigured',
    `Approving in a terminal does not work: its files in ${place} would be within ${within}, which tools can write.`,
    'Set MCP_TRANSFER_DIR and MCP_OUTPUT_DIR to folders of their own.',
  );
}

/** Where the path leads, as far as there is anything. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(real(dirname(path)), relative(dirname(path), path));
  }
}
