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

/**
 * A tool as `tools/list` has it. `anthropic/searchHint` is what Claude Code's tool search reads beside name and
 * description; `anthropic/requiresUserInteraction` makes it ask a person itself, a second barrier where we ask too.
 */
export function describeTool(tool: Tool, mode: Setup['mode']): McpTool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(tool.schema, { io: 'input' });
  const asksAnyway = tool.effect === 'destroy' && mode !== 'trusted';
  return {
    name: tool.name,
    title: tool.title,
    description: tool.summary,
    inputSchema: inputSchema as McpTool['inputSchema'],
    annotations: { title: tool.title, ...hints[tool.effect] },
    _meta: {
      'anthropic/searchHint': tool.search,
      ...(asksAnyway && { 'anthropic/requiresUserInteraction': true }),
    },
  };
}
