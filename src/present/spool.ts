import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { openNewFile } from './newfile.ts';
import { MOST_BYTES, makeRoom } from './outputs.ts';
import type { Redaction } from './redact.ts';
import { Scrub } from './scrub.ts';

export interface SpoolLimits {
  /** Of one command, both streams together; 1 GiB. */
  readonly mostPerCommand?: number;
  /** Of all outputs in the folder; 4 GiB. */
  readonly mostInFolder?: number;
  /** After so long a disk that takes nothing is given up; 10 s. */
  readonly patienceMs?: number;
}

/** Bytes that may wait for the disk before the stream is held. */
const QUEUE_BYTES = 1024 * 1024;
/** How much is written between two looks at what the folder holds. */
const LOOK_EVERY = 64 * 1024 * 1024;

interface Folder {
  readonly dir: string;
  readonly limits: Required<SpoolLimits>;
  /** Files that are being written. */
  readonly busy: Set<string>;
}

/** Where outputs go that memory does not keep: new files in `dir`, without the secrets that `redaction` holds. */
export function keepOutputsIn(dir: string, redaction: Pick<Redaction, 'words'>, limits: SpoolLimits = {}) {
  const all = { mostPerCommand: 1024 ** 3, mostInFolder: MOST_BYTES, patienceMs: 10_000, ...limits };
  const folder: Folder = { dir, limits: all, busy: new Set() };
  return {
    /** Files that are being written. */
    busy: folder.busy as ReadonlySet<string>,
    scrub: () => new Scrub(redaction),
    files() {
      const allowance = { left: all.mostPerCommand };
      return {
        spool: (scrubbed: boolean) => new Spool(folder, allowance, scrubbed ? undefined : new Scrub(redaction)),
      };
    },
  };
}

/** One stream of a command in a file. Whatever befalls the file, the stream goes on. */
class Spool {
  file: string | undefined;
  lacks: string | undefined;
  sha256: string | undefined;
  readonly #hash = createHash('sha256');
  readonly #folder: Folder;
  readonly #allowance: { left: number };
  readonly #scrub: Scrub | undefined;
  #on: FileHandle | undefined;
  #queue: Buffer[] = [];
  #queued = 0;
  #written = 0;
  #looked = 0;
  #over = false;
  #accepted = 0;
  #writing: Promise<void> | undefined;
  /** The write that is under way. */
  #batch: Promise<unknown> | undefined;

  constructor(folder: Folder, allowance: { left: number }, scrub?: Scrub) {
    this.#folder = folder;
    this.#allowance = allowance;
    this.#scrub = scrub;
  }

  write(piece: Buffer): Promise<void> | undefined {
    if (this.#over || this.lacks !== undefined) return undefined;
    this.#add(this.#scrub?.push(piece) ?? piece);
    return this.#queued > QUEUE_BYTES ? this.#writing : undefined;
  }

  async read(from: number, length: number): Promise<Buffer> {
    while (from >= this.#written && this.#queued > 0) await this.#batch;
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.#written - from)));
    if (!this.file || bytes.length === 0) return Buffer.alloc(0);
    const on = await open(this.file, 'r').catch(() => undefined);
    const got = await on?.read(bytes, 0, bytes.length, from).catch(() => undefined);
    await on?.close();
    return bytes.subarray(0, got?.bytesRead ?? 0);
  }

  async end(): Promise<void> {
    if (this.#over) return;
    if (this.lacks === undefined && this.#scrub) this.#add(this.#scrub.end());
    this.#over = true;
    await this.#writing;
    await this.#on?.close().catch(() => undefined);
    if (!this.file) return;
    this.sha256 = this.#hash.digest('hex');
    this.#folder.busy.delete(this.file);
  }

  #add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const room = Math.min(bytes.length, this.#allowance.left);
    this.#allowance.left -= room;
    this.#accepted += room;
    if (room > 0) {
      this.#queue.push(bytes.subarray(0, room));
      this.#queued += room;
      this.#writing ??= this.#drain();
    }
    if (room < bytes.length) this.lacks = afterFirst(this.#accepted);
  }

  /** Writes what waits, as long as something does. */
  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const bytes = this.#queued;
        const stored = inTime(this.#store(this.#queue.splice(0)), this.#folder.limits.patienceMs);
        this.#batch = stored.catch(() => undefined);
        await stored;
        this.#written += bytes;
        this.#queued -= bytes;
      }
    } catch (error) {
      await this.#giveUp(error);
    }
    this.#writing = undefined;
  }

  /** A full disk is not left full by us; a full folder keeps what it has. */
  async #giveUp(error: unknown): Promise<void> {
    this.#queue = [];
    this.#queued = 0;
    if (error instanceof FolderFull && this.#written > 0) {
      this.lacks = `${afterFirst(this.#written)} (${error.message})`;
      return;
    }
    this.lacks = `it could not be kept: ${error instanceof Error ? error.message : error}`;
    this.#written = 0;
    if (this.file) await rm(this.file, { force: true }).catch(() => undefined);
    this.file = undefined;
  }

  async #store(pieces: readonly Buffer[]): Promise<void> {
    const { dir, limits, busy } = this.#folder;
    this.#on ??= await this.#opened();
    if (this.#written === 0 || this.#written - this.#looked > LOOK_EVERY) {
      this.#looked = this.#written;
      const fits = await makeRoom(dir, { most: limits.mostInFolder, needed: LOOK_EVERY, busy });
      if (!fits) throw new FolderFull(`outputs may take ${mib(limits.mostInFolder)} together`);
    }
    await writeAll(this.#on, pieces);
    for (const piece of pieces) this.#hash.update(piece);
  }

  async #opened(): Promise<FileHandle> {
    const { file, on } = await openNewFile(this.#folder.dir, 'output.txt');
    this.file = file;
    this.#folder.busy.add(file);
    return on;
  }
}

/** Without making one buffer of them: a gibibyte of copies would wait for the garbage collector. */
async function writeAll(on: FileHandle, pieces: readonly Buffer[]): Promise<void> {
  let rest = pieces;
  while (rest.length > 0) {
    const { bytesWritten } = await on.writev(rest);
    rest = after(bytesWritten, rest);
  }
}

/** What is left of `pieces` without their first bytes. */
function after(bytes: number, pieces: readonly Buffer[]): readonly Buffer[] {
  let gone = bytes;
  return pieces.flatMap((piece) => {
    const left = piece.subarray(gone);
    gone -= piece.length - left.length;
    return left.length > 0 ? [left] : [];
  });
}

class FolderFull extends Error {}

const afterFirst = (bytes: number): string => `what comes after its first ${mib(bytes)}`;
const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

/** Fails when it takes longer, whatever becomes of it then. */
function inTime(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the disk took nothing for ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
