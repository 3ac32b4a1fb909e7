import { z } from 'zod';
import type { Audit, AuditEntry } from '../../src/gate/audit.ts';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { type Call, createGate, type Gate, type Outcome } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import type { Terminal } from '../../src/gate/terminal.ts';
import { answer } from '../../src/present/answer.ts';
import { definePveTool, type Effect, type Setup, type Tool, type ToolContext } from '../../src/toolsets/tool.ts';

export const setup = (over: Partial<Setup> = {}): Setup => ({
  version: '0.0.0',
  mode: 'guarded',
  toolsets: ['pve', 'ssh'],
  protectedGuests: [],
  auditFile: '/nowhere/audit.jsonl',
  taskWaitMs: 60_000,
  commandTimeoutMs: 60_000,
  transferDir: '/nowhere/files',
  problems: [],
  ...over,
});

/** A datacentre of one lamp: tools of each effect over it, and how often each of them ran. */
export function lampTools() {
  const lamp = { lit: true };
  const ran: string[] = [];
  const make = (effect: Effect): Tool =>
    definePveTool({
      name: `pve_lamp_${effect}`,
      title: `Lamp: ${effect}`,
      effect,
      summary: 'A lamp.',
      search: 'light',
      input: {
        colour: z.string().optional().describe('Colour.'),
        times: z.number().int().optional().describe('How often.'),
      },
      ...(effect === 'destroy' && {
        confirm: async () => ({
          message: `Smash the lamp, which is ${lamp.lit ? 'lit' : 'dark'}.`,
          state: { lit: lamp.lit },
        }),
      }),
      alarm: ({ colour }) => (colour === 'infrared' ? 'Infrared burns.' : undefined),
      run: async ({ colour }) => {
        ran.push(effect);
        if (colour === 'broken') throw new Error('fuse');
        return answer(`${effect} done`, { lit: lamp.lit });
      },
    });
  const tools = (['read', 'change', 'destroy', 'execute'] as const).map(make);
  return { lamp, ran, tools };
}

export interface Bench {
  readonly gate: Gate;
  readonly lamp: { lit: boolean };
  readonly ran: string[];
  call(tool: string, args?: unknown, over?: Partial<Call>): Promise<Outcome>;
}

/** A gate over the lamp's tools. Nothing of pve or ssh is reached by them. */
export function bench(
  over: {
    setup?: Partial<Setup>;
    audit?: Audit;
    ttlMs?: number;
    context?: Partial<ToolContext>;
    human?: string;
    terminal?: Terminal;
  } = {},
): Bench {
  const made = setup(over.setup);
  const { lamp, ran, ...lamps } = lampTools();
  const tools = lamps.tools.map((tool) => (tool.effect === 'change' ? { ...tool, human: over.human } : tool));
  const entries: AuditEntry[] = [];
  const gate = createGate({
    registry: createRegistry(tools, made),
    confirmation: createConfirmation(over.ttlMs ?? 60_000, (text) => text),
    terminal: over.terminal,
    audit: over.audit ?? { write: async (entry) => void entries.push(entry), close: async () => undefined },
    setup: made,
    context: (signal, progress) => ({ ...over.context, setup: made, signal, progress }) as ToolContext,
  });
  const call = (tool: string, args: unknown = {}, more: Partial<Call> = {}) =>
    gate({
      tool,
      args,
      client: 'vitest 4',
      canAsk: true,
      signal: new AbortController().signal,
      progress: () => undefined,
      ...more,
    });
  return { gate, lamp, ran, call };
}
