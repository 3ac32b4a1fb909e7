import { z } from 'zod';
import type { Pve, PveCallOptions, PveParams } from './client.ts';
import { path } from './path.ts';

/** A number that may come as text, or not at all: the server does not keep to its own `returns`. */
const count = z
  .union([z.number(), z.string().min(1)])
  .transform(Number)
  .refine(Number.isFinite)
  .optional()
  .catch(undefined);
const flag = z.union([z.boolean(), z.number(), z.string()]).transform(isSet).optional().catch(undefined);
const text = z.string().optional().catch(undefined);

const resourceRow = z.object({
  type: z.string(),
  vmid: count,
  node: text,
  storage: text,
  name: text,
  status: text,
  template: flag,
  shared: flag,
  plugintype: text,
  content: text,
  tags: text,
  pool: text,
  lock: text,
  hastate: text,
  cpu: count,
  maxcpu: count,
  mem: count,
  maxmem: count,
  disk: count,
  maxdisk: count,
  uptime: count,
});
/** A row of /cluster/resources, of whatever type; fresh guests and offline nodes lack most of it. */
export type ResourceRow = z.infer<typeof resourceRow>;

/** The rows of /cluster/resources, by one request; `type` may narrow them to `vm`, `storage` or `node`. */
export const readRows = (pve: Pve, params: PveParams, options?: PveCallOptions): Promise<ResourceRow[]> =>
  pve.get(path`/cluster/resources`, z.array(resourceRow), params, options);

/** `a;b,c d` as its words; PVE separates lists by any of these. */
export const words = (list: string): string[] => list.split(/[\s,;]+/).filter((word) => word !== '');

function isSet(value: boolean | number | string): boolean {
  return value === true || value === 1 || value === '1';
}
