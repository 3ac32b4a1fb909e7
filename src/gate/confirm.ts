import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import { shortened } from '../present/cut.ts';
import type { Redact } from '../present/redact.ts';
import { visible } from '../present/visible.ts';
import { namesSecret } from '../pve/secret-names.ts';
import type { Preview, Tool, ToolContext } from '../toolsets/tool.ts';

/** What a question carries to its answer, sealed by the protocol edge: which call was asked about, and what was shown. */
export interface Ticket {
  readonly nonce: string;
  readonly tool: string;
  /** Digest of the arguments. */
  readonly input: string;
  /** Digest of the live state that the preview was made from. */
  readonly state: string;
}

/** A human's answer, with the ticket of the question it answers; `invalid` when the ticket was forged or too old. */
export interface Reply {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly confirmed: boolean;
  readonly ticket: Ticket | { readonly invalid: string };
}

/** A question for a human, and the ticket that has to come back with the answer. */
export interface Question {
  readonly message: string;
  readonly ticket: Ticket;
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
};

/** SHA-256 of a value as JSON with sorted keys. */
export const digest = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(sorted(value)) ?? 'undefined')
    .digest('hex');

const PREVIEW_CHARACTERS = 2000;

/** The preview of a tool that has none of its own: what it is called and what it was given. */
function plainPreview(tool: Tool, input: Record<string, unknown>): Preview {
  return { message: [tool.title, ...Object.entries(input).map(member)].join('\n'), state: {} };
}

/** Lines of a value are set apart, or they could pass for further members. */
function member([name, value]: [string, unknown]): string {
  const text = namesSecret(name) ? '[hidden]' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.includes('\n') ? `${name}:\n${text.replace(/^/gm, '  | ')}` : `${name}: ${text}`;
}

/** A question without the empty space that would push what it is about out of sight. */
const withoutGaps = (text: string): string =>
  text
    .replace(/[^\S\n]{60,}|\u2800{20,}/g, (gap) => ` [… ${gap.length} blanks …] `)
    .replace(/\n(?:[^\S\n]*(?:\|[^\S\n]*)?\n){4,}/g, (gap) => `\n[… ${gap.split('\n').length - 2} empty lines …]\n`);

/** Asks, and holds the answer to what was asked. One ticket is good for one answer. */
export interface Confirmation {
  /** `because` stands before the preview: why it is asked at all. */
  ask(tool: Tool, input: Record<string, unknown>, context: ToolContext, because?: readonly string[]): Promise<Question>;
  /** Returns when the human said yes to this very call and nothing changed since; a `refused` Failure otherwise. */
  settle(reply: Reply, tool: Tool, input: Record<string, unknown>, context: ToolContext): Promise<void>;
}

const refuse = (cause: string, cure: string): Failure => new Failure('refused', `${cause} Nothing was done.`, cure);

/** A Confirmation whose tickets are good for `ttlMs`, whose questions hold no secret; sealing them is the protocol edge's. */
export function createConfirmation(ttlMs: number, redact: Redact): Confirmation {
  const open = new Map<string, NodeJS.Timeout>();
  const preview = async (tool: Tool, input: Record<string, unknown>, context: ToolContext) =>
    (await tool.confirm?.(input, context)) ?? plainPreview(tool, input);
  return {
    async ask(tool, input, context, because = []) {
      const shown = await preview(tool, input, context);
      const nonce = randomBytes(16).toString('hex');
      open.set(nonce, setTimeout(() => open.delete(nonce), ttlMs).unref());
      const text = withoutGaps(visible(redact([...because, shown.message].join('\n'))));
      const message = shortened(text, PREVIEW_CHARACTERS, '\n');
      return { message, ticket: { nonce, tool: tool.name, input: digest(input), state: digest(shown.state) } };
    },
    async settle({ action, confirmed, ticket }, tool, input, context) {
      if ('invalid' in ticket) {
        throw refuse(
          'The answer came too late, or not from the question that was asked.',
          'Call again to be asked anew.',
        );
      }
      const timer = open.get(ticket.nonce);
      clearTimeout(timer);
      open.delete(ticket.nonce);
      if (timer === undefined)
        throw refuse('This question has been answered already, or is too old.', 'Call again to be asked anew.');
      if (ticket.tool !== tool.name || ticket.input !== digest(input)) {
        throw refuse('The answer belongs to another call.', 'Call again to be asked anew.');
      }
      if (action !== 'accept' || !confirmed) {
        const said = action === 'cancel' ? 'closed the question without an answer' : 'said no';
        throw refuse(`The operator ${said}.`, 'Do not ask again unless the operator wishes it.');
      }
      if (ticket.state !== digest((await preview(tool, input, context)).state)) {
        throw refuse(
          'What was shown has changed since the operator was asked.',
          'Call again: the question will show the new state.',
        );
      }
    },
  };
}
