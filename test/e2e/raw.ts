import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Launch } from './clients.ts';

export interface Message {
  readonly jsonrpc: '2.0';
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A server process and its bare stdio: what is written is written as it is, every line it prints is kept. */
export interface RawSession {
  readonly child: ChildProcess;
  /** Every line of stdout, in order. */
  readonly lines: readonly string[];
  /** Replies by id, as often as they came. */
  replies(id: number): readonly Message[];
  stderr(): string;
  write(text: string): void;
  /** Sends a request and waits for its reply. */
  request(method: string, params?: Record<string, unknown>): Promise<Message>;
  /** Sends a request and gives its id. */
  send(method: string, params?: Record<string, unknown>): number;
  reply(id: number): Promise<Message>;
  /** Lets go of all lines and replies that were read so far. */
  forget(): void;
  /** Resolves with exit code and signal when the process is gone, and the milliseconds since it was asked. */
  readonly gone: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts the server; `initialize` makes it a 2025-11-25 session. */
export function startRaw({ command, args, env }: Launch): RawSession {
  const child = spawn(command, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const byId = new Map<number, Message[]>();
  const waiting = new Map<number, (message: Message) => void>();
  let errors = '';
  let last = 0;
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const message = parse(line);
    if (typeof message?.id !== 'number' || message.method !== undefined) return;
    byId.set(message.id, [...(byId.get(message.id) ?? []), message]);
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  const write = (text: string): void => {
    child.stdin.write(text);
  };
  const send = (method: string, params: Record<string, unknown> = {}): number => {
    last += 1;
    write(`${JSON.stringify({ jsonrpc: '2.0', id: last, method, params })}\n`);
    return last;
  };
  const reply = (id: number): Promise<Message> =>
    new Promise((resolve) => {
      const there = byId.get(id)?.[0];
      if (there) resolve(there);
      else waiting.set(id, resolve);
    });
  return {
    child,
    lines,
    write,
    send,
    reply,
    forget() {
      lines.length = 0;
      byId.clear();
    },
    replies: (id) => byId.get(id) ?? [],
    stderr: () => errors,
    request: (method, params) => reply(send(method, params)),
    gone: new Promise((resolve) => {
      child.on('exit', (code, signal) => resolve({ code, signal }));
    }),
  };
}

/** The line as JSON-RPC, or undefined. */
export function parse(line: string): Message | undefined {
  try {
    const message = JSON.parse(line) as Message;
    return message.jsonrpc === '2.0' ? message : undefined;
  } catch {
    return undefined;
  }
}

export async function initialize(session: RawSession): Promise<Message> {
  const clientInfo = { name: 'raw', version: '1' };
  const hello = await session.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  session.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return hello;
}
