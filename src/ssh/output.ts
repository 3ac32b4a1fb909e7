import type { RemoteText } from '../present/answer.ts';
import type { Keep } from './keep.ts';
import { Kept } from './kept.ts';
import { Progress } from './progress.ts';

/** What was read of a command's output. */
export interface Output {
  readonly stdout: RemoteText;
  readonly stderr: RemoteText;
}

export const streamNames = ['stdout', 'stderr'] as const;
export type StreamName = (typeof streamNames)[number];

export interface ReaderOptions {
  /** Told of what comes, while it comes. */
  readonly onOutput?: (text: string) => void;
  /** Where output goes that memory does not keep; without it, such output is lost. */
  readonly keep?: Keep;
  /** Secrets are taken out before anything is kept, because it will be read piece by piece. */
  readonly byOffset?: boolean;
}

/** The disk may hang; the answer does not. */
const END_MS = 2_000;

/** Reads both streams of one command and keeps them. */
export class OutputReader {
  readonly #streams: Readonly<Record<StreamName, Kept>>;
  #progress: Progress | undefined;
  #news: (() => void)[] = [];
  #ended = false;

  constructor({ onOutput, keep, byOffset = false }: ReaderOptions = {}) {
    const files = keep?.files();
    const open = files && (() => files.spool(byOffset));
    const kept = () => new Kept({ open, scrub: byOffset ? keep?.scrub() : undefined });
    this.#streams = { stdout: kept(), stderr: kept() };
    this.#progress = onOutput && new Progress(onOutput);
  }

  /** Takes a piece; a promise while no more can be taken. */
  readonly stdout = (piece: Buffer): Promise<void> | undefined => this.#take('stdout', piece);
  readonly stderr = (piece: Buffer): Promise<void> | undefined => this.#take('stderr', piece);

  /** Takes the output for ended; settles when its files are written, or after 2 s. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const written = Promise.all(streamNames.map((name) => this.#streams[name].end()));
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, END_MS).unref())]);
    this.#tellNews();
  }

  /** What came so far. */
  output(): Output {
    return { stdout: this.#streams.stdout.text(), stderr: this.#streams.stderr.text() };
  }

  /** How many bytes of a stream can be read. */
  bytes(name: StreamName): number {
    return this.#streams[name].bytes;
  }

  /** At most so many bytes of a stream from an offset on; `from` is later when those before are gone. */
  read(name: StreamName, from: number, most: number): Promise<{ readonly from: number; readonly bytes: Buffer }> {
    return this.#streams[name].read(from, most);
  }

  /** Settles at the next piece, or when the output ends; not after that. */
  news(): Promise<void> {
    return new Promise((resolve) => this.#news.push(resolve));
  }

  /** Ends the telling, not the reading. */
  stop(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }

  #take(name: StreamName, piece: Buffer): Promise<void> | undefined {
    this.#progress?.add(name, piece);
    const taken = this.#streams[name].add(piece);
    if (this.#news.length > 0) this.#tellNews();
    return taken;
  }

  #tellNews(): void {
    for (const tell of this.#news.splice(0)) tell();
  }
}
