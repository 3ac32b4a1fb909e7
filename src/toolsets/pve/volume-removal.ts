import type { Facts } from '../../present/answer.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import { attempt } from './attempt.ts';
import { settle } from './settle.ts';
import { readVolumes, type Volume } from './volumes.ts';

export interface Removed {
  /** Its task ended well, and its storage was not seen to list it still. */
  readonly gone: boolean;
  /** `was deleted`, and what else there is to say of it. */
  readonly said: string;
  readonly facts: Facts;
  readonly notes: readonly string[];
}

/** Deletes a volume: one write, the wait for its task, and the listing again, since a task may end well without it. */
export async function deleteVolume(context: ToolContext, volume: Volume, waitSeconds?: number): Promise<Removed> {
  const { volid, storage, nodes, content } = volume;
  const [node = ''] = nodes;
  const at = path`/nodes/${node}/storage/${storage}/content/${volid}`;
  const started = await context.pve.delete(at, {}, { signal: context.signal });
  const { done, facts } = await settle(context, started, waitSeconds);
  const notes: string[] = [];
  if (done) {
    const after = await attempt(
      readVolumes(context, { storage, node, content }, notes),
      notes,
      'The storage afterwards',
    );
    if (after?.some((one) => one.volid === volid)) {
      notes.push('The task ended well, but the volume is still listed.');
      return { gone: false, said: 'is still listed after its deletion', facts, notes };
    }
  }
  return { gone: done, said: done ? 'was deleted' : 'is still being deleted', facts, notes };
}
