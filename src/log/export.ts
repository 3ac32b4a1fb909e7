import { visibleLine } from '../present/visible.ts';
import type { AuditCall } from './calls.ts';
import { asciiJson } from './json.ts';

export const exportFormats = ['csv', 'json', 'jsonl'] as const;
export type ExportFormat = (typeof exportFormats)[number];

const COLUMNS = [
  'time',
  'call',
  'tool',
  'about',
  'effect',
  'verdict',
  'exitCode',
  'durationMs',
  'approved',
  'mode',
  'client',
  'protocol',
  'message',
  'input',
  'command',
  'output',
] as const satisfies readonly (keyof AuditCall)[];

/** RFC 4180, with an apostrophe before what a spreadsheet would take for a formula. */
function cell(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = visibleLine(typeof value === 'string' ? value : asciiJson(value));
  const safe = /^[\s'"]*[=+\-@|%]/.test(text) ? `'${text}` : text;
  return /[",;]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function* csv(calls: AsyncIterable<AuditCall>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for await (const call of calls) yield `${COLUMNS.map((name) => cell(call[name])).join(',')}\r\n`;
}

async function* json(calls: AsyncIterable<AuditCall>): AsyncGenerator<string> {
  let before = '[';
  for await (const call of calls) {
    yield `${before}\n${asciiJson(call)}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

async function* jsonl(calls: AsyncIterable<AuditCall>): AsyncGenerator<string> {
  for await (const call of calls) yield `${asciiJson(call)}\n`;
}

/** The calls in that format, piece by piece. */
export const exported = (calls: AsyncIterable<AuditCall>, format: ExportFormat): AsyncGenerator<string> =>
  ({ csv, json, jsonl })[format](calls);
