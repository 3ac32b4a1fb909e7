import { Failure } from '../../failure.ts';
import { readResources } from '../../pve/resources.ts';
import type { ToolContext } from '../tool.ts';
import { pickNode, pickStorage, storagesOf } from './pick-place.ts';

/** Where a file goes. */
export interface Target {
  readonly node: string;
  readonly storage: string;
}

/**
 * The asked storage, or the one for `content` with the most free space. Where each node has one of its own, somebody has
 * to say which node is meant.
 */
export async function pickTarget(
  { pve, signal }: ToolContext,
  { node, storage }: { readonly node?: string; readonly storage?: string },
  content: string,
): Promise<Target> {
  const all = await readResources(pve, { signal });
  const fits = (one: string): boolean =>
    storagesOf(all, one, content).some((row) => storage === undefined || row.storage === storage);
  const able = all.nodes.filter((one) => one.status === 'online' && fits(one.node)).map((one) => one.node);
  const asked = node !== undefined || able.length === 0;
  const picked = pickNode(all, { node, that: 'is there', fits: asked ? () => true : fits });
  const row = pickStorage(all, picked, content, storage);
  if (node === undefined && !row.shared && able.length > 1) {
    throw new Failure(
      'ambiguous',
      `Each of ${able.join(', ')} has a storage of its own for this: ${row.storage}.`,
      'Say with node which of them is to have the file.',
      { facts: { candidates: able } },
    );
  }
  return { node: picked, storage: row.storage };
}
