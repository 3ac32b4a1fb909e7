import { createHash } from 'node:crypto';
import { join, posix } from 'node:path';
import { Failure } from '../../failure.ts';
import type { LocalPath } from '../../ssh/files/local.ts';
import { bytes, elapsed, percent } from '../format.ts';
import type { ToolContext } from '../tool.ts';
import type { FileSpot } from './file-road.ts';

/** The whole of a path in the transfer folder. */
export const written = (root: string, { folders, name }: LocalPath): string => join(root, ...folders, name);

/** The word by which what was cut is found again: the same for the same file at the same place. */
export const keyOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

export const nameOf = (path: string): string => posix.basename(path);

/** Bulk goes by no guest agent. */
export function refuseVm({ place }: FileSpot): void {
  if (!('guest' in place)) return;
  throw new Failure(
    'invalid-input',
    `The guest agent of ${place.label} carries no whole files.`,
    'ssh_file_write sends up to 40 KiB, ssh_file_read gets up to 1 MiB at a time. For more, list the VM as an SSH host of its own.',
  );
}

/** Tells twice a second how far a transfer is. */
export class Meter {
  readonly #began = performance.now();
  #told = this.#began;

  /** `found`: what an earlier transfer left; it is of something else when none of it is gone on `from`. */
  constructor(
    private readonly size: number,
    readonly from: number,
    private readonly found: number,
    private readonly progress: (message: string) => void,
  ) {}

  readonly at = (done: number): void => {
    const now = performance.now();
    if (now - this.#told < 500 || this.size === 0) return;
    this.#told = now;
    const rate = bytes((done - this.from) / ((now - this.#began) / 1000));
    this.progress(`${percent(done / this.size)} of ${bytes(this.size)}, ${rate}/s`);
  };

  /** How long it took, and how much was there before. */
  facts() {
    const resumed = this.from > 0 ? bytes(this.from) : undefined;
    const anew = this.found > this.from ? 'what was cut before was of another content' : undefined;
    return { took: elapsed(performance.now() - this.#began), resumed_at: resumed, begun_anew: anew };
  }
}

/** Waits for the hash of both sides, and tells that it does; `work` is to stop when one side fails. */
export async function comparing<A, B>(
  { progress }: Pick<ToolContext, 'progress'>,
  work: (signal: AbortSignal) => readonly [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const stop = new AbortController();
  const began = performance.now();
  const tell = () => progress(`comparing, ${elapsed(performance.now() - began)}`);
  const timer = setInterval(tell, 2_000);
  const both = work(stop.signal);
  try {
    return await Promise.all(both);
  } finally {
    clearInterval(timer);
    stop.abort();
    await Promise.allSettled(both);
  }
}

/** A transfer that the connection was lost in: what is there is as it was, and a part was kept. */
export function interrupted(error: unknown, untouched: string): unknown {
  if (!(error instanceof Failure) || error.kind !== 'outcome-unknown') return error;
  return new Failure(
    'unreachable',
    `The connection was lost in the middle of the transfer; ${untouched} is as it was.`,
    'Call again: it goes on from where it was.',
    { cause: error },
  );
}
