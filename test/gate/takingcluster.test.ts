import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AuditEntry } from '../../src/gate/audit.ts';
import { takingCluster } from '../../src/gate/clusters.ts';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { createGate } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { answer } from '../../src/present/answer.ts';
import { definePveTool, type Tool, type ToolContext } from '../../src/toolsets/tool.ts';
import { lampTools, setup } from './harness.ts';

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

describe('a call where there are several clusters', () => {
  /** A gate of a guarded and a read-only cluster, whose calls are about that one. */
  function gateOf(chosen: string | undefined) {
    const { tools, ran } = lampTools();
    const clusters = [
      { name: 'home', mode: 'guarded' },
      { name: 'attic', mode: 'read-only' },
    ] as const;
    const made = setup({ clusters });
    const entries: AuditEntry[] = [];
    const gate = createGate({
      registry: createRegistry(tools, made),
      confirmation: createConfirmation(1_000, (text) => text),
      audit: { write: async (entry) => void entries.push(entry), close: async () => undefined },
      setup: made,
      choose: async () => chosen,
      context: (_signal, _progress, cluster) => {
        const mode = clusters.find(({ name }) => name === cluster)?.mode ?? 'guarded';
        return { cluster, setup: { ...made, mode } } as ToolContext;
      },
    });
    const call = (tool: string) =>
      gate({
        tool,
        args: { colour: 'red' },
        client: 'vitest 4',
        canAsk: true,
        signal: new AbortController().signal,
        progress: () => undefined,
      });
    return { call, ran, entries };
  }

  it('is judged by the mode of its cluster, and noted with both', async () => {
    const { call, ran, entries } = gateOf('attic');
    expect(await call('pve_lamp_change')).toMatchObject({
      failure: {
        kind: 'refused',
        message: 'pve_lamp_change is not available in read-only mode: its effect is change.',
      },
    });
    expect(await call('pve_lamp_read')).toMatchObject({ cluster: 'attic', answer: { headline: 'attic: read done' } });
    expect(ran).toEqual(['read']);
    const input = { colour: 'red', cluster: 'attic' };
    expect(entries).toMatchObject([
      { mode: 'read-only', input, verdict: 'refused' },
      { mode: 'read-only', input, verdict: 'ok' },
    ]);
  });

  it('is noted without a cluster where it is about none', async () => {
    const { call, entries } = gateOf(undefined);
    expect(await call('pve_lamp_read')).toMatchObject({ cluster: undefined, answer: { headline: 'read done' } });
    expect(entries.map(({ input }) => input)).toEqual([{ colour: 'red' }]);
  });
});
