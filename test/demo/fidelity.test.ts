import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { property } from '../../src/demo/api/apidoc.ts';
import { allHandlers } from '../../src/demo/api/handlers.ts';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { type Method, servedMethods } from '../../src/demo/api/rules/parse.ts';
import { createWorld } from '../../src/demo/world.ts';
import { reads } from './fidelity/reads.ts';
import { findReference, type Recording, readRecordings } from './fidelity/recordings.ts';
import { type Comparable, get, recorded, replay, withoutConnection } from './fidelity/replay.ts';
import { type Replay, replays } from './fidelity/replays.ts';
import { missing, shapeOf, shapeOfSchema, strangers } from './fidelity/shapes.ts';
import { allWrong, type Property } from './fidelity/violations.ts';
import { ask, authorization } from './fidelity/wire.ts';

interface SchemaMethod {
  readonly path: string;
  readonly method: string;
  readonly parameters: { readonly properties?: Readonly<Record<string, Record<string, unknown>>> };
  readonly returns: Parameters<typeof shapeOfSchema>[0];
  readonly permissions?: { readonly user?: string; readonly check?: readonly unknown[] };
  readonly protected: boolean;
  readonly allowtoken: boolean;
}

const reference = findReference(process.env);
const schema = new Map(
  (JSON.parse(readFileSync(reference.schema, 'utf8')) as SchemaMethod[]).map((method) => [
    `${method.method} ${method.path}`,
    method,
  ]),
);
const recordings = readRecordings(reference.recordings);
const methods = servedMethods();
const keyOf = ({ method, path }: Method): string => `${method} ${path}`;

/** The members of a schema property that decide what is refused. */
function deciding(part: Record<string, unknown>): Record<string, unknown> {
  const names = [
    'type',
    'optional',
    'minimum',
    'maximum',
    'minLength',
    'maxLength',
    'pattern',
    'requires',
    'alias',
    'keyAlias',
    'default_key',
  ];
  const kept = Object.entries(part)
    .filter(([name]) => names.includes(name))
    .map(([name, value]) => [name, name === 'minimum' ? Number(value) : value]);
  const { format } = part;
  return {
    ...Object.fromEntries(kept),
    ...(Array.isArray(part.enum) ? { enum: part.enum.map(String) } : {}),
    ...(part.type === 'array' ? { items: { type: 'string' } } : {}),
    ...(typeof format === 'string' ? { format } : {}),
    ...(typeof format === 'object' && format !== null ? { format: mapValues(format as Properties, deciding) } : {}),
  };
}

type Properties = Readonly<Record<string, Record<string, unknown>>>;
const mapValues = <T>(properties: Properties, map: (part: Record<string, unknown>) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, map(part)]));

function permissionOf({ permissions }: SchemaMethod): Method['permission'] {
  if (permissions === undefined || permissions === null) return 'root';
  if (permissions.user === 'all') return 'all';
  const [kind, path, any, ...mode] = permissions.check ?? [];
  if (kind !== 'perm') return 'special';
  // Where one privilege is asked for, `any` says nothing.
  if ((any as string[]).length > 1) expect(mode).toEqual(['any', 1]);
  return { any: any as string[], path: String(path) };
}

describe("the rules are PVE's own schema", () => {
  it('answers each method that has rules, and no other', () => {
    expect(Object.keys(allHandlers()).toSorted()).toEqual(methods.map(keyOf).toSorted());
  });

  it.each(methods.map((method) => [keyOf(method), method] as const))('%s', (key, method) => {
    const own = schema.get(key);
    if (own === undefined) throw new Error(`Proxmox VE has no ${key}`);
    const rules = Object.fromEntries(Object.entries(method.params).map(([name, rule]) => [name, property(rule)]));
    expect(rules).toEqual(mapValues(own.parameters.properties ?? {}, deciding));
    const { permission, tokens } = method;
    expect({ permission, tokens, protected: method.protected }).toEqual({
      permission: permissionOf(own),
      tokens: own.allowtoken,
      protected: own.protected,
    });
  });
});

