import {
  type CallToolRequest,
  type CallToolResult,
  type JsonSchemaValidator,
  type jsonSchemaValidator,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Gate } from '../gate/dispatch.ts';
import type { Registry } from '../gate/registry.ts';
import type { AuditCall } from '../log/calls.ts';
import type { Present, Presented } from '../present/present.ts';
import type { Names } from '../toolsets/names.ts';
import type { Setup } from '../toolsets/tool.ts';
import { describeTool } from './annotations.ts';
import { type Asker, canAsk, clientOf, protocolOf } from './asker.ts';
import { serveCompletion } from './completion.ts';
import { untilEither } from './either.ts';
import { instructions } from './instructions.ts';
import { servePrompts } from './prompts.ts';
import { serveResources } from './resources.ts';

/** What the protocol edge is built from. */
export interface Edge {
  readonly gate: Gate;
  readonly registry: Registry;
  readonly present: Present;
  readonly asker: Asker;
  readonly setup: Pick<Setup, 'version' | 'mode' | 'toolsets' | 'clusters'>;
  /** The newest calls of the audit, the newest last. */
  readonly recent: () => Promise<readonly AuditCall[]>;
  /** What there is to be named, for lists and completion. */
  readonly names: () => Promise<Names>;
  /** How long a 2025-era client may take to answer a question. */
  readonly confirmTimeoutMs: number;
  /** Aborts when the process is about to end; its reason says so. */
  readonly shutdown: AbortSignal;
  /** Told of every call's promise, its presenting included, so that a shutdown can wait for its answer. */
  readonly track: (call: Promise<unknown>) => void;
}

const asResult = ({ text, structured, isError }: Presented): CallToolResult => ({
  content: [{ type: 'text', text }],
  structuredContent: structured as Record<string, unknown>,
  ...(isError && { isError }),
});

/** Progress notifications for the call, where the client wants them; each one counts up, as the protocol asks. */
function progressTo(ctx: ServerContext, present: Present): (message: string) => void {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  let progress = 0;
  return (message) => {
    if (progressToken === undefined || ctx.mcpReq.signal.aborted) return;
    progress += 1;
    const params = { progressToken, progress, message: present.line(message) };
    ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

/** Lets a client's answer to a question through as it is: the asker reads the one field of it, and trusts nothing else. */
const unchecked: jsonSchemaValidator = {
  getValidator<T>(): JsonSchemaValidator<T> {
    return (input) => ({ valid: true, data: input as T, errorMessage: undefined });
  },
};

/** An MCP server over the gate. One is built for each connection; both protocol eras are served by it. */
export function buildServer(edge: Edge): McpServer {
  const { gate, registry, present, asker, setup } = edge;
  const mcp = new McpServer(
    { name: 'proxmox-ssh-mcp', title: 'Proxmox VE and SSH', version: setup.version },
    {
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
      instructions,
      requestState: { verify: asker.verify },
      jsonSchemaValidator: unchecked,
      inputRequired: { roundTimeoutMs: edge.confirmTimeoutMs },
    },
  );
  const { server } = mcp;
  server.setRequestHandler('tools/list', () => ({
    tools: registry.listed.map((tool) => describeTool(tool, setup)),
  }));
  const answered = async (params: CallToolRequest['params'], ctx: ServerContext) => {
    const call = {
      tool: params.name,
      args: params.arguments,
      client: clientOf(ctx, server),
      protocol: protocolOf(ctx, server),
      canAsk: canAsk(ctx, server),
      reply: asker.reply(ctx),
      progress: progressTo(ctx, present),
    };
    const outcome = await untilEither(edge.shutdown, ctx.mcpReq.signal, (signal) => gate({ ...call, signal }));
    if (outcome.kind === 'question') return asker.question(outcome.question, ctx);
    return asResult(
      outcome.kind === 'answer' ? await present.answer(outcome.answer) : await present.failure(outcome.failure),
    );
  };
  server.setRequestHandler('tools/call', ({ params }, ctx) => {
    const call = answered(params, ctx);
    edge.track(call);
    return call;
  });
  serveResources(server, edge);
  servePrompts(server, edge);
  serveCompletion(server, edge);
  return mcp;
}
