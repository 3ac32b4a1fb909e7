import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseInput } from '../../src/gate/parse.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { answer } from '../../src/present/answer.ts';
import { definePveTool, type Effect, type Tool } from '../../src/toolsets/tool.ts';

const tool = (name: string, input: z.ZodRawShape = {}, effect: Effect = 'read'): Tool =>
  definePveTool({
    name,
    title: name,
    effect,
    summary: 'X.',
    search: 'x',
    input,
    confirm: async () => ({ message: 'x', state: {} }),
    run: async () => answer('x', {}),
  });

/** What is told of these arguments, and which are right. */
function refusal(input: z.ZodRawShape, args: unknown): readonly [message: string, hint: string] {
  try {
    return ['right', JSON.stringify(parseInput(tool('pve_x_get', input), args))];
  } catch (error) {
    const { kind, message, hint } = error as { kind: string; message: string; hint: string };
    expect(kind).toBe('invalid-input');
    return [message, hint];
  }
}

describe('the arguments of a call', () => {
  it('may be none at all where none is needed', () => {
    for (const args of [undefined, null, {}]) expect(refusal({}, args)).toEqual(['right', '{}']);
    expect(refusal({ n: z.number().default(3) }, undefined)).toEqual(['right', '{"n":3}']);
  });

  it('are told with all that is wrong of them, and what the tool takes', () => {
    expect(refusal({}, { a: 1 })).toEqual(['Wrong arguments: unknown parameter a.', 'pve_x_get takes no parameters.']);
    expect(
      refusal({ a: z.string(), b: z.array(z.object({ c: z.number() })) }, { b: [{ c: 'x' }], d: 1, e: 2 }),
    ).toEqual([
      'Wrong arguments: a: is missing; b.0.c: expected number, received string; ' + 'unknown parameter d, e.',
      'pve_x_get takes a, b.',
    ]);
    expect(refusal({ a: z.string() }, 'text')).toEqual([
      'Wrong arguments: expected object, received string.',
      'pve_x_get takes a.',
    ]);
    const either = z.union([z.number(), z.string(), z.array(z.number())]);
    expect(refusal({ a: either }, { a: [true] })[0]).toBe(
      'Wrong arguments: a: expected number, received array, or expected string, received array, ' +
        'or expected number, received boolean.',
    );
  });

  it('are told to the tenth mistake', () => {
    const shape = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, z.string()]));
    expect(refusal(shape(10), {})[0]).toMatch(/; k9: is missing\.$/);
    expect(refusal(shape(11), {})[0]).toMatch(/; k9: is missing; and 1 more\.$/);
  });

  it('have eight million characters of JSON at most', () => {
    const most = 8 * 1024 * 1024;
    const text = 'x'.repeat(most - '{"a":""}'.length);
    expect(refusal({ a: z.string() }, { a: text })[0]).toBe('right');
    expect(refusal({ a: z.string() }, { a: `${text}x` })).toEqual([
      'The arguments are longer than 8388608 characters, or nested too deeply.',
      'Send less at once.',
    ]);
  });
});

describe('the tools of a process', () => {
  const tools = [
    tool('pve_b', {}, 'destroy'),
    tool('pve_a'),
    { ...tool('ssh_c'), toolset: 'ssh' as const },
    { ...tool('server_d'), toolset: 'server' as const },
    { ...tool('pve_e'), core: true as const },
  ];
  const listed = (mode: 'read-only' | 'guarded', ...toolsets: ('core' | 'full' | 'pve' | 'ssh')[]) =>
    createRegistry(tools, { mode, toolsets }).listed.map(({ name }) => name);

  it('are those that are chosen and the mode leaves, in the order of their names', () => {
    expect(listed('guarded', 'full')).toEqual(['pve_a', 'pve_b', 'pve_e', 'server_d', 'ssh_c']);
    expect(listed('read-only', 'full')).toEqual(['pve_a', 'pve_e', 'server_d', 'ssh_c']);
    expect(listed('guarded', 'pve')).toEqual(['pve_a', 'pve_b', 'pve_e', 'server_d']);
    expect(listed('guarded', 'ssh')).toEqual(['server_d', 'ssh_c']);
    expect(listed('guarded', 'core')).toEqual(['pve_e', 'server_d']);
    expect(listed('guarded', 'core', 'ssh')).toEqual(['pve_e', 'server_d', 'ssh_c']);
  });

  it('are found by their names, one that only reads even where it is left out', async () => {
    const registry = createRegistry(tools, { mode: 'read-only', toolsets: ['ssh'] });
    expect((await registry.find('ssh_c')).name).toBe('ssh_c');
    expect((await registry.find('pve_a', true)).name).toBe('pve_a');
    await expect(registry.find('pve_a')).rejects.toMatchObject({
      kind: 'refused',
      message: 'pve_a is not one of the chosen tools (ssh).',
      hint: 'The operator can set MCP_TOOLSETS=ssh,pve or MCP_TOOLSETS=full and restart the server.',
    });
    await expect(registry.find('pve_b', true)).rejects.toMatchObject({ kind: 'refused', sign: { is: 'read-only' } });
    await expect(registry.find('pve_a')).rejects.toMatchObject({ sign: undefined });
    const several = createRegistry(tools, { mode: 'guarded', toolsets: ['core', 'ssh'] });
    await expect(several.find('pve_a')).rejects.toMatchObject({
      message: 'pve_a is not one of the chosen tools (core, ssh).',
    });
    const unloaded = createRegistry([], { mode: 'guarded', toolsets: ['ssh'] }, async () => tools);
    await expect(unloaded.find('pve_a')).rejects.toMatchObject({ kind: 'refused' });
  });

  it('are told by the nearest three, of a name that is cut at 128 characters', async () => {
    const registry = createRegistry(tools, { mode: 'guarded', toolsets: ['full'] });
    await expect(registry.find('ssh_b')).rejects.toMatchObject({
      kind: 'not-found',
      message: 'There is no tool ssh_b.',
      hint: 'Nearest: ssh_c, pve_b, pve_a.',
    });
    await expect(registry.find('n'.repeat(200))).rejects.toMatchObject({
      message: `There is no tool ${'n'.repeat(128)}.`,
    });
  });
});
