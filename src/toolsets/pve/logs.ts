import { z } from 'zod';
import type { Pve, PveParams } from '../../pve/client.ts';
import { findGuest, type Guest, readGuest } from '../../pve/guests.ts';
import { type PvePath, path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';

/** From and to when, in seconds since 1970. */
export interface Span {
  readonly since?: number;
  readonly until?: number;
}

/** Lines of a log, oldest first, and whose it is. */
export interface Log {
  readonly label: string;
  readonly lines: readonly string[];
  /** There are more lines than were read, older or newer ones. */
  readonly cut?: 'older' | 'newer';
}

/** A node without a journal answers with nothing at all (recording c-journal). */
const journalShape = z.array(z.string()).nullish();

/**
 * The journal of a node: its last `most` lines, or all of a span. The server gives the position before the first line and
 * after the last one as lines of their own (mini-journalreader).
 */
export async function readJournal(
  { pve, signal }: Pick<ToolContext, 'pve' | 'signal'>,
  node: string,
  span: Span,
  most: number,
): Promise<Log> {
  const whole = span.since === undefined && span.until === undefined;
  const params: PveParams = whole ? { lastentries: most } : { ...span };
  const rows = (await pve.get(path`/nodes/${node}/journal`, journalShape, params, { signal })) ?? [];
  const lines = /^s=[0-9a-f]+;/.test(rows[0] ?? '') ? rows.slice(1, -1) : rows;
  return { label: `Journal of ${node}`, lines, cut: whole && lines.length >= most ? 'older' : undefined };
}

const rowsShape = z.array(z.object({ t: z.string() }));
const PAGE = 5_000;
const MOST_PAGES = 20;

/** Lines of a firewall log. An empty one comes as one line "no content" (pve-common, PVE/Tools.pm, dump_logfile). */
async function readPages(pve: Pve, at: PvePath, span: Span, signal: AbortSignal): Promise<Omit<Log, 'label'>> {
  const lines: string[] = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const rows = await pve.get(at, rowsShape, { ...span, start: lines.length, limit: PAGE }, { signal });
    if (lines.length === 0 && rows.length === 1 && rows[0]?.t === 'no content') return { lines };
    lines.push(...rows.map(({ t }) => t));
    if (rows.length < PAGE) return { lines };
  }
  return { lines, cut: 'newer' };
}

/** What the firewall of a node logged, that of its guests among it. */
export async function readNodeFirewall(
  { pve, signal }: Pick<ToolContext, 'pve' | 'signal'>,
  node: string,
  span: Span,
): Promise<Log> {
  return {
    label: `Firewall log of ${node}`,
    ...(await readPages(pve, path`/nodes/${node}/firewall/log`, span, signal)),
  };
}

/** What the firewall logged of one guest, on the node that it is on. */
export async function readGuestFirewall(
  { pve, signal }: Pick<ToolContext, 'pve' | 'signal'>,
  ref: number | string,
  span: Span,
): Promise<Log> {
  const found = await findGuest(pve, ref, { signal });
  const at = ({ node, kind, vmid }: Guest) => path`/nodes/${node}/${kind}/${vmid}/firewall/log`;
  const { guest, value } = await readGuest(pve, found, (there) => readPages(pve, at(there), span, signal), { signal });
  return { label: `Firewall log of ${guest.label}`, ...value };
}
