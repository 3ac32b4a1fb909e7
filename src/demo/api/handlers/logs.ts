import type { JournalLine } from '../../world.ts';
import { type Call, forBoth, type Handlers, Reply } from '../call.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 20 03:16:36 pve1 systemd[1]: Started …`, the journal's short form, in UTC. */
function short(line: JournalLine, host: string): string {
  const at = new Date(line.at);
  const day = `${months[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2, '0')}`;
  const process = line.pid === 0 ? line.unit : `${line.unit}[${line.pid}]`;
  return `${day} ${at.toISOString().slice(11, 19)} ${host} ${process}: ${line.text}`;
}

function lines(call: Call, unit: string): JournalLine[] {
  const name = unit.replace(/\.service$/, '');
  return call.node.journal
    .filter(
      (line) => name === '' || line.unit === name || (line.unit === 'systemd' && line.text.includes(`${name}.service`)),
    )
    .toSorted((a, b) => a.at - b.at);
}

/** `since` and `until` are local times in text here, not seconds. */
function syslog(call: Call): Reply {
  const since = call.has('since') ? Date.parse(`${call.text('since')}Z`) : 0;
  const until = call.has('until') ? Date.parse(`${call.text('until')}Z`) : Number.POSITIVE_INFINITY;
  const found = lines(call, call.text('service')).filter(({ at }) => at >= since && at <= until);
  const start = call.int('start');
  const limit = call.int('limit', 50);
  const page = found.slice(start, limit === 0 ? undefined : start + limit);
  return new Reply(
    page.map((line, i) => ({ n: start + i + 1, t: short(line, call.node.name) })),
    { total: found.length },
  );
}

/** Lines between two cursors, always gzipped; `since` and `until` are epoch seconds. */
function journal(call: Call): Reply {
  const since = call.int('since') * 1000;
  const until = call.has('until') ? call.int('until') * 1000 : Number.POSITIVE_INFINITY;
  const unit = call.text('unit') || call.text('service');
  const found = lines(call, unit).filter(({ at }) => at >= since && at <= until);
  const last = call.has('lastentries') ? found.slice(Math.max(0, found.length - call.int('lastentries'))) : found;
  // Where there is no journal to read, the body is the gzip of nothing (recording c-journal).
  if (call.node.journal.length === 0) return new Reply(undefined, { gzip: true });
  const cursor = (line: JournalLine | undefined) => `s=5f0c;i=${(line?.at ?? 0).toString(16)}`;
  const texts = last.map((line) => short(line, call.node.name));
  return new Reply([cursor(last[0]), ...texts, cursor(last.at(-1))], { gzip: true });
}

/** `VMID LOGLEVEL CHAIN TIMESTAMP MESSAGE`, as pvefw-logger writes them; all of the node, or those of one guest. */
function firewall(call: Call, vmid?: number): Reply {
  const since = call.int('since') * 1000;
  const until = call.has('until') ? call.int('until') * 1000 : Number.POSITIVE_INFINITY;
  const found = call.node.firewall.filter(
    (line) => (vmid ?? line.vmid) === line.vmid && line.at >= since && line.at <= until,
  );
  const start = call.int('start');
  const page = found.slice(start, start + call.int('limit', 50));
  const rows = page.map(({ at, vmid, text }, i) => ({
    n: start + i + 1,
    t: `${vmid} ${text.replace('TIME', stamp(at))}`,
  }));
  return new Reply(rows.length > 0 ? rows : [{ n: 1, t: 'no content' }], { total: found.length });
}

/** `20/Nov/2026:03:16:36 +0000` */
function stamp(at: number): string {
  const date = new Date(at);
  const day = `${String(date.getUTCDate()).padStart(2, '0')}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${date.toISOString().slice(11, 19)} +0000`;
}

export const logHandlers: Handlers = {
  'GET /nodes/{node}/syslog': syslog,
  'GET /nodes/{node}/journal': journal,
  'GET /nodes/{node}/firewall/log': (call) => firewall(call),
  ...forBoth({ 'GET /nodes/{node}/K/{vmid}/firewall/log': (call, kind) => firewall(call, call.guest(kind).vmid) }),
};
