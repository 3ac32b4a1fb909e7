import { z } from 'zod';
import type { Pve } from '../../pve/client.ts';
import { num, text } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { words } from '../../pve/rows.ts';
import { attempt } from './attempt.ts';

const replications = z.array(z.object({ id: text, guest: num, target: text }));
const jobs = z.array(z.object({ id: text, vmid: text }));

/** What names the guest besides its own configuration, a few words each; what cannot be read is noted. */
export async function namedBy(
  pve: Pve,
  { vmid }: Guest,
  { managedByHa }: { readonly managedByHa: boolean },
  signal: AbortSignal,
  notes: string[],
): Promise<string[]> {
  const [replicated, backedUp] = await Promise.all([
    attempt(pve.get(path`/cluster/replication`, replications, {}, { signal }), notes, 'Replication jobs'),
    attempt(pve.get(path`/cluster/backup`, jobs, {}, { signal }), notes, 'Backup jobs'),
  ]);
  const mine = (list = ''): boolean => words(list).includes(String(vmid));
  return [
    ...(managedByHa ? ['HA'] : []),
    ...(replicated ?? [])
      .filter(({ guest }) => guest === vmid)
      .map(({ id, target }) => `replication ${id} to ${target}`),
    ...(backedUp ?? []).filter((job) => mine(job.vmid)).map(({ id }) => `backup job ${id}`),
  ];
}
