import fc from 'fast-check';
import { z } from 'zod';
import type { World } from '../../../src/demo/world.ts';
import type { Tool } from '../../../src/toolsets/tool.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

const words = [
  'local',
  'local-lvm',
  'nas',
  'scsi0',
  'scsi1',
  'mp0',
  'rootfs',
  'net0',
  'net1',
  'vmbr0',
  '1G',
  '+2G',
  '32G',
  'before-upgrade',
  'nightly',
  'https://example.com/a.iso',
  'debian.iso',
  'debian-13-standard',
  'dhcp',
  '192.168.2.99/24',
  'web',
  'a text with blanks',
  'día = 1, 2;',
  'true',
  '8',
];

/** Values that exist in the datacentre, for parameters of that name. */
export function seedsOf(world: World): Readonly<Record<string, readonly unknown[]>> {
  const { guests, storages, tasks, nodes } = world;
  const volumes = storages.flatMap((storage) => storage.volumes.map(({ volid }) => volid));
  const guest = [...guests.map(({ vmid }) => vmid), 'keycloak', 'gitlab', 999, 'nosuch'];
  const node = nodes.map(({ name }) => name);
  const storage = storages.map(({ name }) => name);
  return {
    guest,
    vmid: guests.filter(({ kind }) => kind === 'lxc').map(({ vmid }) => vmid),
    new_vmid: [500, 501, 777, 400],
    target: ['pve1', 'ct/101', 'vm/200', 'ct/400'],
    node,
    to: node,
    target_node: node,
    storage,
    upid: tasks.map(({ upid }) => upid),
    volume: volumes,
    volid: volumes,
    backup: volumes.filter((volid) => volid.includes('vzdump') || volid.includes('backup')),
    template: volumes.filter((volid) => volid.includes('vztmpl')),
    iso: volumes.filter((volid) => volid.includes('iso')),
    script: ['true'],
    url: ['https://example.com/x.iso'],
    snapshot: ['before-upgrade', 'nightly', 'nosuch'],
    disk: ['scsi0', 'rootfs', 'mp0', 'scsi1', 'unused0'],
    path: ['/cluster/resources', '/nodes/pve1/status', '~/notes'],
    expected_sha256: ['0'.repeat(64)],
  };
}

/** By world and tool: tests ask for them once for each call. */
const made = new WeakMap<World, Map<Tool, fc.Arbitrary<Record<string, unknown>>>>();

/** Inputs that the tool's own schema lets through, half of their values such as the datacentre had at first. */
export function inputsOf(tool: Tool, world: World): fc.Arbitrary<Record<string, unknown>> {
  const ofWorld = made.get(world) ?? new Map();
  made.set(world, ofWorld);
  const inputs = ofWorld.get(tool) ?? newInputsOf(tool, world);
  ofWorld.set(tool, inputs);
  return inputs;
}

function newInputsOf(tool: Tool, world: World): fc.Arbitrary<Record<string, unknown>> {
  const schema = z.toJSONSchema(tool.schema, { io: 'input' }) as Schema;
  return objectOf(schema, seedsOf(world)).filter((input) => tool.schema.safeParse(input).success);
}

type Seeds = Readonly<Record<string, readonly unknown[]>>;

function objectOf({ properties = {}, required = [] }: Schema, seeds: Seeds): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(properties).map(([name, part]) => [name, named(name, part, seeds)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
}

function named(name: string, schema: Schema, seeds: Seeds): fc.Arbitrary<unknown> {
  const known = seeds[name] ?? [];
  const any = valueFor(schema, seeds);
  return known.length === 0
    ? any
    : fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
}

function valueFor(schema: Schema, seeds: Seeds): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => valueFor(one, seeds)));
  if (schema.type === 'integer') return fc.integer(bounds(schema));
  if (schema.type === 'number') return fc.double({ ...bounds(schema), noNaN: true });
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'array') {
    const length = { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 3, 3) };
    return fc.array(valueFor(schema.items ?? {}, seeds), length);
  }
  if (schema.type === 'object') return schema.properties ? objectOf(schema, seeds) : recordOf(schema, seeds);
  return textOf(schema);
}

const recordOf = ({ propertyNames = {}, additionalProperties }: Schema, seeds: Seeds): fc.Arbitrary<unknown> => {
  const part = typeof additionalProperties === 'object' ? additionalProperties : {};
  const key = fc.oneof(
    fc.constantFrom('memory', 'cores', 'tags', 'net0', 'description', 'name'),
    textOf(propertyNames),
  );
  return fc.dictionary(key, valueFor(part, seeds), { maxKeys: 3 });
};

const bounds = ({ minimum = 0, maximum = 1000 }: Schema) => ({
  min: Math.max(minimum, -2_147_483_648),
  max: Math.min(Math.max(maximum, minimum), 2_147_483_647),
});

function textOf({ pattern, minLength = 0, maxLength = 30 }: Schema): fc.Arbitrary<string> {
  const made =
    pattern === undefined
      ? fc.string({ minLength, maxLength: Math.min(maxLength, 30) })
      : fc.stringMatching(new RegExp(pattern));
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  const usual = words.filter((word) => fits(word) && (pattern === undefined || new RegExp(pattern).test(word)));
  return (usual.length > 0 ? fc.oneof(fc.constantFrom(...usual), made) : made).filter(fits);
}
