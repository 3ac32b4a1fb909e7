import { randomBytes } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type Implementation,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  PROTOCOL_VERSION_META_KEY,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Question, Reply, Ticket } from '../gate/confirm.ts';
import { visibleLine } from '../present/visible.ts';

const KEY = 'confirm';

/** What a 2026-era request says of its client, key by key. */
const envelope = (ctx: ServerContext): Readonly<Record<string, unknown>> => ({ ...ctx.mcpReq.envelope });

/** `name version` of the client, from the request (protocol 2026) or from the handshake (2025). */
export function clientOf(ctx: ServerContext, server: Server): string {
  const info = (envelope(ctx)[CLIENT_INFO_META_KEY] ?? server.getClientVersion()) as
    | Partial<Implementation>
    | undefined;
  return info ? visibleLine(`${info.name ?? 'unknown'} ${info.version ?? ''}`.trim().slice(0, 100)) : 'unknown';
}

/** The version of the protocol that this request is in. */
export const protocolOf = (ctx: ServerContext, server: Server): string | undefined => {
  const said = envelope(ctx)[PROTOCOL_VERSION_META_KEY] ?? server.getNegotiatedProtocolVersion();
  return typeof said === 'string' ? said.slice(0, 40) : undefined;
};

/** Whether the client declared elicitation in form mode; a bare `elicitation: {}` means form mode (MCP 2025-11-25). */
export function canAsk(ctx: ServerContext, server: Server): boolean {
  const declared = envelope(ctx)[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities();
  const elicitation = (declared as ClientCapabilities | undefined)?.elicitation;
  if (elicitation === undefined) return false;
  return elicitation.form !== undefined || Object.keys(elicitation).length === 0;
}

/** Puts the gate's questions to the client and reads its answers back, in both eras of the protocol. */
export interface Asker {
  question(question: Question, ctx: ServerContext): Promise<InputRequiredResult>;
  /** The human's answer when this request carries one. */
  reply(ctx: ServerContext): Reply | undefined;
  /** For the SDK's `requestState.verify`; never throws, a bad seal is told as `{ invalid }`. */
  verify(state: string, ctx: ServerContext): Promise<Ticket | { invalid: string }>;
}

/** An Asker that seals tickets with a key of this process (HMAC), good for `ttlMs`. */
export function createAsker(ttlMs: number): Asker {
  const codec = createRequestStateCodec<Ticket>({ key: randomBytes(32), ttlSeconds: Math.ceil(ttlMs / 1000) });
  return {
    async question({ message, ticket }, ctx) {
      const requestedSchema = {
        type: 'object' as const,
        properties: {
          confirm: { type: 'boolean' as const, title: 'Yes, do it', description: 'Leave it unticked to refuse.' },
        },
        required: ['confirm'],
      };
      const ask = inputRequired.elicit({ message, requestedSchema });
      return inputRequired({ inputRequests: { [KEY]: ask }, requestState: await codec.mint(ticket, ctx) });
    },
    reply(ctx) {
      const response = inputResponse(ctx.mcpReq.inputResponses, KEY);
      if (response.kind !== 'elicit') return undefined;
      const ticket = ctx.mcpReq.requestState<Ticket | { invalid: string }>() ?? { invalid: 'missing' };
      return { action: response.action, confirmed: response.content?.confirm === true, ticket };
    },
    verify: (state, ctx) => codec.verify(state, ctx).catch((error: Error) => ({ invalid: error.message })),
  };
}
