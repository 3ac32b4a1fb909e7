import { Failure } from '../failure.ts';
import { asciiJson } from '../log/json.ts';
import type { AuditLine } from '../log/line.ts';
import { auditLines } from '../log/read.ts';
import { visibleLine } from '../present/visible.ts';
import { telling, tookOf } from './log.ts';
import { say } from './terminal.ts';

/** Shows every line of one call, with the question that it is the answer to, or that was asked instead of it. */
export const logShow = (call: string, settingsFile: string | undefined, json: boolean): Promise<void> =>
  telling(settingsFile, async ({ audit }) => {
    const lines = await linesOfCall(audit, call);
    if (lines.length === 0) {
      throw new Failure('not-found', `There is no call ${call} in ${audit}.`, 'proxmox-ssh-mcp log lists them.');
    }
    if (json) return say(asciiJson(lines, 2));
    for (const line of lines) show(line);
  });

/** In a second reading: a question stands before the call that its answer came with. */
async function linesOfCall(audit: string, call: string): Promise<AuditLine[]> {
  const questions = new Set<string>();
  for await (const line of auditLines(audit)) if (line.call === call && line.question) questions.add(line.question);
  const lines: AuditLine[] = [];
  for await (const line of auditLines(audit)) {
    if (line.call === call || (line.question && questions.has(line.question))) lines.push(line);
  }
  const calls = new Set(lines.map((line) => line.call));
  if (calls.size === 1) return lines;
  // The outcome of a call that a question was answered with has no question of its own.
  const all: AuditLine[] = [];
  for await (const line of auditLines(audit)) if (calls.has(line.call)) all.push(line);
  return all;
}

function show(line: AuditLine): void {
  const { time, kind, call, tool, effect, client, protocol, mode, about, approved, verdict, exitCode, durationMs } =
    line;
  say(`${time}  ${visibleLine(kind)}  call ${visibleLine(call)}`);
  field('tool', `${tool} (${effect})`);
  field('client', protocol ? `${client}, MCP ${protocol}` : client);
  field('mode', mode);
  field('about', about);
  field('approved', approved);
  field('verdict', verdict);
  field('exit code', exitCode);
  field('took', durationMs === undefined ? undefined : tookOf(durationMs));
  field(kind === 'asked' ? 'question' : 'message', line.message);
  for (const [name, value] of Object.entries(line.input ?? {})) {
    field(name, typeof value === 'string' ? value : asciiJson(value));
  }
  for (const [name, hash] of Object.entries(line.command ?? {})) field(`sha256 of ${name}`, hash);
  for (const [name, { bytes, sha256 }] of Object.entries(line.output ?? {})) {
    field(`sha256 of ${name}`, `${sha256 ?? 'not known'} (${bytes} bytes)`);
  }
  field('line', `${line.seq} of chain ${line.chain}`);
}

/** A field of several lines has them one below the other. */
function field(name: string, value: string | number | undefined): void {
  if (value === undefined) return;
  const lines = String(value).split('\n').map(visibleLine);
  say(`  ${`${visibleLine(name)}:`.padEnd(18)} ${lines.join(`\n${' '.repeat(21)}`)}`);
}
