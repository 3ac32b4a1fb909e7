import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
  type Transport as ModernTransport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as ClassicClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as ClassicStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as ClassicHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as ClassicTransport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

/** The SDK generation and protocol era that a test speaks: v1 (2025-11-25), v2 in 2025-11-25, v2 in 2026-07-28. */
export type Era = 'v1' | 'v2-2025' | 'v2-2026';
export const eras: readonly Era[] = ['v1', 'v2-2025', 'v2-2026'];

/** How a person answers a question; `dumb` is a client that cannot ask at all. */
export type Person = (message: string) => Promise<Reply> | Reply;
export type Reply = { action: 'accept' | 'decline' | 'cancel'; content?: { confirm: boolean } };

export interface ToolResult {
  readonly isError: boolean;
  readonly text: string;
  readonly facts: Record<string, unknown>;
}

export interface Connected {
  readonly instructions: string;
  readonly protocol: string | undefined;
  readonly pid: number;
  tools(): Promise<readonly ListedTool[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>;
  /** Everything the server wrote to stderr so far. */
  stderr(): string;
  close(): Promise<void>;
}

export interface ListedTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: Record<string, unknown>;
  readonly annotations?: Record<string, unknown>;
  readonly _meta?: Record<string, unknown>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface RawResult {
  readonly isError?: boolean;
  readonly content?: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: unknown;
}

const resultOf = (raw: RawResult): ToolResult => ({
  isError: raw.isError === true,
  text: raw.content?.[0]?.text ?? '',
  facts: (raw.structuredContent ?? {}) as Record<string, unknown>,
});

const info = { name: 'e2e', version: '1.0.0' };

/** A real client of that era, connected over stdio to a server that it started itself. */
export async function connect(era: Era, launch: Launch, person?: Person): Promise<Connected> {
  const params = { command: launch.command, args: [...launch.args], env: { ...launch.env }, stderr: 'pipe' as const };
  const transport = era === 'v1' ? new ClassicStdio(params) : new ModernStdio(params);
  const stderr = collect(transport.stderr);
  const told = (): Process => ({ pid: transport.pid ?? 0, stderr });
  if (transport instanceof ClassicStdio) return connectClassic(transport, told, person);
  return connectModern(era, transport, told, person);
}

/** The same over HTTP, to a server that is there already. */
export async function connectHttp(era: Era, url: string, token: string, person?: Person): Promise<Connected> {
  const options = { requestInit: { headers: { authorization: `Bearer ${token}` } } };
  const told = (): Process => ({ pid: 0, stderr: () => '' });
  if (era !== 'v1') return connectModern(era, new ModernHttp(new URL(url), options), told, person);
  // Its own types disagree about an optional session id.
  return connectClassic(new ClassicHttp(new URL(url), options) as ClassicTransport, told, person);
}

type Process = Pick<Connected, 'pid' | 'stderr'>;

/** What the two generations of client have in common, for the few calls that tests make. */
interface AnyClient {
  getInstructions(): string | undefined;
  listTools(): Promise<{ tools: readonly ListedTool[] }>;
  close(): Promise<void>;
}

interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: { message?: string }) => void;
  readonly timeout: number;
}

type Send = (call: { name: string; arguments: Record<string, unknown> }, options: RequestOptions) => Promise<unknown>;

const connected = (client: AnyClient, protocol: string | undefined, told: Process, send: Send): Connected => ({
  instructions: client.getInstructions() ?? '',
  protocol,
  ...told,
  tools: async () => (await client.listTools()).tools,
  async call(name, args = {}, { signal, onProgress } = {}) {
    const onprogress = onProgress && (({ message }: { message?: string }) => onProgress(message ?? ''));
    return resultOf((await send({ name, arguments: args }, { signal, onprogress, timeout: 120_000 })) as RawResult);
  },
  close: () => client.close(),
});

async function connectClassic(transport: ClassicTransport, told: () => Process, person?: Person): Promise<Connected> {
  const client = new ClassicClient(info, { capabilities: person ? { elicitation: {} } : {} });
  if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params.message));
  await client.connect(transport);
  const send: Send = (call, options) => client.callTool(call, undefined, options);
  return connected(client, '2025-11-25', told(), send);
}

async function connectModern(
  era: Era,
  transport: ModernTransport,
  told: () => Process,
  person?: Person,
): Promise<Connected> {
  const client = new ModernClient(info, {
    capabilities: person ? { elicitation: { form: {} } } : {},
    versionNegotiation: { mode: era === 'v2-2026' ? 'auto' : 'legacy' },
  });
  if (person) client.setRequestHandler('elicitation/create', ({ params }) => person(params.message));
  await client.connect(transport);
  const send: Send = (call, options) => client.callTool(call, options);
  return connected(client, client.getNegotiatedProtocolVersion(), told(), send);
}

function collect(stream: NodeJS.EventEmitter | null | undefined): () => string {
  let text = '';
  stream?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return () => text;
}
