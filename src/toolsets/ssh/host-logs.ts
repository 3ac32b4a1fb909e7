import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Answer, answer, remote } from '../../present/answer.ts';
import { count } from '../format.ts';
import { asRoot, target } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import type { VmResult } from '../vm/run.ts';
import { binary, type LogFound, logFound, logRefusal } from './log-found.ts';
import { FILE_WINDOW, FILE_WINDOW_SEARCHED, JOURNAL_SEARCHED, logReading, MOST_BYTES } from './log-reading.ts';
import { moment, type Span, spanOf } from './log-span.ts';
import { type Place, placeOf } from './place.ts';
import { lookAt } from './run-at.ts';

const TIMEOUT_MS = 30_000;

const priority = /^(emerg|alert|crit|err|warning|notice|info|debug)$/;

/** A refinement, unlike a pattern, costs a model nothing. */
const like = (pattern: RegExp, says: string) => z.string().refine((text) => pattern.test(text), says);

const input = {
  target: target.optional(),
  unit: like(/^[A-Za-z0-9@*][\w@:.*\\-]{0,254}$/, 'must be the name of a unit')
    .optional()
    .describe('systemd unit.'),
  file: like(/^\/[^\0\n]*$/, 'must be an absolute path')
    .optional()
    .describe('A log file instead of the journal.'),
  since: moment.optional().describe('2h, 2026-11-20 10:00 or ISO.'),
  until: moment.optional().describe('Likewise.'),
  grep: like(/^[^\0\n]{1,500}$/, 'must be one line')
    .optional()
    .describe('Only lines that match (grep -E).'),
  ignore_case: z.boolean().optional().describe('For grep.'),
  priority: like(priority, 'must be one from emerg to debug').optional().describe('err, warning…, or worse.'),
  lines: z.number().int().min(1).max(5000).default(100).describe('The newest, up to 5000.'),
  boot: z.number().int().min(-100).max(0).optional().describe('-1: the one before.'),
  kernel: z.boolean().optional().describe('Kernel only.'),
  rotated: z.boolean().optional().describe('Also file.1, .2.gz.'),
  sudo: asRoot.optional(),
};
type Input = z.infer<z.ZodObject<typeof input>>;

/** Parameters that only the journal knows. */
const journalOnly = ['unit', 'since', 'until', 'priority', 'boot', 'kernel'] as const;
const given = (asked: Input) => journalOnly.filter((name) => asked[name] !== undefined && asked[name] !== false);

function refuseMixture(asked: Input): void {
  const wrong = asked.file === undefined ? (asked.rotated ? ['rotated'] : []) : given(asked);
  if (wrong.length === 0) return;
  const about = asked.file === undefined ? 'a file' : 'the journal';
  throw new Failure(
    'invalid-input',
    `${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} for ${about}.`,
    asked.file === undefined ? 'Name the file too.' : 'Leave file out, or find lines in it by grep.',
  );
}

async function read(asked: Input, { since, until }: Span, place: Place, context: ToolContext) {
  const mark = randomBytes(16).toString('hex');
  const flag = (on: boolean | undefined): string => (on ? '1' : '');
  const { file = '', unit = '', grep = '', priority = '', lines, boot } = asked;
  const window = grep === '' ? FILE_WINDOW : FILE_WINDOW_SEARCHED;
  const words = [mark, file, unit, since?.word ?? '', until?.word ?? '', grep, lines, priority, boot ?? ''];
  const more = [flag(asked.kernel), flag(asked.ignore_case), flag(asked.rotated), window, JOURNAL_SEARCHED, MOST_BYTES];
  const work = { timeoutMs: TIMEOUT_MS, sudo: asked.sudo };
  const result = await lookAt(place, logReading, [...words, ...more].map(String), work, context);
  return { result, found: logFound(result.stdout.text, mark, lines, grep !== '') };
}

const sources: Readonly<Record<string, string>> = { dmesg: 'What dmesg shows', logread: 'What logread shows' };

