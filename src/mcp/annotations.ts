import type { Tool as McpTool, ToolAnnotations } from '@modelcontextprotocol/server';
import { decide } from '../gate/policy.ts';
import type { PageName } from '../pages/page.ts';
import type { Effect, Setup, Tool } from '../toolsets/tool.ts';
import { inputSchemaOf } from './inputschema.ts';

/** MCP's hints, all of them explicit: a client takes a missing one for "destructive" and "open world". */
const hints: Record<Effect, Omit<ToolAnnotations, 'title'>> = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  change: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  destroy: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  execute: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
};

/** Where a client finds the page of that name (MCP Apps, 2026-01-26). */
export const pageUri = (name: PageName): string => `ui://proxmox-ssh-mcp/${name}.html`;

/**
 * A tool as `tools/list` has it. `anthropic/searchHint` is what Claude Code's tool search reads beside name and
 * description; `anthropic/requiresUserInteraction` makes it ask a person itself, a second barrier where we ask too.
 */
export function describeTool(tool: Tool, { mode, clusters = [] }: Pick<Setup, 'mode' | 'clusters'>): McpTool {
  const asksAnyway = [{ mode }, ...clusters].some((one) => decide(one.mode, tool) === 'ask');
  return {
    name: tool.name,
    title: tool.title,
    description: tool.summary,
    inputSchema: inputSchemaOf(tool),
    annotations: { title: tool.title, ...hints[tool.effect] },
    _meta: {
      'anthropic/searchHint': tool.search,
      ...(tool.page && { ui: { resourceUri: pageUri(tool.page) } }),
      ...(asksAnyway && { 'anthropic/requiresUserInteraction': true }),
    },
  };
}
