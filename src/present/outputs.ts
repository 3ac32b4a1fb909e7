import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNewFile } from './newfile.ts';

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

/** A SaveOutput into `dir`, one new file each; those older than seven days are removed. */
export const saveInto =
  (dir: string): SaveOutput =>
  async (text) => {
    const file = await writeNewFile(dir, 'output.txt', text).catch(() => undefined);
    if (file) await dropOld(dir).catch(() => undefined);
    return file;
  };
