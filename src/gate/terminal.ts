import { setTimeout as pause } from 'node:timers/promises';
import { type Approvals, newApprovalId, sha256, type WaitingQuestion } from '../approvals.ts';
import { cancelled, Failure } from '../failure.ts';
import type { Redact } from '../present/redact.ts';
import { visibleLine } from '../present/visible.ts';
import type { Tool, ToolContext } from '../toolsets/tool.ts';
import { createConfirmation, digest, type Question, type Ticket } from './confirm.ts';
import { aboutOf } from './noted.ts';

/** Asks by way of another terminal, for clients that cannot ask. */
export interface Terminal {
  /**
   * Returns when the operator has said yes to this very call. The first call is refused with what the operator has to
   * type; the same call again waits a while for the answer, and takes it. `noted` is told of a new question.
   */
  admit(
    tool: Tool,
    input: Record<string, unknown>,
    context: ToolContext,
    because: readonly string[],
    noted: (question: Question) => Promise<void>,
  ): Promise<void>;
  /** Takes away what nobody will ask for any more. */
  close(): void;
}

export interface TerminalOptions {
  /** A question stays open so long, and a yes is good for as long again. */
  readonly ttlMs: number;
  readonly redact: Redact;
  /** How this program is called, as it can be typed. */
  readonly calledAs: string;
  readonly waitMs?: number;
}

/** Below what clients wait for an answer at least: 60 s in the SDK. */
const WAIT_MS = 45_000;
const LOOK_MS = 250;
const MOST_OPEN = 20;
const LONGEST_ABOUT = 100;

interface Open {
  readonly question: WaitingQuestion;
  readonly ticket: Ticket;
}

/** A Terminal over these files. What was asked is kept here as well: a file that says something else is no answer. */
export function createTerminal(approvals: Approvals, options: TerminalOptions): Terminal {
  const { ttlMs, redact, calledAs, waitMs = WAIT_MS } = options;
  const confirmation = createConfirmation(2 * ttlMs, redact);
  const open = new Map<string, Open>();
  const forget = (key: string, { question }: Open): void => {
    open.delete(key);
    approvals.remove(question.id);
  };
  const sweep = (): void => {
    for (const [key, one] of open) if (one.question.until + ttlMs < Date.now()) forget(key, one);
  };
  const begin = async (key: string, { message, ticket }: Question, tool: Tool, input: Record<string, unknown>) => {
    const asked = Date.now();
    const about = visibleLine(aboutOf(input, redact) ?? '').slice(0, LONGEST_ABOUT);
    const shown = { id: newApprovalId(), tool: tool.name, about, message, asked, until: asked + ttlMs };
    const question = { ...shown, ticket: sha256(JSON.stringify(ticket)) };
    approvals.put(question);
    open.set(key, { question, ticket });
    return question;
  };
  /** What the operator said in time, as long as it counts. */
  const answerTo = async (one: Open, signal: AbortSignal): Promise<boolean | undefined> => {
    const until = Math.min(Date.now() + waitMs, one.question.until);
    for (;;) {
      const verdict = approvals.verdict(one.question);
      if (verdict) {
        const inTime = verdict.at <= one.question.until && Date.now() <= verdict.at + ttlMs;
        return inTime ? verdict.yes : undefined;
      }
      if (signal.aborted || Date.now() >= until) return undefined;
      await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  return {
    async admit(tool, input, context, because, noted) {
      sweep();
      const key = `${tool.name} ${digest(input)}`;
      const known = open.get(key);
      if (known === undefined) {
        if (open.size >= MOST_OPEN) throw tooMany(calledAs);
        const question = await confirmation.ask(tool, input, context, because);
        await noted(question);
        throw toAnswer(open.get(key)?.question ?? (await begin(key, question, tool, input)), calledAs);
      }
      context.progress(`waiting for the operator: ${calledAs} approve ${known.question.id}`);
      const yes = await answerTo(known, context.signal);
      if (context.signal.aborted) throw cancelled(tool.name);
      if (yes === undefined && Date.now() < known.question.until) throw toAnswer(known.question, calledAs);
      forget(key, known);
      if (yes === undefined) throw tooLate();
      const reply = { action: yes ? ('accept' as const) : ('decline' as const), confirmed: yes, ticket: known.ticket };
      await confirmation.settle(reply, tool, input, context);
    },
    close() {
      for (const [key, one] of open) forget(key, one);
    },
  };
}

function toAnswer({ id, tool, until }: WaitingQuestion, calledAs: string): Failure {
  const command = `${calledAs} approve ${id}`;
  return new Failure(
    'refused',
    `${tool} waits for the operator's yes in a terminal. Nothing was done.`,
    `Tell the operator to run: ${command} — then call ${tool} again with the same arguments, which waits for the answer.`,
    { facts: { approve: id, command, open_until: new Date(until).toISOString() } },
  );
}

const tooMany = (calledAs: string): Failure =>
  new Failure(
    'busy',
    `${MOST_OPEN} questions wait for the operator already. Nothing was done.`,
    `The operator answers them: ${calledAs} approve`,
  );

const tooLate = (): Failure =>
  new Failure('refused', 'Nobody answered in time. Nothing was done.', 'Call again to be asked anew.');
