import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';

/** The holder shows that it lives once a second; one that has not for this long was killed. */
const BEAT_MS = 1_000;
const DEAD_MS = 5_000;

/**
 * Runs `work` while no other process does so for this file; false when another one does. Without a disk that takes the
 * file it is run all the same: to do a thing twice is better than not to do it.
 */
export async function claimed(file: string, work: () => Promise<void>): Promise<boolean> {
  const mark = randomBytes(8).toString('hex');
  if (!(await take(file, mark))) return false;
  const beat = setInterval(() => {
    const now = new Date();
    void utimes(file, now, now).catch(() => undefined);
  }, BEAT_MS).unref();
  try {
    await work();
    return true;
  } finally {
    clearInterval(beat);
    const ours = (await readFile(file, 'utf8').catch(() => '')) === mark;
    if (ours) await rm(file, { force: true }).catch(() => undefined);
  }
}

async function take(file: string, mark: string): Promise<boolean> {
  try {
    await writeFile(file, mark, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (taken) await removeDead(file, mark);
    // A full disk may have taken its name, and nothing of what is in it.
    else await rm(file, { force: true }).catch(() => undefined);
    return !taken;
  }
}

/** Moved away first: of several processes that find it dead, one alone can move it. */
async function removeDead(file: string, mark: string): Promise<void> {
  try {
    if (Date.now() - (await stat(file)).mtimeMs < DEAD_MS) return;
    await rename(file, `${file}.${mark}`);
    await rm(`${file}.${mark}`, { force: true });
  } catch {
    // Another one was faster.
  }
}
