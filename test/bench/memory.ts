import { memoryOf } from '../rig/memory.ts';
import type { Each, Road } from './road.ts';
import { compared, type Row } from './table.ts';

/** Resident memory of our server, and of the peer's, at one stage. */
export function memory(stage: string, { ours, peer }: Each<Road>): Row {
  const mine = memoryOf(ours.pid ?? 0, 'VmRSS');
  if (peer?.pid === undefined) return { what: stage, ours: `${mine.toFixed(0)} MiB` };
  return compared({ what: stage, ours: mine, theirs: memoryOf(peer.pid, 'VmRSS'), beside: 'ssh-mcp', unit: 'MiB' });
}
