import { z } from 'zod';
import type { Pve } from '../../pve/client.ts';
import { flag, num } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { orAfter } from '../deadline.ts';
import { iso } from '../format.ts';

const storages = z.array(z.object({ storage: z.string(), active: flag }));
const volumes = z.array(z.object({ ctime: num, vmid: num }));

const PATIENCE_MS = 3000;

/**
 * When the guest was last backed up, in words, as far as the storages of its node tell within 3 s. It is only an aid
 * to a decision, so that what cannot be read is told as not known.
 */
export async function lastBackup(pve: Pve, { node, vmid }: Guest, signal: AbortSignal): Promise<string> {
  const options = { signal: orAfter(signal, PATIENCE_MS) };
  const read = async (): Promise<string> => {
    const found = await pve.get(path`/nodes/${node}/storage`, storages, { content: 'backup', enabled: true }, options);
    const times = await Promise.all(
      found
        .filter((one) => one.active !== false)
        .map(async ({ storage }) => {
          const content = path`/nodes/${node}/storage/${storage}/content`;
          const rows = await pve.get(content, volumes, { content: 'backup', vmid }, options);
          return rows.filter((row) => row.vmid === undefined || row.vmid === vmid).map((row) => row.ctime ?? 0);
        }),
    );
    const newest = Math.max(0, ...times.flat());
    return newest > 0 ? iso(newest) : 'none found';
  };
  return read().catch(() => 'not known');
}
