import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { type SshHost, startSshHost } from '../../src/demo/ssh/host.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import { Failure } from '../../src/failure.ts';
import { parseInput } from '../../src/gate/parse.ts';
import { type Fact, RemoteText } from '../../src/present/answer.ts';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { createWire, type Wire } from '../../src/pve/wire.ts';
import { Secret } from '../../src/secret.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Hosts, KnownHost, Setup, Tool, ToolContext } from '../../src/toolsets/tool.ts';

/** What the clock of every test says; the datacentre's own tasks are over at the next look. */
export const NOW = Date.parse('2026-11-20T03:10:00Z');

/** An answer as a snapshot can hold it: remote text as `{ remote }`, numbers that move by themselves normalised. */
export interface Told {
  readonly headline: string;
  readonly facts: unknown;
}

export interface Bench {
  readonly world: World;
  readonly api: Api;
  readonly sshHost: SshHost;
  /** Runs a tool on input that is parsed as the gate does. */
  call(tool: string, input?: Record<string, unknown>, over?: Partial<ToolContext>): Promise<Told>;
  /** The Failure that a call ends in, as message and hint; throws when it does not fail. */
  fails(
    tool: string,
    input?: Record<string, unknown>,
    over?: Partial<ToolContext>,
  ): Promise<Told & { kind: string; hint: string }>;
  preview(tool: string, input: Record<string, unknown>): ReturnType<NonNullable<Tool['confirm']>>;
  context(over?: Partial<ToolContext>): ToolContext;
  /** A client of the same API with another of its tokens, `mcp@pve!auditor`, or over a wire that bends what it carries. */
  as(token: string, bend?: (wire: Wire) => Wire): Pve;
  /** `POST /nodes/pve1/lxc/400/status/start` for every request that was no GET, since the last `forget`. */
  writes(): string[];
  /** How many requests there were. */
  requests(): number;
  forget(): void;
  /** Cancels every task that is running. */
  endTasks(): void;
  stop(): Promise<void>;
}

export const setup: Setup = {
  version: '0.1.0',
  mode: 'guarded',
  toolsets: ['pve', 'ssh'],
  protectedGuests: [],
  auditFile: '/var/lib/audit.jsonl',
  token: 'root@pam!mcp',
  taskWaitMs: 20_000,
  commandTimeoutMs: 20_000,
  problems: [],
};

