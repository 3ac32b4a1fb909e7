import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { createRegistry } from '../src/gate/registry.ts';
import { describeTool } from '../src/mcp/annotations.ts';
import { tools } from '../src/toolsets/index.ts';
import type { ToolChoice } from '../src/toolsets/tool.ts';

/** What a choice of tools takes of a model's context: o200k tokens of name, description and input schema of each. */
export interface Weight {
  readonly tools: number;
  readonly tokens: number;
  /** Heaviest first. */
  readonly each: readonly { readonly name: string; readonly tokens: number }[];
}

/** What each choice may take. */
export const mostTokens: Readonly<Record<'core' | 'full', number>> = { core: 6_000, full: 12_000 };

export function weigh(choice: ToolChoice): Weight {
  const { listed } = createRegistry(tools, { mode: 'guarded', toolsets: [choice] });
  const each = listed.map((tool) => {
    const { name, description, inputSchema } = describeTool(tool, { mode: 'guarded' });
    return { name, tokens: countTokens(JSON.stringify({ name, description, inputSchema })) };
  });
  const tokens = each.reduce((sum, one) => sum + one.tokens, 0);
  return { tools: listed.length, tokens, each: each.sort((a, b) => b.tokens - a.tokens) };
}
