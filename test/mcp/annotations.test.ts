import { describe, expect, it } from 'vitest';
import type { Mode } from '../../src/gate/policy.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { describeTool } from '../../src/mcp/annotations.ts';
import { tools } from '../../src/toolsets/index.ts';
import { setup } from '../gate/harness.ts';

const modes: readonly Mode[] = ['read-only', 'guarded', 'ask', 'trusted'];

describe.each(modes)('guarantee 20: in %s mode Claude Code is told to ask a person too', (mode) => {
  const { listed } = createRegistry(tools, setup({ mode, toolsets: ['full'] }));
  const marked = listed.filter(
    (tool) => describeTool(tool, { mode })._meta?.['anthropic/requiresUserInteraction'] !== undefined,
  );

  it('for exactly the tools that we ask about whatever their input', () => {
    const effects = { 'read-only': [], guarded: ['destroy'], ask: ['change', 'execute', 'destroy'], trusted: [] };
    const asked = listed.filter(({ effect, human }) => human !== undefined || effects[mode].includes(effect as never));
    expect(marked.map(({ name }) => name)).toEqual(asked.map(({ name }) => name));
    expect(marked.map(({ name }) => name).includes('ssh_host_trust')).toBe(mode !== 'read-only');
  });

  it('with hints that say the same', () => {
    for (const tool of listed) {
      const { annotations } = describeTool(tool, { mode });
      expect(annotations?.readOnlyHint, tool.name).toBe(tool.effect === 'read');
      if (tool.effect === 'destroy') expect(annotations?.destructiveHint, tool.name).toBe(true);
    }
  });
});
