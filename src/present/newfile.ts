import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** `name` as a file's name of at most 60 characters that no shell trips over. */
const plainName = (name: string): string =>
  name
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .slice(0, 60)
    .replace(/^[-.]+|[-.]+$/g, '');

/**
 * A path in `dir` (0700 when it has to be made) where no file is. `name` (`terraform.tf`) is told apart by time and chance, so that nothing
 * is ever written over.
 */
async function newPath(dir: string, name: string): Promise<string> {
  const plain = plainName(name);
  const end = extname(plain);
  const start = plain.slice(0, plain.length - end.length).replace(/[-.]+$/, '');
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const chance = randomBytes(4).toString('hex');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return join(dir, `${start}-${stamp}-${chance}${end}`);
}

/**
 * Writes `text` into a new 0600 file in `dir` and gives its path. Of a file that cannot be written whole nothing stays;
 * rejects as node:fs does.
 */
export async function writeNewFile(dir: string, name: string, text: string): Promise<string> {
  const file = await newPath(dir, name);
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    await rm(file, { force: true }).catch(() => undefined);
    throw error;
  }
  return file;
}

/** The same in a folder that is ours: in another user's, that one could put another file in its place. */
export async function writeOwnFile(dir: string, name: string, text: string): Promise<string> {
  const file = await writeNewFile(dir, name, text);
  const [{ uid: us }, { uid }] = await Promise.all([stat(file), stat(dir)]);
  if (uid === us || uid === 0) return file;
  await rm(file, { force: true });
  throw new Error('the folder belongs to another user');
}

/** Opens a new 0600 file in `dir` to write and read; rejects as node:fs does. */
export async function openNewFile(
  dir: string,
  name: string,
): Promise<{ readonly file: string; readonly on: FileHandle }> {
  const file = await newPath(dir, name);
  return { file, on: await open(file, 'wx+', 0o600) };
}