const world = createWorld({ taskSpeed: 0 });
let api: Api;
beforeAll(async () => {
  api = await startApi(world);
});
afterAll(() => api.stop());

/** The recording of that name, which has to be there. */
function recording(name: string): Recording {
  const found = recordings.get(name);
  if (found === undefined) throw new Error(`there is no recording ${name} in ${reference.recordings}`);
  return found;
}

/** The status and log of the task that a replayed call started, against those of the recorded one. */
async function compareTask(name: string, upid: string, situation: Replay): Promise<void> {
  const node = upid.split(':')[1];
  for (const [suffix, path] of [
    ['taskstatus', 'status'],
    ['tasklog', 'log?limit=500'],
  ] as const) {
    const answer = await get(api, `/nodes/${node}/tasks/${upid}/${path}`);
    expect(withoutConnection(answer), suffix).toEqual(
      withoutConnection(recorded(recording(`${name}-${suffix}`), situation)),
    );
  }
}

/** What the guest's process came to; PVE tells it once. */
async function compareProcess(name: string, pid: number): Promise<void> {
  const path = `/nodes/pve1/qemu/200/agent/exec-status?pid=${pid}`;
  let answer: Comparable;
  do answer = await get(api, path);
  while (JSON.stringify(answer.body) === '{"data":{"exited":0}}');
  expect(answer).toEqual(recorded(recording(name), {}));
  expect(await get(api, path)).toEqual(recorded(recording('agent-exec-status-again'), {}));
}

const shaped = (answer: Comparable): Comparable => {
  const pid = typeof answer.body === 'object' && /^\{"data":\{"pid":0\}\}$/.test(JSON.stringify(answer.body));
  return pid ? { ...answer, body: 'a pid' } : answer;
};

describe("the demo refuses what PVE's schema refuses", () => {
  const values: Readonly<Record<string, string>> = {
    node: 'pve1',
    userid: 'mcp@pve',
    vmid: '200',
    storage: 'local',
    service: 'sshd',
    volume: 'local:iso/x.iso',
  };
  const open = methods.filter(({ permission, tokens }) => tokens && permission !== 'root');

  it.each(open.map((method) => [keyOf(method), method] as const))('%s', async (key, { method, path }) => {
    const properties = schema.get(key)?.parameters.properties as Readonly<Record<string, Property>> | undefined;
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const { given, errors } = allWrong(properties ?? {}, inPath);
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'some');
    const form = new URLSearchParams(given).toString();
    const sent =
      method === 'POST' || method === 'PUT' ? { body: form, type: 'application/x-www-form-urlencoded' } : undefined;
    const url = `/api2/json${filled}${sent ? '' : `?${form}`}`;
    const { status, text } = await ask(api, { method, path: url, headers: authorization(api.token), ...sent });
    expect(status).toBe(400);
    expect(JSON.parse(text).errors).toEqual(errors);
  });
});

describe('the demo answers as the recordings do', () => {
  it('replays at least 180 recordings', () => {
    const follow = Object.values(replays).map(({ task, process }) => (task ? 2 : process ? 1 : 0));
    const count = Object.keys(replays).length + follow.reduce((sum: number, more) => sum + more, 0);
    expect(count).toBeGreaterThanOrEqual(180);
  });

  it.each(Object.entries(replays))('%s', async (name, situation) => {
    const { answer, data } = await replay(api, world, recording(name), situation);
    const expected = shaped(recorded(recording(name), situation));
    if (situation.nodes) expect(withoutConnection(answer)).toEqual(withoutConnection(expected));
    else expect(shaped(answer)).toEqual(expected);
    if (situation.task) await compareTask(name, String(data), situation);
    if (situation.process) await compareProcess(situation.process, Number((data as { pid: number }).pid));
  });
});

