import { Failure } from '../../failure.ts';
import type { Pve } from '../../pve/client.ts';
import { type NodeRow, readResources } from '../../pve/resources.ts';
import type { ToolContext } from '../tool.ts';
import { attempt } from './attempt.ts';

async function pickNodes(pve: Pve, only: string | undefined, signal: AbortSignal): Promise<readonly NodeRow[]> {
  const { nodes } = await readResources(pve, { signal });
  const picked = only === undefined ? nodes : nodes.filter(({ node }) => node === only);
  if (only === undefined || picked.length > 0) return picked;
  const names = nodes.map(({ node }) => node);
  throw new Failure('not-found', `There is no node "${only}".`, `The nodes are: ${names.join(', ')}.`, {
    facts: { candidates: names },
  });
}

/**
 * The rows that `read` gives of every node, or of the only one that is asked for (a `not-found` Failure with the names
 * there are). That one has to answer; where all are asked, one that is offline or does not answer becomes a note.
 */
export async function eachNode<T>(
  { pve, signal }: Pick<ToolContext, 'pve' | 'signal'>,
  only: string | undefined,
  read: (node: string) => Promise<readonly T[]>,
  notes: string[],
): Promise<T[]> {
  const nodes = await pickNodes(pve, only, signal);
  const lists = await Promise.all(
    nodes.map(({ node, status }) => {
      if (only !== undefined) return read(node);
      if (status === 'online') return attempt(read(node), notes, `Node ${node}`);
      notes.push(`Node ${node} could not be read: it is ${status}.`);
      return undefined;
    }),
  );
  return lists.flatMap((list) => list ?? []);
}
