import { randomUUID } from 'node:crypto';
import { asFailure, cancelled, type Failure } from '../failure.ts';
import type { Answer, Facts } from '../present/answer.ts';
import type { Setup, Tool, ToolContext } from '../toolsets/tool.ts';
import { type Asker, type Askers, createAdmit } from './admit.ts';
import { type Audit, type AuditEntry, unaudited } from './audit.ts';
import type { ChooseCluster } from './clusters.ts';
import type { Confirmation, Question } from './confirm.ts';
import { parseInput } from './parse.ts';
import type { Registry } from './registry.ts';

/** One tool call as it comes from the protocol edge. */
export interface Call extends Asker {
  readonly tool: string;
  readonly args: unknown;
  /** Name and version of the client, for the audit. */
  readonly client: string;
  /** The version of MCP that it speaks, for the audit. */
  readonly protocol?: string;
  /** Of what is no tool to the client, such as a resource: a tool that only reads need not be among the chosen ones. */
  readonly unlisted?: true;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** What came of a call, and the cluster that it was about, where there are several. */
export type Outcome = { readonly cluster?: string } & (
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly failure: Failure }
  | { readonly kind: 'question'; readonly question: Question }
);

export interface GateParts {
  readonly registry: Registry;
  readonly confirmation: Confirmation;
  readonly terminal?: Askers['terminal'];
  readonly audit: Audit;
  readonly setup: Pick<Setup, 'auditFile' | 'mode'>;
  /** Where there are several clusters. */
  readonly choose?: ChooseCluster;
  /** What a tool may use in one call, which is about that cluster. */
  readonly context: (signal: AbortSignal, progress: (message: string) => void, cluster?: string) => ToolContext;
}

export type Gate = (call: Call) => Promise<Outcome>;

/** What the question of this answer is known by, for the audit. */
const nonceOf = ({ reply }: Call): string | undefined =>
  reply && 'nonce' in reply.ticket ? reply.ticket.nonce : undefined;

/** The one road of every call: parse, decide, ask, note, run, note. */
export function createGate(parts: GateParts): Gate {
  const { registry, confirmation, terminal, audit, setup, choose, context: contextOf } = parts;
  const admit = createAdmit({ confirmation, terminal });

  /** Where a note cannot be written, reads are still answered and what was done stays done; nothing else begins. */
  const note = async (tool: Tool, entry: Omit<AuditEntry, 'tool' | 'effect'>): Promise<void> => {
    await audit.write({ tool: tool.name, effect: tool.effect, ...entry }).catch((error: unknown) => {
      if (tool.effect !== 'read' && entry.kind !== 'outcome') throw unaudited(tool, setup.auditFile, error);
    });
  };

  return async (call) => {
    const { client, protocol } = call;
    let line: Pick<AuditEntry, 'call' | 'client' | 'protocol' | 'mode'> = {
      call: randomUUID().slice(-12),
      client,
      protocol,
      mode: setup.mode,
    };
    const began = performance.now();
    let tool: Tool | undefined;
    let input: Record<string, unknown> | undefined;
    let cluster: string | undefined;
    const outcome = async (verdict: string, message: string, facts: Facts): Promise<void> => {
      const durationMs = Math.round(performance.now() - began);
      if (tool) await note(tool, { ...line, kind: 'outcome', input, verdict, message, facts, durationMs });
    };
    try {
      tool = await registry.find(call.tool, call.unlisted);
      input = parseInput(tool, call.args);
      cluster = await choose?.(tool, input, call.signal);
      if (cluster !== undefined && tool.clusters) input = { ...input, cluster };
      const context = contextOf(call.signal, call.progress, cluster);
      line = { ...line, mode: context.setup.mode };
      const given = input;
      const named = tool;
      const noted = ({ message, ticket }: Question): Promise<void> =>
        note(named, { ...line, kind: 'asked', input: given, message, nonce: ticket.nonce });
      const admitted = await admit(call, tool, given, context, noted);
      if (typeof admitted === 'object') {
        await noted(admitted);
        return { kind: 'question', question: admitted, cluster };
      }
      if (tool.effect !== 'read') {
        await note(tool, { ...line, kind: 'intent', input, approved: admitted, nonce: nonceOf(call) });
        input = undefined;
      }
      if (call.signal.aborted) throw cancelled(tool.name);
      const answer = await tool.run(given, context);
      await outcome('ok', answer.headline, answer.facts);
      return { kind: 'answer', answer, cluster };
    } catch (error) {
      const failure = asFailure(error);
      await outcome(failure.kind, failure.message, failure.facts);
      return { kind: 'failure', failure, cluster };
    }
  };
}
