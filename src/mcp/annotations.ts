import type { Tool as McpTool, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Effect, Setup, Tool } from '../toolsets/tool.ts';

/** MCP's hints, all of them explicit: a client takes a missing one for "destructive" and "open world". */
const hints: Record<Effect, Omit<ToolAnnotations, 'title'>> = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  change: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  destroy: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  execute: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
};

/** What the gate checks and no model acts on; without it the whole list takes a tenth less of a model's context. */
const untold: ReadonlySet<string> = new Set(['$schema', 'minLength', 'maxLength', 'propertyNames']);

const told = (schema: object): McpTool['inputSchema'] =>
  JSON.parse(JSON.stringify(schema, (key, value) => (untold.has(key) ? undefined : value)));

/**
 * A tool as `tools/list` has it. `anthropic/searchHint` is what Claude Code's tool search reads beside name and
 * description; `anthropic/requiresUserInteraction` makes it ask a person itself, a second barrier where we ask too.
 */
export function describeTool(tool: Tool, mode: Setup['mode']): McpTool {
  const asksAnyway = tool.effect === 'destroy' && mode !== 'trusted';
  return {
    name: tool.name,
    title: tool.title,
    description: tool.summary,
    inputSchema: told(z.toJSONSchema(tool.schema, { io: 'input' })),
    annotations: { title: tool.title, ...hints[tool.effect] },
    _meta: {
      'anthropic/searchHint': tool.search,
      ...(asksAnyway && { 'anthropic/requiresUserInteraction': true }),
    },
  };
}
