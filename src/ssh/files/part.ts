import { constants } from 'node:fs';
import { type FileHandle, link, lstat, readdir, rename, rm, unlink } from 'node:fs/promises';
import { openRegular } from './content.ts';
import { codeOf, type LocalFolder, OURS } from './local.ts';

const GATHERED = 1024 * 1024;
const ABANDONED_MS = 120_000;

/**
 * What of a download is there. It is ours alone by its name, `.psm-KEY.TOKEN.busy`, while it is written, and
 * `.psm-KEY.part` when it was cut; renaming is how it is claimed. One that nobody has written to for two minutes
 * is nobody's.
 */
export class Part {
  #gathered: Buffer[] = [];
  #bytes = 0;
  #end: number;
  #written: Promise<void> = Promise.resolve();

  private constructor(
    private readonly folder: LocalFolder,
    private readonly key: string,
    private readonly name: string,
    readonly file: FileHandle,
    size: number,
  ) {
    this.#end = size;
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
    return this.#end + this.#bytes;
  }

  async startAnew(): Promise<void> {
    await this.flush();
    await this.file.truncate(0);
    this.#end = 0;
  }

  /** Takes a piece. They are written a MiB at a time: waiting for the disk at each one costs half of the speed. */
  readonly take = (piece: Buffer): Promise<void> | undefined => {
    this.#gathered.push(piece);
    this.#bytes += piece.length;
    return this.#bytes < GATHERED ? undefined : this.flush();
  };

  /** Writes what was taken so far, after what is being written. */
  flush(): Promise<void> {
    const pieces = this.#gathered;
    const at = this.#end;
    this.#end += this.#bytes;
    this.#gathered = [];
    this.#bytes = 0;
    if (pieces.length > 0) this.#written = this.#written.then(() => writeAll(this.file, pieces, at));
    return this.#written;
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
    const whole = await this.flush().then(
      () => true,
      () => false,
    );
    await this.file.close();
    const busy = this.folder.at(this.name);
    if (!keep || !whole || this.#end === 0) return rm(busy, { force: true });
    await rename(busy, this.folder.at(`${OURS}${this.key}.part`)).catch(() => undefined);
  }
}

async function writeAll(file: FileHandle, pieces: readonly Buffer[], at: number): Promise<void> {
  const { bytesWritten } = await file.writev(pieces, at);
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytesWritten === bytes) return;
  // A disk that fills up takes a part, and says why only when it is given the rest.
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) {
    done += (await file.write(rest, done, rest.length - done, at + bytesWritten + done)).bytesWritten;
  }
}
