import { type Facts, remote } from '../../present/answer.ts';
import { type FileFacts, factsOf } from '../../ssh/files/facts.ts';
import type { Reply } from '../../ssh/files/reply.ts';
import { iso } from '../format.ts';
import type { FileSpot } from './file-road.ts';

/** What stat said of the file; a script that was not refused told it. */
export const statOf = (reply: Reply): FileFacts => factsOf(reply.field('stat') ?? '');

/** What every answer tells of a file. `real_path` is where links in the path lead to. */
export function fileFacts(reply: Reply, { place, path }: FileSpot): Facts {
  const { size, mode, owner, mtime } = statOf(reply);
  const real = reply.field('real');
  const elsewhere = real === undefined || real === path || path.startsWith('~') ? undefined : remote(real);
  return { path, real_path: elsewhere, on: place.label, size, mode, owner, modified: iso(mtime) };
}

/** A hash as it was told; undefined for none. */
export function hashIn(reply: Reply, field: string): string | undefined {
  const hash = reply.field(field);
  return hash !== undefined && /^[0-9a-f]{64}$/.test(hash) ? hash : undefined;
}
