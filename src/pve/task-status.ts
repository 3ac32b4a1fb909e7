import { z } from 'zod';
import type { Pve, PveCallOptions } from './client.ts';
import { path } from './path.ts';
import { parseUpid } from './upid.ts';

/** What the node says of a task. `exit` is there once it stopped: `OK`, `WARNINGS: 2`, or the error. */
export interface TaskStatus {
  readonly upid: string;
  readonly running: boolean;
  readonly exit?: string;
}

const statusShape = z.object({ status: z.string(), exitstatus: z.string().optional() });
const logShape = z.array(z.object({ n: z.coerce.number(), t: z.string() }));

/** The state of a task, asked of the node in its id. Fails `not-found` when that node does not know it. */
export async function taskStatus(pve: Pve, upid: string, options?: PveCallOptions): Promise<TaskStatus> {
  const { node } = parseUpid(upid);
  const seen = await pve.get(path`/nodes/${node}/tasks/${upid}/status`, statusShape, {}, options);
  return { upid, running: seen.status === 'running', exit: seen.exitstatus };
}

const page = 5_000;

/**
 * The last `lines` lines of a task's log (20 unless told), read from line `start` on (0-based), and how many lines
 * there were. An empty log comes as one line "no content" (pve-common, PVE/Tools.pm, dump_logfile), which is left out.
 */
export async function taskLog(
  pve: Pve,
  upid: string,
  { lines = 20, start = 0, ...options }: PveCallOptions & { readonly lines?: number; readonly start?: number } = {},
): Promise<{ readonly lines: readonly string[]; readonly total: number }> {
  const { node } = parseUpid(upid);
  let tail: string[] = [];
  for (let total = start; ; ) {
    const params = { start: total, limit: page };
    const rows = await pve.get(path`/nodes/${node}/tasks/${upid}/log`, logShape, params, options);
    if (total === 0 && rows.length === 1 && rows[0]?.t === 'no content') return { lines: [], total };
    total += rows.length;
    tail = [...tail, ...rows.map(({ t }) => t)].slice(-lines);
    if (rows.length < page) return { lines: tail, total };
  }
}
