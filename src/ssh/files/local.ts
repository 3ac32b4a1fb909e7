import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { Failure } from '../../failure.ts';

/** Names of ours in a folder: what is on its way. */
export const OURS = '.psm-';

/** A path inside the transfer folder, as its folders and its name. */
export interface LocalPath {
  readonly folders: readonly string[];
  readonly name: string;
}

/** `path`, relative to `root` or absolute below it; `invalid-input` when it leads elsewhere or is no file's name. */
export function localPath(root: string, path: string): LocalPath {
  const own = isAbsolute(path) ? relative(root, path) : path;
  const parts = own.split(sep).filter((part) => part !== '' && part !== '.');
  const name = parts.at(-1);
  const bad = parts.some((part) => part === '..' || part.includes('\0') || part.startsWith(OURS));
  if (name !== undefined && !bad && !path.endsWith(sep) && !isAbsolute(own))
    return { folders: parts.slice(0, -1), name };
  throw new Failure(
    'invalid-input',
    `"${path.slice(0, 200)}" is no file in the transfer folder.`,
    `Give a path inside ${root}, relative or whole; the operator can set another folder by MCP_TRANSFER_DIR.`,
  );
}

/** A folder that is held open: what is done in it is done there, wherever its path leads by then. */
export class LocalFolder {
  readonly #handle: FileHandle;
  readonly #base: string;

  private constructor(handle: FileHandle, base: string) {
    this.#handle = handle;
    this.#base = base;
  }

  /**
   * Opens a folder below `root` one component after the other, following no link; `make` makes what is missing, for the
   * operator only. Where the system has no /proc/self/fd, each component is looked at and then used by its path.
   */
  static async open(root: string, folders: readonly string[], make: boolean): Promise<LocalFolder> {
    if (make) await mkdir(root, { recursive: true, mode: 0o700 });
    let folder = await LocalFolder.#at(await realpath(root));
    for (const name of folders) {
      const outer = folder;
      try {
        if (make) await mkdir(outer.at(name), { mode: 0o700 }).catch(unlessThere);
        folder = await LocalFolder.#at(outer.at(name), join(outer.#base, name));
      } finally {
        await outer.close();
      }
    }
    return folder;
  }

  static async #at(path: string, known = path): Promise<LocalFolder> {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const descriptor = `/proc/self/fd/${handle.fd}`;
    const [own, seen] = [await handle.stat(), await stat(`${descriptor}/.`).catch(() => undefined)];
    return new LocalFolder(handle, seen && sameFile(own, seen) ? descriptor : known);
  }

  /** The path by which a name in it is to be used while the folder is open. */
  at(name: string): string {
    return join(this.#base, name);
  }

  /** Rejects with EEXIST when it has something of that name. */
  async refuseExisting(name: string): Promise<void> {
    const there = await lstat(this.at(name)).catch(() => undefined);
    if (there) throw Object.assign(new Error(`${name} exists`), { code: 'EEXIST' });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const sameFile = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev;

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

function unlessThere(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}

/** Why it could not be done with a file of the transfer folder, by the code of the error. */
const tellings = (path: string): Readonly<Record<string, readonly [Failure['kind'], string, string]>> => {
  const link = ['invalid-input', `${path} goes by a link, or by a file.`, 'Links in it are not followed.'] as const;
  const full = [
    'misconfigured',
    `There is no room for ${path}.`,
    'Make room, or set another MCP_TRANSFER_DIR.',
  ] as const;
  const barred = ['misconfigured', `${path} may not be read or written.`, 'Correct its mode or owner.'] as const;
  return {
    ENOENT: ['not-found', `There is no file ${path}.`, 'Only what is in that folder (MCP_TRANSFER_DIR) can be sent.'],
    EEXIST: ['conflict', `${path} is there already.`, 'Choose another name, or set overwrite.'],
    EISDIR: ['invalid-input', `${path} is no regular file.`, 'One file can be sent or received at a time.'],
    ELOOP: link,
    ENOTDIR: link,
    ENOSPC: full,
    EDQUOT: full,
    EFBIG: full,
    EACCES: barred,
    EPERM: barred,
    EROFS: barred,
  };
};

/** What went wrong with the file of that path on this machine, with its cure; any other error as it is. */
export function localFailure(error: unknown, path: string): unknown {
  const telling = tellings(path)[codeOf(error) ?? ''];
  return telling ? new Failure(...telling, { cause: error }) : error;
}
