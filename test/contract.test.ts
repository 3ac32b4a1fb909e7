import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { core } from '../src/toolsets/core.ts';
import { tools } from '../src/toolsets/index.ts';
import type { Tool } from '../src/toolsets/tool.ts';
import { type Bench, startBench } from './toolsets/harness.ts';

const folder = join(import.meta.dirname, '../src/toolsets');

/** `pve/guest-list.ts` for every file of a toolset that defines a tool. */
async function definitions(): Promise<{ readonly file: string; readonly tool: Tool }[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\/[\w-]+\.ts$/.test(file));
  const modules = await Promise.all(
    files.map(async (file) => ({ file, tool: ((await import(join(folder, file))) as { default?: Tool }).default })),
  );
  return modules.filter((one): one is { file: string; tool: Tool } => one.tool !== undefined);
}

/** The one tool that is known by another program's name. */
const named: Record<string, string> = { 'ssh/pct-exec.ts': 'pct_exec' };
const nameOf = (file: string): string => named[file] ?? file.replace(/\.ts$/, '').replace(/[/-]/g, '_');

type Schema = { properties?: Record<string, Schema>; description?: string; [key: string]: unknown };
const schemaOf = (tool: Tool): Schema => z.toJSONSchema(tool.schema, { io: 'input' }) as Schema;

describe('the list of tools', () => {
  it('holds every file that defines one, and nothing else', async () => {
    const defined = (await definitions()).map(({ tool }) => tool.name);
    expect(tools.map(({ name }) => name)).toEqual(defined.sort());
  });

  it('loads at a usual start what is marked as core, and nothing else', () => {
    const usual = tools.filter((tool) => tool.core || tool.toolset === 'server');
    expect(core.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(usual);
  });

  it('is sorted by name, and no name or title is there twice', () => {
    const names = tools.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(new Set(tools.map(({ title }) => title)).size).toBe(tools.length);
  });

  it('has a test for each', () => {
    const tests = tools.map(({ name }) => `${name.replaceAll('_', '-')}.test.ts`);
    expect(readdirSync(join(import.meta.dirname, 'toolsets'))).toEqual(expect.arrayContaining(tests));
  });

  it('names each tool after its file', async () => {
    for (const { file, tool } of await definitions()) expect(tool.name).toBe(nameOf(file));
  });
});

describe.each(tools.map((tool) => [tool.name, tool] as const))('%s', (name, tool) => {
  const schema = schemaOf(tool);
  const parameters = Object.entries(schema.properties ?? {});

  it('has a name that fits every client', () => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/);
    expect(`mcp__proxmox-ssh-mcp__${name}`.length).toBeLessThanOrEqual(64);
  });

  it('says in few words what it is', () => {
    expect(tool.title).toMatch(/^[A-Z].{3,58}[^.]$/);
    expect(tool.summary.length).toBeLessThan(400);
    expect(tool.summary).toMatch(/^[A-Z].*\.$/s);
  });

  it('can be found by words that its name and summary lack', () => {
    const known = `${name} ${tool.summary}`.toLowerCase();
    const words = tool.search.split(' ');
    expect(words.filter((word) => !known.includes(word)).length).toBeGreaterThanOrEqual(3);
  });

  it('has one effect, and asks before what cannot be undone', () => {
    expect(['read', 'change', 'destroy', 'execute']).toContain(tool.effect);
    if (tool.effect === 'destroy') expect(tool.confirm).toBeTypeOf('function');
    if (tool.effect === 'read') expect(tool.confirm ?? tool.alarm).toBeUndefined();
    if (tool.effect === 'execute')
      expect([tool.alarm, tool.commands]).toEqual([expect.any(Function), expect.any(Function)]);
  });

  it('describes every parameter, and takes no other', () => {
    for (const [parameter, { description }] of parameters) {
      expect(parameter).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(description, parameter).toMatch(/^.{3,200}\.$/s);
    }
    expect(schema.additionalProperties).toBe(false);
    expect(tool.schema.safeParse({ no_such_parameter: 1 }).success).toBe(false);
  });

  it('has an object without unions at the root of its schema', () => {
    expect(schema.type).toBe('object');
    expect(Object.keys(schema).filter((key) => /Of$/.test(key))).toEqual([]);
  });

  it('names a guest that it does something to where the gate looks for it', () => {
    const about = parameters
      .map(([parameter]) => parameter)
      .filter((one) => one !== 'new_vmid' && /guest|vmid|target|^(ct|vm|lxc|id)$/.test(one));
    if (tool.effect !== 'read' && !tool.touches) expect(about).toHaveLength(1);
    expect(['guest', 'vmid', 'target', 'targets']).toEqual(expect.arrayContaining(about));
    if (tool.effect !== 'read' && about.includes('targets'))
      expect(tool.touches?.({ targets: ['pve1', 'ct/400', 'lxc/401', 'vm/402', 'qemu/403'] })).toEqual([
        400, 401, 402, 403,
      ]);
    if (parameters.some(([parameter]) => parameter === 'new_vmid'))
      expect(tool.touches?.({ new_vmid: 400 })).toContain(400);
  });
});

describe('a tool that reads', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
    await bench.call('ssh_exec', { target: 'pve1', script: 'true', wait_s: 0 });
    await bench.call('ssh_session_open', { target: 'pve1', name: 'work' });
  });
  afterAll(() => bench.stop());

  const texts = { path: '/version', format: 'ansible', node: 'pve1' };
  /** Tools that have to be given one of several. */
  const choosing: Record<string, Record<string, unknown>> = {
    pve_log: { node: 'pve1' },
    pve_metrics: { guest: 200 },
    ssh_file_download: { path: '/etc/hostname' },
    ssh_file_list: { path: '/etc' },
    ssh_file_read: { path: '/etc/hostname' },
  };

  /** Arguments for the parameters that have to be given. */
  const given = (): Record<string, unknown> => ({
    guest: 200,
    upid: bench.world.tasks[0]?.upid,
    job: bench.jobs.list()[0]?.id.text,
    session: 'work',
    ...texts,
  });

  it.each(tools.filter(({ effect }) => effect === 'read').map(({ name }) => name))(
    '%s writes nothing',
    async (name) => {
      const tool = tools.find((one) => one.name === name);
      const required = (tool ? schemaOf(tool).required : undefined) as string[] | undefined;
      const input = Object.fromEntries((required ?? []).map((parameter) => [parameter, given()[parameter]]));
      await bench.call(name, { ...input, ...choosing[name] });
      expect(bench.writes()).toEqual([]);
    },
  );
});
