import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { takingCluster } from '../../src/gate/clusters.ts';
import { answer } from '../../src/present/answer.ts';
import { definePveTool, type Tool, type ToolContext } from '../../src/toolsets/tool.ts';
import { lampTools } from './harness.ts';

const names = ['home', 'attic'];
const inAttic = { cluster: 'attic' } as ToolContext;

/** A tool that tells by everything that may be asked of it what it was given. */
function telling() {
  const given: unknown[] = [];
  const told = <T>(input: unknown, value: T): T => {
    given.push(input);
    return value;
  };
  const tool: Tool = {
    ...definePveTool({
      name: 'pve_x_destroy',
      title: 'X',
      effect: 'destroy',
      summary: 'X.',
      search: 'x',
      input: { guest: z.number() },
      confirm: async (input) => told(input, { message: 'Gone.', state: { n: 1 } }),
      run: async (input) => told(input, answer('done', { n: 1 })),
    }),
    touches: (input) => told(input, [7]),
    alarm: (input) => told(input, 'It burns.'),
    commands: async (input) => told(input, [{ place: 'pve1', script: 'x', rules: {} }]),
  };
  return { given, tool: takingCluster(tool, names) };
}

describe('a tool where there are several clusters', () => {
  it('takes the name of one of them, and itself knows nothing of it', async () => {
    const { tool, given } = telling();
    const input = { guest: 400, cluster: 'attic' };
    expect(tool.schema.safeParse(input).success).toBe(true);
    expect(tool.schema.safeParse({ guest: 400 }).success).toBe(true);
    expect(tool.schema.safeParse({ guest: 400, cluster: 'cellar' }).success).toBe(false);
    expect(tool.touches?.(input, inAttic)).toEqual([7]);
    expect(tool.alarm?.(input, inAttic)).toBe('It burns.');
    expect(await tool.commands?.(input, inAttic)).toEqual([{ place: 'pve1', script: 'x', rules: {} }]);
    expect(await tool.confirm?.(input, inAttic)).toEqual({
      message: 'In the cluster attic:\nGone.',
      state: { n: 1 },
    });
    expect(await tool.run(input, inAttic)).toEqual({
      headline: 'attic: done',
      facts: { in_cluster: 'attic', n: 1 },
    });
    expect(given).toEqual(Array(5).fill({ guest: 400 }));
  });

  it('says nothing of a cluster where it was about all of them', async () => {
    const all = {} as ToolContext;
    expect(await telling().tool.run({ guest: 400 }, all)).toEqual({ headline: 'done', facts: { n: 1 } });
  });

  it('has no more to be asked of it than before, and is itself where no cluster matters', () => {
    const [read] = lampTools().tools;
    if (!read) throw new Error('no tool');
    const { alarm: _, ...quiet } = read;
    const taking = takingCluster(quiet, names);
    expect([taking.touches, taking.alarm, taking.commands, taking.confirm]).toEqual(Array(4).fill(undefined));
    const server: Tool = { ...read, toolset: 'server' };
    expect(takingCluster(server, names)).toBe(server);
  });
});
