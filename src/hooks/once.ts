import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What was told so long ago is told again. */
const FORGET_MS = 30 * 86_400_000;

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

/**
 * What was told of a host and still holds, so that it is not told again at each call, by whatever process. An empty file
 * for each; where the disk takes none, it is remembered by this process alone.
 */
export class Once {
  readonly #memory = new Set<string>();

  constructor(private readonly folder: string) {}

  /** Whether this is the first time that it holds since `over`. */
  async first(host: string, what: string): Promise<boolean> {
    const name = `${short(host)}-${short(what)}`;
    if (this.#memory.has(name)) return false;
    const file = join(this.folder, name);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
      const before = await stat(file).catch(() => undefined);
      if (before && Date.now() - before.mtimeMs > FORGET_MS) await rm(file, { force: true });
      await writeFile(file, '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      this.#memory.add(name);
    }
    return true;
  }

  /** Nothing holds of the host any more. Gives since when `what` did, in ms since 1970; for one process alone. */
  async over(host: string, what: string): Promise<number | undefined> {
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => name.startsWith(`${short(host)}-`));
    let since: number | undefined;
    for (const name of new Set([...names, ...this.#memory])) {
      if (!name.startsWith(`${short(host)}-`)) continue;
      const at = await this.#taken(name);
      if (name.endsWith(`-${short(what)}`)) since = at;
    }
    return since;
  }

  async #taken(name: string): Promise<number | undefined> {
    const remembered = this.#memory.delete(name);
    try {
      const { mtimeMs } = await stat(join(this.folder, name));
      // Of several processes one alone can do this; with `rm` they all could.
      await unlink(join(this.folder, name));
      return mtimeMs;
    } catch {
      return remembered ? Date.now() : undefined;
    }
  }
}