describe('the demo keeps the log of a task as the recordings do', () => {
  const by = { user: 'root@pam', tokenid: 'mcp' };
  const lines = (name: string): { n: number; t: string }[] => JSON.parse(recording(name).text).data;

  it.each(['tasklog-all', 'tasklog-page'])('%s', async (name) => {
    const log = lines('tasklog-all')
      .toSorted((a, b) => a.n - b.n)
      .map(({ t }) => t);
    const steps = [{ seconds: 0, log: log.slice(0, -1) }];
    const { upid } = world.begin({ node: 'pve1', type: 'vzdump', id: '100', by, steps });
    const answer = await get(api, `/nodes/pve1/tasks/${upid}/log?${recording(name).path.split('?')[1]}`);
    expect(answer).toEqual(recorded(recording(name), {}));
  });

  it('task-cancel, task-cancel-status', async () => {
    world.switches.nextTask = 'hang';
    const { upid } = world.begin({ node: 'pve1', type: 'vzdump', id: '100', by, steps: [{ seconds: 1 }] });
    const path = `/nodes/pve1/tasks/${upid}`;
    const running = await get(api, `${path}/status`);
    expect(running.body).toMatchObject({ data: { status: 'running' } });
    const cancel = await ask(api, { method: 'DELETE', path: `/api2/json${path}`, headers: authorization(api.token) });
    expect(JSON.parse(cancel.text)).toEqual(JSON.parse(recording('task-cancel').text));
    expect(await get(api, `${path}/status`)).toEqual(recorded(recording('task-cancel-status'), {}));
  });
});

describe('the demo streams the journal as the recording does', () => {
  it('c-journal', async () => {
    const empty = world.nodes[0]?.journal.splice(0) ?? [];
    const path = `/api2/json${recording('c-journal').path}`;
    const answer = await ask(api, { path, headers: authorization(api.token) });
    world.nodes[0]?.journal.push(...empty);
    const telling = /^(connection|content-encoding|content-length|content-type)$/;
    const of = (headers: Recording['answer']) => headers.filter(([name]) => telling.test(name));
    expect([answer.status, ...of(answer.headers)].sort()).toEqual([200, ...of(recording('c-journal').answer)].sort());
    expect(gunzipSync(answer.bytes).length).toBe(0);
  });
});

describe('what the demo reads out has the fields of Proxmox VE', () => {
  const homelab = createWorld({ taskSpeed: 0 });
  let home: Api;
  beforeAll(async () => {
    home = await startApi(homelab);
    homelab.power({ node: 'pve1', kind: 'lxc', vmid: 102 }, 'reboot', { user: 'root@pam', tokenid: 'mcp' });
  });
  afterAll(() => home.stop());

  /** A list of definitions shows what the definition may be given; the schema does not say so again. */
  const shapeOfParameters = (key = ''): Map<string, Set<string>> => {
    const properties = schema.get(key)?.parameters.properties ?? {};
    return new Map(Object.keys(properties).map((name) => [`[].${name}`, new Set(['any'])]));
  };

  it.each(reads)('$path', async ({ path, method, from, lacks = [], odd = [], also }) => {
    const own = schema.get(method);
    if (own === undefined) throw new Error(`Proxmox VE has no ${method}`);
    const upid = homelab.tasks.find(({ type }) => type === 'vzreboot')?.upid ?? '';
    const { status, body } = await get(home, path.replace('UPID', upid));
    expect(status).toBe(200);
    const answer = shapeOf((body as { data: unknown }).data);
    const known = new Map<string, Set<string>>();
    for (const name of from)
      shapeOf(JSON.parse(recording(name).text).data, path.match(/\/(lxc|qemu)$/) ? '[]' : '', known);
    const named = shapeOfSchema(own.returns, '', shapeOfParameters(also));
    expect(strangers(answer, known, named)).toEqual(odd);
    expect(missing(answer, known)).toEqual(lacks);
  });
});
