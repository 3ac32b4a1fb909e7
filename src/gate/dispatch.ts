import { randomUUID } from 'node:crypto';
import { asFailure, cancelled, Failure } from '../failure.ts';
import type { Answer, Facts } from '../present/answer.ts';
import type { Setup, Tool, ToolContext } from '../toolsets/tool.ts';
import { type Audit, type AuditEntry, unaudited } from './audit.ts';
import type { Confirmation, Question, Reply } from './confirm.ts';
import { parseInput } from './parse.ts';
import { decide } from './policy.ts';
import { refuseProtected } from './protect.ts';
import type { Registry } from './registry.ts';

/** One tool call as it comes from the protocol edge. */
export interface Call {
  readonly tool: string;
  readonly args: unknown;
  /** Name and version of the client, for the audit. */
  readonly client: string;
  /** The version of MCP that it speaks, for the audit. */
  readonly protocol?: string;
  /** Whether this client can put a question to a human. */
  readonly canAsk: boolean;
  /** Of what is no tool to the client, such as a resource: a tool that only reads need not be among the chosen ones. */
  readonly unlisted?: true;
  /** Present when this is the second round of a call that was asked about. */
  readonly reply?: Reply;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly failure: Failure }
  | { readonly kind: 'question'; readonly question: Question };

export interface GateParts {
  readonly registry: Registry;
  readonly confirmation: Confirmation;
  readonly audit: Audit;
  readonly setup: Setup;
  /** What a tool may use in one call. */
  readonly context: (signal: AbortSignal, progress: (message: string) => void) => ToolContext;
}

export type Gate = (call: Call) => Promise<Outcome>;

function cannotAsk({ name, human }: Tool, mode: string): Failure {
  const client = 'Use a client with elicitation (Claude Code has it)';
  if (human !== undefined) {
    const text = `${name} has to be confirmed by a human, and this client cannot ask one.`;
    return new Failure('refused', text, `${client}. ${human}`);
  }
  return new Failure(
    'refused',
    `${name} has to be confirmed by a human in ${mode} mode, and this client cannot ask one.`,
    `${client}, or the operator can set MCP_MODE=trusted and restart the server.`,
  );
}

/** What the question of this answer is known by, for the audit. */
const nonceOf = ({ reply }: Call): string | undefined =>
  reply && 'nonce' in reply.ticket ? reply.ticket.nonce : undefined;

/** The one road of every call: parse, decide, ask, note, run, note. */
export function createGate({ registry, confirmation, audit, setup, context: contextOf }: GateParts): Gate {
  /** The question that has to be answered first, or how the call was let through. */
  const admit = async (
    call: Call,
    tool: Tool,
    input: Record<string, unknown>,
    context: ToolContext,
  ): Promise<Question | 'mode' | 'confirmed'> => {
    const alarm = tool.alarm?.(input, context);
    const decision = decide(setup.mode, tool, alarm);
    if (decision === 'ask' && !call.canAsk) throw cannotAsk(tool, setup.mode);
    await refuseProtected(tool, input, context);
    if (decision === 'allow') return 'mode';
    if (!call.reply) return confirmation.ask(tool, input, context, alarm);
    await confirmation.settle(call.reply, tool, input, context);
    return 'confirmed';
  };

  /** Where a note cannot be written, reads are still answered and what was done stays done; nothing else begins. */
  const note = async (tool: Tool, entry: Omit<AuditEntry, 'tool' | 'effect'>): Promise<void> => {
    await audit.write({ tool: tool.name, effect: tool.effect, ...entry }).catch((error: unknown) => {
      if (tool.effect !== 'read' && entry.kind !== 'outcome') throw unaudited(tool, setup.auditFile, error);
    });
  };

  return async (call) => {
    const { client, protocol } = call;
    const line = { call: randomUUID().slice(-12), client, protocol, mode: setup.mode };
    const context = contextOf(call.signal, call.progress);
    const began = performance.now();
    let tool: Tool | undefined;
    let input: Record<string, unknown> | undefined;
    const outcome = async (verdict: string, message: string, facts: Facts): Promise<void> => {
      const durationMs = Math.round(performance.now() - began);
      if (tool) await note(tool, { ...line, kind: 'outcome', input, verdict, message, facts, durationMs });
    };
    try {
      tool = await registry.find(call.tool, call.unlisted);
      input = parseInput(tool, call.args);
      const given = input;
      const admitted = await admit(call, tool, given, context);
      if (typeof admitted === 'object') {
        await note(tool, { ...line, kind: 'asked', input, message: admitted.message, nonce: admitted.ticket.nonce });
        return { kind: 'question', question: admitted };
      }
      if (tool.effect !== 'read') {
        await note(tool, { ...line, kind: 'intent', input, approved: admitted, nonce: nonceOf(call) });
        input = undefined;
      }
      if (call.signal.aborted) throw cancelled(tool.name);
      const answer = await tool.run(given, context);
      await outcome('ok', answer.headline, answer.facts);
      return { kind: 'answer', answer };
    } catch (error) {
      const failure = asFailure(error);
      await outcome(failure.kind, failure.message, failure.facts);
      return { kind: 'failure', failure };
    }
  };
}
