import { rm } from 'node:fs/promises';
import { rotatedOf } from './files.ts';
import { type HeadPlace, updateHead } from './head.ts';
import { linesOf } from './lines.ts';

const DAY_MS = 24 * 3600_000;

/**
 * Removes the rotated files that are older than so many days. What goes is noted in the head before, so that it is not
 * taken for tampering; a file whose note is there and that is there too is removed the next time.
 */
export async function removeOlder(place: HeadPlace, key: Buffer, days: number, now: number): Promise<void> {
  const old = rotatedOf(place.audit).filter(({ until }) => until < now - days * DAY_MS);
  for (const { file } of old) {
    const last = new Map<string, { seq: number; hash: string }>();
    for await (const { line, seal } of linesOf(file, key)) {
      if (line && seal && seal.wrong === undefined) last.set(line.chain, { seq: line.seq, hash: seal.hash });
    }
    await updateHead(place, key, ({ chains }) => {
      for (const [chain, { seq, hash }] of last) {
        const known = chains[chain];
        // Whoever writes this chain knows up to where it was noted, and notes that anew with its next line.
        if (known?.seq === seq) delete chains[chain];
        else chains[chain] = { ...(known && known.seq > seq ? known : { seq, hash }), gone: seq };
      }
    });
    await rm(file, { force: true });
  }
}
