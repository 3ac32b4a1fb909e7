import { z } from 'zod';
import type { Pve, PveCallOptions, PveParams } from './client.ts';
import { flag, num, text } from './fields.ts';
import { path } from './path.ts';

const resourceRow = z.object({
  type: z.string(),
  vmid: num,
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
  cpu: num,
  maxcpu: num,
  mem: num,
  maxmem: num,
  disk: num,
  maxdisk: num,
  uptime: num,
});
/** A row of /cluster/resources, of whatever type; fresh guests and offline nodes lack most of it. */
export type ResourceRow = z.infer<typeof resourceRow>;

/** The rows of /cluster/resources, by one request; `type` may narrow them to `vm`, `storage` or `node`. */
export const readRows = (pve: Pve, params: PveParams, options?: PveCallOptions): Promise<ResourceRow[]> =>
  pve.get(path`/cluster/resources`, z.array(resourceRow), params, options);

/** `a;b,c d` as its words; PVE separates lists by any of these. */
export const words = (list: string): string[] => list.split(/[\s,;]+/).filter((word) => word !== '');
