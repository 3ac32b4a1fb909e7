import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '../failure.ts';

const LONGEST_CHAIN = 40;

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
    throw new Failure('misconfigured', text, 'It is as it was. Make it and its folder writable for this user.', {
      cause,
    });
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
    for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
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

/** A rename is on the disk when its folder is. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
