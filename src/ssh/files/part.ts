import { constants } from 'node:fs';
import { type FileHandle, link, lstat, readdir, rename, rm, unlink } from 'node:fs/promises';
import { openRegular } from './content.ts';
import { codeOf, type LocalFolder, OURS } from './local.ts';

const GATHERED = 1024 * 1024;
const ABANDONED_MS = 60_000;

/**
 * What of a download is there. It is ours alone by its name, `.psm-KEY.TOKEN.busy`, while it is written, and
 * `.psm-KEY.part` when it was cut; renaming is how it is claimed. One that nobody has written to for a minute is
 * nobody's.
 */
export class Part {
  #gathered: Buffer[] = [];
  #bytes = 0;
  #at: number;

  private constructor(
    private readonly folder: LocalFolder,
    private readonly key: string,
    private readonly name: string,
    readonly file: FileHandle,
    size: number,
  ) {
    this.#at = size;
  }

  /** Claims what is there, else begins anew. `key` and `token` are words. */
  static async claim(folder: LocalFolder, key: string, token: string): Promise<Part> {
    const name = `${OURS}${key}.${token}.busy`;
    const names = await readdir(folder.at('.'));
    for (const one of names.filter((each) => each.startsWith(`${OURS}${key}.`))) {
      const found = await lstat(folder.at(one)).catch(() => undefined);
      const free = one.endsWith('.part') || (found && Date.now() - found.mtimeMs > ABANDONED_MS);
      if (!found?.isFile() || found.nlink > 1 || !free) continue;
      const ours = await rename(folder.at(one), folder.at(name)).then(
        () => true,
        () => false,
      );
      if (!ours) continue;
      const file = await openRegular(folder.at(name), constants.O_RDWR);
      return new Part(folder, key, name, file, (await file.stat()).size);
    }
    const file = await openRegular(folder.at(name), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
    return new Part(folder, key, name, file, 0);
  }

  /** How many bytes there are of it, those included that are still to be written. */
  get size(): number {
    return this.#at + this.#bytes;
  }

  async startAnew(): Promise<void> {
    await this.file.truncate(0);
    this.#at = 0;
  }

  /** Takes a piece. They are written a MiB at a time: waiting for the disk at each one costs half of the speed. */
  readonly take = (piece: Buffer): Promise<void> | undefined => {
    this.#gathered.push(piece);
    this.#bytes += piece.length;
    return this.#bytes < GATHERED ? undefined : this.flush();
  };

  async flush(): Promise<void> {
    const pieces = this.#gathered;
    const bytes = this.#bytes;
    this.#gathered = [];
    this.#bytes = 0;
    if (bytes === 0) return;
    const { bytesWritten } = await this.file.writev(pieces, this.#at);
    this.#at += bytesWritten;
    // A disk that fills up takes a part, and says why only when it is given the rest.
    if (bytesWritten < bytes) await this.#writeRest(Buffer.concat(pieces).subarray(bytesWritten));
  }

  async #writeRest(rest: Buffer): Promise<void> {
    for (let done = 0; done < rest.length; ) {
      const { bytesWritten } = await this.file.write(rest, done, rest.length - done, this.#at);
      done += bytesWritten;
      this.#at += bytesWritten;
    }
  }

  /** Gives it its final name in one step; rejects with EEXIST when there is a file already that may not be replaced. */
  async publish(name: string, overwrite: boolean): Promise<void> {
    const [from, to] = [this.folder.at(this.name), this.folder.at(name)];
    if (overwrite) return rename(from, to);
    await link(from, to).catch(async (error: unknown) => {
      if (codeOf(error) === 'EEXIST') throw error;
      // A file system without links.
      await this.folder.refuseExisting(name);
      await rename(from, to);
    });
    await unlink(from).catch(() => undefined);
  }

  /** Lets go of what was not published: `keep` leaves it for the next time. */
  async release(keep: boolean): Promise<void> {
    if (keep) await this.flush().catch(() => undefined);
    await this.file.close();
    const busy = this.folder.at(this.name);
    if (keep && this.#at > 0) await rename(busy, this.folder.at(`${OURS}${this.key}.part`)).catch(() => undefined);
    else await rm(busy, { force: true });
  }
}
