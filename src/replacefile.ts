import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from './failure.ts';

const LONGEST_CHAIN = 40;
/** A draft lives for milliseconds, so one this old was left behind by a process that was killed. */
const LEFT_MS = 10_000;

/**
 * Gives the file a new text, all or nothing: whatever happens in between, it holds the old text or the new one. Mode and
 * owner stay, and a symbolic link goes on pointing where it did; a file that was not there gets `mode`, its folder 0700.
 * `misconfigured` when it cannot be written, or is read-only.
 */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  try {
    const target = behindLinks(file);
    const before = statSync(target, { throwIfNoEntry: false });
    if (before && (before.mode & 0o200) === 0) throw new Error('it is read-only');
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    removeDraftsOf(target, LEFT_MS);
    const draft = `${target}.${randomBytes(6).toString('hex')}.new`;
    try {
      write(draft, text, before ?? { mode });
      renameSync(draft, target);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
    syncFolder(dirname(target));
  } catch (cause) {
    const text = `${file} could not be written: ${cause instanceof Error ? cause.message : cause}.`;
    const full = /^(ENOSPC|EDQUOT|EFBIG)$/.test((cause as NodeJS.ErrnoException).code ?? '');
    const cure = full ? 'Make room on its disk.' : 'Make it and its folder writable for this user.';
    throw new Failure('misconfigured', text, `It is as it was. ${cure}`, { cause });
  }
}

/** Removes what processes that were killed while they replaced the file, or a copy beside it, have left. */
export function removeDrafts(file: string): void {
  for (const one of new Set([file, behindLinks(file)])) removeDraftsOf(one, 0);
}

function removeDraftsOf(target: string, age: number): void {
  try {
    const folder = dirname(target);
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(`${basename(target)}.`) || !/\.[0-9a-f]{12}\.new$/.test(name)) continue;
      const draft = join(folder, name);
      if (Date.now() - statSync(draft).mtimeMs >= age) rmSync(draft, { force: true });
    }
  } catch {
    // They harm nobody, and what is to be done goes without them.
  }
}

/** Where the links end; the last one may point to what is not there yet. */
function behindLinks(file: string): string {
  let path = file;
  for (let i = 0; i < LONGEST_CHAIN; i++) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return path;
    path = resolve(dirname(path), readlinkSync(path));
  }
  throw new Error('its symbolic links go in a circle');
}

function write(draft: string, text: string, like: { mode: number; uid?: number; gid?: number }): void {
  const handle = openSync(draft, 'wx', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done, bytes.length - done, done);
    fchmodSync(handle, like.mode & 0o7777);
    const own = statSync(draft);
    if (like.uid !== undefined && like.gid !== undefined && (own.uid !== like.uid || own.gid !== like.gid)) {
      fchownSync(handle, like.uid, like.gid);
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A rename is on the disk when its folder is. Where that cannot be had the file is replaced all the same. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch {
    // Not every file system does this for a folder.
  }
}
