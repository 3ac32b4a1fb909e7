import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNewFile } from './newfile.ts';

const KEEP_MS = 7 * 24 * 3600 * 1000;
/** What all outputs together may take. */
export const MOST_BYTES = 4 * 1024 ** 3;

/** Keeps a text that is too long for an answer and gives its path; undefined when it cannot be kept. */
export type SaveOutput = (text: string) => Promise<string | undefined>;

export interface Room {
  /** What outputs may take; 4 GiB. */
  readonly most?: number;
  /** Bytes that are about to be written. */
  readonly needed?: number;
  /** Files that are being written: they stay. */
  readonly busy?: ReadonlySet<string>;
}

/**
 * Removes the outputs in `dir` that are older than seven days, then the oldest others until what is needed fits. Says
 * whether it does.
 */
export async function makeRoom(
  dir: string,
  { most = MOST_BYTES, needed = 0, busy = new Set() }: Room = {},
): Promise<boolean> {
  const names = (await readdir(dir)).filter((name) => name.startsWith('output-'));
  const found = await Promise.all(names.map((name) => seen(join(dir, name))));
  const files = found.filter((one) => one !== undefined).sort((a, b) => a.at - b.at);
  let taken = files.reduce((sum, { bytes }) => sum + bytes, needed);
  for (const { file, bytes, at } of files) {
    if (busy.has(file) || (taken <= most && Date.now() - at <= KEEP_MS)) continue;
    await rm(file, { force: true });
    taken -= bytes;
  }
  return taken <= most;
}

/** Another process may just have removed it. */
const seen = (file: string) =>
  stat(file).then(
    ({ size, mtimeMs }) => ({ file, bytes: size, at: mtimeMs }),
    () => undefined,
  );

/** A SaveOutput into `dir`, one new file each. `busy`: files there that are being written. */
export const saveInto =
  (dir: string, busy: ReadonlySet<string> = new Set()): SaveOutput =>
  async (text) => {
    const file = await writeNewFile(dir, 'output.txt', text).catch(() => undefined);
    if (file) await makeRoom(dir, { busy: new Set([...busy, file]) }).catch(() => undefined);
    return file;
  };