/** `Journal of pve1`, `/var/log/syslog of CT 400 (keycloak)`. */
function labelOf({ file }: Input, { said }: LogFound, place: Place): string {
  const source = said.get('source');
  const what = file ?? (source === undefined ? 'Journal' : (sources[source] ?? source));
  return `${what} of ${place.label}`;
}

function notesOf(asked: Input, { said, more, looked = 0, lines }: LogFound): string[] {
  const journal = asked.file === undefined && !said.has('source');
  const whole = journal ? looked < JOURNAL_SEARCHED : !said.has('long');
  const unheeded = said.has('source') ? given(asked).filter((name) => name !== 'unit' && name !== 'kernel') : [];
  const told =
    unheeded.length > 0 ? `, and ${unheeded.join(', ')} ${unheeded.length === 1 ? 'has' : 'have'} no effect` : '';
  const since = journal ? ': since reaches them.' : '.';
  const older = asked.grep !== undefined ? !whole : !more && said.has('long') && lines.length < asked.lines;
  return [
    ...(said.has('source') ? [`There is no journal here${told}.`] : []),
    ...(said.has('source') && asked.unit !== undefined ? ['Lines that name the unit are shown.'] : []),
    ...(said.get('journal') === 'partly' && journal
      ? ['This login sees its own messages only: sudo shows all, and so does the group systemd-journal.']
      : []),
    ...(older ? [`There are older lines, which were not looked at${since}`] : []),
  ];
}

/** The time of the oldest line that has one, for the next `until`. */
function oldest(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const [, time, hours, minutes] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d):?(\d\d) /.exec(line) ?? [];
    if (time !== undefined) return `${time}${hours}:${minutes}`;
  }
  return undefined;
}

function told(asked: Input, found: LogFound, span: Span, place: Place): Answer {
  const { lines, more, looked, said } = found;
  const label = labelOf(asked, found, place);
  const matches =
    looked === undefined
      ? undefined
      : `${more ? `more than ${lines.length}` : lines.length} of ${count(looked, 'line')} match${more ? `, the newest ${lines.length} shown` : ''}`;
  const shown = matches ?? (more ? `the newest ${count(lines.length, 'line')}` : count(lines.length, 'line'));
  const link = said.get('link');
  const notes = notesOf(asked, found);
  return answer(`${label}: ${shown}`, {
    since: span.since?.told,
    until: span.until?.told,
    leads_to: link === undefined ? undefined : remote(link),
    log: lines.length > 0 ? remote(lines.join('\n')) : undefined,
    older_until: more && asked.file === undefined ? oldest(lines) : undefined,
    notes: notes.length > 0 ? notes : undefined,
  });
}

/** How many characters of a text are of no text: bytes that are no UTF-8. */
const strange = (lines: readonly string[]): number => {
  const text = lines.join('\n');
  return text === '' ? 0 : (text.split('\ufffd').length - 1) / text.length;
};

function refuse(asked: Input, found: LogFound, { stderr }: VmResult, place: Place): void {
  const root = 'guest' in place || place.container !== undefined || asked.sudo;
  const cure = root ? 'Check its mode' : 'Set sudo';
  const refusal = logRefusal(found, asked.file ?? '', place.label, cure);
  if (refusal) throw refusal;
  if (asked.file !== undefined && strange(found.lines) > 0.1) throw binary(asked.file, place.label);
  if (found.status === 0 || found.lines.length > 0) return;
  throw new Failure(
    'remote-error',
    `The log of ${place.label} could not be read.`,
    'What it said is in said; file reads a log file instead.',
    { facts: { said: stderr } },
  );
}

export default defineSshTool({
  name: 'ssh_host_logs',
  title: 'Read the log of a host or guest',
  effect: 'read',
  core: true,
  summary: 'Newest lines of the journal (else syslog) or of a log file of a host, container or VM.',
  search: 'journalctl tail dmesg systemd service errors messages nginx access debug why failed crash kern auth',
  input,

  async run(asked, context) {
    refuseMixture(asked);
    const span = spanOf(asked.since, asked.until, Date.now() / 1000);
    const place = await placeOf(asked.target, context);
    const { result, found } = await read(asked, span, place, context);
    refuse(asked, found, result, place);
    return told(asked, found, span, place);
  },
});