/** The pretend datacentre over real HTTPS and real SSH, with our own clients on it. */
export async function startBench(): Promise<Bench> {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  const world = createWorld({ taskSpeed: 0 });
  const [api, sshHost] = await Promise.all([startApi(world), startSshHost(world)]);
  const folder = await mkdtemp(join(tmpdir(), 'psm-tools-'));
  await Promise.all([
    writeFile(join(folder, 'key'), sshHost.clientKey, { mode: 0o600 }),
    writeFile(join(folder, 'known_hosts'), `${sshHost.hostKeyLine}\n`),
  ]);
  const clients: Pve[] = [];
  const at = { host: '127.0.0.1', port: api.port };
  const clientOf = (id: string, value: string, bend = (wire: Wire) => wire): Pve => {
    const wire = bend(createWire({ ...at, trust: { fingerprint: api.fingerprint } }));
    clients.push(createPve({ ...at, token: { id, secret: new Secret(value) }, wire }));
    return clients.at(-1) as Pve;
  };
  const pve = clientOf(`${api.token.user}!${api.token.tokenid}`, api.token.value);
  const ssh = createSsh(createPool({ knownHosts: [join(folder, 'known_hosts')], ownKnownHosts: join(folder, 'own') }));
  const pve1: HostSpec = {
    name: 'pve1',
    address: '127.0.0.1',
    port: sshHost.port,
    user: 'root',
    keyPath: join(folder, 'key'),
  };
  const context = (over: Partial<ToolContext> = {}): ToolContext => {
    const signal = new AbortController().signal;
    const shell = {
      hosts: hostsOf([{ spec: pve1, source: 'node' }]),
      run: (host: HostSpec, command: Parameters<typeof ssh.run>[1]) => ssh.run(host, command, { signal }),
      connection: (host: HostSpec) => ssh.connection(host),
    };
    return { pve, ssh: shell, setup, signal, progress: () => undefined, ...over };
  };
  const call = async (name: string, input: Record<string, unknown> = {}, over?: Partial<ToolContext>) => {
    const tool = toolNamed(name);
    const { headline, facts } = await tool.run(parseInput(tool, input), context(over));
    return { headline: steady(headline), facts: steadyFacts(facts) };
  };
  const seen = { from: 0 };
  return {
    world,
    api,
    sshHost,
    call,
    context,
    async fails(name, input, over) {
      const done = await call(name, input, over).then(
        (told) => told.headline,
        (error: unknown) => error,
      );
      if (!(done instanceof Failure)) throw new Error(`${name} did not fail: ${String(done)}`);
      return {
        kind: done.kind,
        headline: steady(done.message),
        hint: steady(done.hint),
        facts: steadyFacts(done.facts),
      };
    },
    preview: (name, input) => {
      const tool = toolNamed(name);
      if (!tool.confirm) throw new Error(`${name} asks nothing`);
      return tool.confirm(parseInput(tool, input), context());
    },
    as: (id, bend) => {
      const token = world.access.tokens.find((one) => `${one.user}!${one.tokenid}` === id);
      return clientOf(id, token?.value ?? '', bend);
    },
    writes: () =>
      world.requests
        .slice(seen.from)
        .filter(({ method }) => method !== 'GET')
        .map(({ method, path }) => `${method} ${path}`),
    requests: () => world.requests.length - seen.from,
    forget: () => {
      seen.from = world.requests.length;
    },
    endTasks: () => {
      for (const task of world.tasks) if (task.exitstatus === undefined) world.cancel(task.upid);
    },
    async stop() {
      await Promise.all([ssh.close(), ...clients.map((client) => client.close())]);
      await Promise.all([api.stop(), sshHost.stop()]);
      await rm(folder, { recursive: true, force: true });
      vi.useRealTimers();
    },
  };
}

/** An inventory of exactly these hosts. */
export const hostsOf = (known: readonly KnownHost[]): Hosts => ({
  list: async () => known,
  find: async (name) => {
    const host = known.find(({ spec }) => spec.name === name);
    if (host) return host;
    throw new Failure(
      'not-found',
      `No host "${name}" is known.`,
      `Known: ${known.map(({ spec }) => spec.name).join(', ')}.`,
    );
  },
});

export function toolNamed(name: string): Tool {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool;
}

/** Task ids hold pids, and stopwatches tell real time. */
const steady = (text: string): string =>
  text
    .replace(/UPID:(\w+):[0-9A-F]+:[0-9A-F]+:[0-9A-F]+:/g, 'UPID:$1:…:')
    .replace(/\b\d+\.\d s\b/g, '… s')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
    .replace(/SHA256:[\w+/]+/g, 'SHA256:…');

/** As JSON would be sent: what is undefined is left out. */
function steadyFacts(fact: Fact | undefined): unknown {
  if (fact instanceof RemoteText) return { remote: steady(fact.text) };
  if (typeof fact === 'string') return steady(fact);
  if (typeof fact !== 'object') return fact;
  if (Array.isArray(fact)) return fact.map(steadyFacts);
  const members = Object.entries(fact).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    members.map(([name, value]) => [name, name === 'duration_ms' ? '…' : steadyFacts(value as Fact)]),
  );
}

/** A wire whose answers to GET of that path, below /api2/json, are changed on their way. */
export const bent =
  (path: RegExp, change: (body: string) => string) =>
  (wire: Wire): Wire => ({
    ...wire,
    send: async (request) => {
      const got = await wire.send(request);
      const matches = request.method === 'GET' && path.test(request.path.replace('/api2/json', ''));
      return matches && 'body' in got ? { ...got, body: change(got.body) } : got;
    },
  });
