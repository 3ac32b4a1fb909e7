import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, remote } from '../../present/answer.ts';
import { count, iso } from '../format.ts';
import { guest, node } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { type Log, readGuestFirewall, readJournal, readNodeFirewall, type Span } from './logs.ts';
import { eachNode } from './nodes.ts';

const HOUR_S = 3600;
/** Lines of the journal that are looked through when a few are wanted. */
const LOOKED_THROUGH = 5_000;

const time = z
  .string()
  .regex(
    /^(\d{1,6}[smhd]|\d{4}-\d\d-\d\dT[\d:.]{5,12}(Z|[+-]\d\d:\d\d))$/,
    'must be an age such as 90s, 30m, 2h or 3d, or a time with its zone such as 2026-11-20T03:00:00Z',
  );

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: HOUR_S, d: 24 * HOUR_S };

/** Seconds since 1970 of an age or a time; `invalid-input` for a time that no calendar has. */
function epochOf(text: string, now: number): number {
  const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return Math.max(0, now - Number(number) * (seconds[unit] ?? 1));
  const at = Math.floor(Date.parse(text) / 1000);
  if (at >= 0) return at;
  throw new Failure(
    'invalid-input',
    `${text} is not a time.`,
    'Write one such as 2026-11-20T03:00:00Z, or an age such as 2h.',
  );
}

const input = {
  node: node.optional(),
  guest: guest.optional(),
  log: z.enum(['journal', 'firewall']).default('journal').describe('A guest has a firewall log only.'),
  since: time.optional().describe('An age (30m, 3d) or a time with zone (2026-11-20T03:00:00Z).'),
  until: time.optional().describe('Likewise.'),
  grep: z.string().min(1).max(500).optional().describe('Only lines with this text; error|fail for either.'),
  lines: z.number().int().min(1).max(2000).default(100).describe('Up to 2000.'),
};
type Input = z.infer<z.ZodObject<typeof input>>;

/** An end without a beginning begins an hour before; the firewall's log, which may be long, a day ago. */
function spanOf({ since, until, log, guest }: Input, now: number): Span {
  const end = until === undefined ? undefined : epochOf(until, now);
  const start = since === undefined ? undefined : epochOf(since, now);
  if (start !== undefined && start > (end ?? now)) {
    throw new Failure(
      'invalid-input',
      'That span ends before it begins.',
      'since is the older one of since and until.',
    );
  }
  const firewall = log === 'firewall' || guest !== undefined;
  if (end !== undefined) return { since: start ?? Math.max(0, end - HOUR_S), until: end };
  return { since: start ?? (firewall ? now - 24 * HOUR_S : undefined) };
}

async function read({ node, guest, log, grep, lines }: Input, span: Span, context: ToolContext): Promise<Log> {
  if ((node === undefined) === (guest === undefined)) {
    throw new Failure(
      'invalid-input',
      'Name either a node or a guest.',
      'What is logged inside a guest is read by ssh_host_logs.',
    );
  }
  if (guest !== undefined) return readGuestFirewall(context, guest, span);
  const most = grep === undefined ? lines : LOOKED_THROUGH;
  const [found] = await eachNode(
    context,
    node,
    async (name) => [
      await (log === 'journal' ? readJournal(context, name, span, most) : readNodeFirewall(context, name, span)),
    ],
    [],
  );
  return found ?? { label: `Log of ${node}`, lines: [] };
}

function matching(lines: readonly string[], grep: string | undefined): readonly string[] {
  if (grep === undefined) return lines;
  const wanted = grep
    .toLowerCase()
    .split('|')
    .filter((word) => word !== '');
  return lines.filter((line) => wanted.some((word) => line.toLowerCase().includes(word)));
}

const others = {
  older: 'There are older lines, which were not looked at: since reaches them.',
  newer: 'There are newer lines, which were not looked at: since reaches them.',
};

export default definePveTool({
  name: 'pve_log',
  title: 'Read the log of a node',
  effect: 'read',
  core: true,
  summary:
    "The newest lines of a node's journal or firewall log, or of a guest's firewall log. For a task's log use " +
    'pve_task_get, for logs inside a guest ssh_host_logs.',
  search: 'syslog journalctl dmesg messages errors kernel systemd service why failed dropped packets',
  input,

  async run(asked, context) {
    const span = spanOf(asked, Math.floor(Date.now() / 1000));
    const { label, lines, cut } = await read(asked, span, context);
    const found = matching(lines, asked.grep);
    const shown = found.slice(-asked.lines);
    const of = found.length > shown.length ? `, the newest ${shown.length} shown` : '';
    const match = asked.grep === undefined ? '' : ` of ${count(lines.length, 'line')} match`;
    const notes = cut && (asked.grep !== undefined || cut === 'newer') ? [others[cut]] : undefined;
    return answer(`${label}: ${asked.grep === undefined ? count(found.length, 'line') : found.length}${match}${of}`, {
      since: span.since === undefined ? undefined : iso(span.since),
      until: span.until === undefined ? undefined : iso(span.until),
      log: shown.length > 0 ? remote(shown.join('\n')) : undefined,
      notes,
    });
  },
});
