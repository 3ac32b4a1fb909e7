import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const KEEP_MS = 7 * 24 * 3600 * 1000;

/** Keeps a text that is too long for an answer and gives its path; undefined when it cannot be kept. */
export type SaveOutput = (text: string) => Promise<string | undefined>;

async function dropOld(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const file = join(dir, name);
    const age = Date.now() - (await stat(file)).mtimeMs;
    if (name.startsWith('output-') && age > KEEP_MS) await rm(file, { force: true });
  }
}

/** A SaveOutput into `dir` (made 0700), one new 0600 file each; those older than seven days are removed. */
export const saveInto =
  (dir: string): SaveOutput =>
  async (text) => {
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
    const file = join(dir, `output-${stamp}-${randomBytes(4).toString('hex')}.txt`);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await writeFile(file, text, { mode: 0o600, flag: 'wx' });
      await dropOld(dir).catch(() => undefined);
      return file;
    } catch {
      // Half a text on a disk that is full helps nobody.
      await rm(file, { force: true }).catch(() => undefined);
      return undefined;
    }
  };
