import { z } from 'zod';
import type { Pve, PveCallOptions, PveParams } from './client.ts';
import { path } from './path.ts';

/** A row of /cluster/resources, of whatever type; fresh guests and offline nodes lack most of it. */
export interface ResourceRow {
  readonly type: string;
  readonly vmid?: number;
  readonly node?: string;
  readonly storage?: string;
  readonly name?: string;
  readonly status?: string;
  readonly template?: boolean;
  readonly shared?: boolean;
  readonly plugintype?: string;
  readonly content?: string;
  readonly tags?: string;
  readonly pool?: string;
  readonly lock?: string;
  readonly hastate?: string;
  readonly cpu?: number;
  readonly maxcpu?: number;
  readonly mem?: number;
  readonly maxmem?: number;
  readonly disk?: number;
  readonly maxdisk?: number;
  readonly uptime?: number;
}

type Raw = Readonly<Record<string, unknown>> & { readonly type: string };

const isRow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** Only that each is a row: with 10,000 of them, a schema for every field takes longer than all else together. */
const rows = z.array(z.custom<Raw>(isRow, 'expected a row that has a type'));

const num = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
};
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const flag = (value: unknown): boolean | undefined =>
  value === undefined || value === null ? undefined : value === true || value === 1 || value === '1';

/** The fields that are used, each undefined when it is missing or of another type. */
const rowOf = (raw: Raw): ResourceRow => ({
  type: raw.type,
  vmid: num(raw.vmid),
  node: text(raw.node),
  storage: text(raw.storage),
  name: text(raw.name),
  status: text(raw.status),
  template: flag(raw.template),
  shared: flag(raw.shared),
  plugintype: text(raw.plugintype),
  content: text(raw.content),
  tags: text(raw.tags),
  pool: text(raw.pool),
  lock: text(raw.lock),
  hastate: text(raw.hastate),
  cpu: num(raw.cpu),
  maxcpu: num(raw.maxcpu),
  mem: num(raw.mem),
  maxmem: num(raw.maxmem),
  disk: num(raw.disk),
  maxdisk: num(raw.maxdisk),
  uptime: num(raw.uptime),
});

/** The rows of /cluster/resources, by one request; `type` may narrow them to `vm`, `storage` or `node`. */
export async function readRows(pve: Pve, params: PveParams, options?: PveCallOptions): Promise<ResourceRow[]> {
  return (await pve.get(path`/cluster/resources`, rows, params, options)).map(rowOf);
}

/** `a;b,c d` as its words; PVE separates lists by any of these. */
export const words = (list: string): string[] => list.split(/[\s,;]+/).filter((word) => word !== '');
