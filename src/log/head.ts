import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { locked } from '../lock.ts';
import { removeDrafts } from '../replacefile.ts';
import { rotatedOf } from './files.ts';
import { sealed, sealOf, sha256 } from './line.ts';

const chainShape = z.object({
  /** Of the last line that is known to be on the disk, and its hash. */
  seq: z.number(),
  hash: z.string(),
  /** Lines up to this one were removed because of their age. */
  gone: z.number().optional(),
});

const shape = z.looseObject({
  /** The audit file that it is of. */
  audit: z.string(),
  /** Set where there were lines already when it was begun: when that was. */
  late: z.string().optional(),
  chains: z.record(z.string(), chainShape),
});

/** How far each chain of an audit file goes, kept apart from that file. */
export type Head = z.infer<typeof shape>;

const KEY_BYTES = 32;

/** Where the head of an audit file is, and the key of all of them. */
export interface HeadPlace {
  readonly audit: string;
  readonly file: string;
  readonly keyFile: string;
}

/** The place in `folder` for this audit file; the folder of the audit file may be a link. */
export function headPlace(folder: string, auditFile: string): HeadPlace {
  const audit = join(real(dirname(auditFile)), basename(auditFile));
  return { audit, file: join(folder, `${sha256(audit).slice(0, 16)}.json`), keyFile: join(folder, 'key') };
}

function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The key, made with the head where there was none: both are there before the first line is. Throws as node:fs does. */
export function beginHead(place: HeadPlace): Buffer {
  createOnce(place.keyFile, () => randomBytes(KEY_BYTES));
  const key = readKey(place);
  if (key === undefined) throw new Error(`${place.keyFile} is not a key`);
  createOnce(place.file, () => Buffer.from(textOf(newHead(place), key)));
  return key;
}

/** The key, or undefined where there is none that could be one. */
export function readKey({ keyFile }: HeadPlace): Buffer | undefined {
  const key = contentOf(keyFile);
  return key?.length === KEY_BYTES ? key : undefined;
}

/** The head as it is in its file; undefined when there is none, `untrusted` when it was not sealed with this key. */
export function readHead({ file }: HeadPlace, key: Buffer): Head | undefined {
  const bytes = contentOf(file);
  if (bytes === undefined) return undefined;
  const seal = sealOf(bytes, key);
  if (seal && seal.wrong === undefined) return shape.parse(JSON.parse(bytes.toString('utf8')));
  throw new Failure(
    'untrusted',
    `${file} was not written by this program, or was changed since.`,
    'Find out who wrote to it. When you know, move it away together with the audit files: new ones are begun.',
  );
}

/** Changes the head, all or nothing, and waits until that is on the disk. Rejects as `readHead` and node:fs do. */
export const updateHead = (place: HeadPlace, key: Buffer, change: (head: Head) => void): Promise<void> =>
  locked(place.file, async () => {
    const head = readHead(place, key) ?? newHead(place);
    change(head);
    removeDrafts(place.file);
    await replace(place.file, textOf(head, key));
  });

const textOf = (head: Head, key: Buffer): string => sealed(head, key).line;

const hasLines = (file: string): boolean => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;

function newHead({ audit }: HeadPlace): Head {
  const late = hasLines(audit) || rotatedOf(audit).length > 0 ? { late: new Date().toISOString() } : {};
  return { audit, ...late, chains: {} };
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of several processes that do this at once, one makes the file; what it holds is whole for all of them. */
function createOnce(file: string, content: () => Buffer): void {
  if (statSync(file, { throwIfNoEntry: false })) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const handle = openSync(draft, 'wx', 0o600);
    try {
      writeSync(handle, content());
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}
