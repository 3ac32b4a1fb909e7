/** Takes secrets out of a stream of bytes. What may be the beginning of one is held back until it is known. */
export interface Scrub {
  /** What of all that was pushed is known to hold no secret, and was not given before. */
  push(piece: Buffer): Buffer;
  /** The rest, when there is no more. */
  end(): Buffer;
  /** How many of the pushed bytes are held back. */
  readonly held: number;
}

/** A file that takes one stream of a command's output, from its first byte. */
export interface Spool {
  /**
   * A promise while the disk is behind: no more is to be written before it settles. Never fails: what could not be
   * written is told by `lacks`.
   */
  write(piece: Buffer): Promise<void> | undefined;
  /** Written bytes from an offset, fewer where the file ends. */
  read(from: number, length: number): Promise<Buffer>;
  /** Settles when all is written, or will not be. */
  end(): Promise<void>;
  /** Its path, once there is a file. */
  readonly file: string | undefined;
  /** Of what is in that file, in hex, once all is written. */
  readonly sha256: string | undefined;
  /** What the file does not hold, or why there is none, in a few words; undefined when it is whole. */
  readonly lacks: string | undefined;
}

/** Where the output of one command goes, beyond what memory keeps. */
export interface CommandFiles {
  /** `scrubbed`: what is written holds no secret any more. */
  spool(scrubbed: boolean): Spool;
}

/** How output is kept: without secrets, in files. */
export interface Keep {
  scrub(): Scrub;
  files(): CommandFiles;
}
