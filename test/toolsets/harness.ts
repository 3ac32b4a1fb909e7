import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { rememberIn } from '../../src/config/learned.ts';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { type SshHost, startSshHost } from '../../src/demo/ssh/host.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import { Failure } from '../../src/failure.ts';
import { parseInput } from '../../src/gate/parse.ts';
import { type Fact, RemoteText } from '../../src/present/answer.ts';
import { saveFilesIn } from '../../src/present/exports.ts';
import { keepSecretsIn } from '../../src/present/secrets.ts';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { createSchema } from '../../src/pve/schema.ts';
import { createWire, type Wire } from '../../src/pve/wire.ts';
import { Secret } from '../../src/secret.ts';
import type { HostSpec, Ssh } from '../../src/ssh/client.ts';
import { createHostKeys } from '../../src/ssh/hostkeys.ts';
import { Jobs } from '../../src/ssh/jobs.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { Sessions } from '../../src/ssh/sessions.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Hosts, KnownHost, Preview, Setup, Shell, Tool, ToolContext } from '../../src/toolsets/tool.ts';

/** What the clock of every test says. */
const NOW = Date.parse('2026-11-20T03:10:00Z');

/** An answer as a snapshot can hold it: remote text as `{ remote }`, numbers that move by themselves as `…`. */
export interface Told {
  readonly headline: string;
  readonly facts: unknown;
}

/** A Failure likewise; its message is the headline. */
export interface Failed extends Told {
  readonly kind: string;
  readonly hint: string;
}

type Input = Record<string, unknown>;

export const setup: Setup = {
  version: '0.1.0',
  mode: 'guarded',
  toolsets: ['pve', 'ssh'],
  protectedGuests: [],
  auditFile: '/var/lib/audit.jsonl',
  token: 'root@pam!mcp',
  taskWaitMs: 20_000,
  commandTimeoutMs: 20_000,
  transferDir: '/nonexistent/files',
  problems: [],
};

/** The pretend datacentre over real HTTPS and real SSH, with our own clients on it. */
export class Bench {
  #from = 0;
  readonly #clients: Pve[] = [];
  readonly #pve: Pve;
  readonly jobs = new Jobs();
  /** The passwords that tools had made. */
  readonly passwords: string[] = [];

  constructor(
    readonly world: World,
    private readonly api: Api,
    private readonly sshHost: SshHost,
    private readonly ssh: Ssh,
    private readonly sessions: Sessions,
    private readonly folder: string,
  ) {
    this.#pve = this.as('root@pam!mcp');
  }

  /** Where its API is. */
  get apiAddress(): { readonly port: number } {
    return { port: this.api.port };
  }

  /** A client of the same API with one of its tokens, over a wire that may bend what it carries. */
  as(id: string, bend = (wire: Wire): Wire => wire): Pve {
    const token = this.world.access.tokens.find((one) => `${one.user}!${one.tokenid}` === id);
    const at = { host: '127.0.0.1', port: this.api.port };
    const wire = bend(createWire({ ...at, trust: { fingerprint: this.api.fingerprint } }));
    const client = createPve({ ...at, token: { id, secret: new Secret(token?.value ?? '') }, wire });
    this.#clients.push(client);
    return client;
  }

  context(over: Partial<ToolContext> = {}): ToolContext {
    const { signal } = new AbortController();
    const keyPath = join(this.folder, 'key');
    const spec: HostSpec = { name: 'pve1', address: '127.0.0.1', port: this.sshHost.port, user: 'root', keyPath };
    const keys = createHostKeys({
      knownHosts: [join(this.folder, 'known_hosts')],
      ownKnownHosts: join(this.folder, 'own'),
    });
    const memory = rememberIn(join(this.folder, 'cache', 'hosts.json'));
    const ssh = { ...shellOn(this.ssh, [{ spec, source: 'node' }], this.jobs, this.sessions), keys, memory };
    const keepSecret = keepSecretsIn(join(this.folder, 'secrets'), (made) => this.passwords.push(made.reveal()));
    const pve = over.pve ?? this.#pve;
    const schema = createSchema(pve, join(this.folder, 'cache'));
    const saveFile = saveFilesIn(join(this.folder, 'exports'));
    const own = { ...setup, transferDir: join(this.folder, 'files') };
    return { pve, schema, ssh, setup: own, signal, progress: () => undefined, keepSecret, saveFile, ...over };
  }

  /** Runs a tool on input that is parsed as the gate does. */
  async call(name: string, input: Input = {}, over?: Partial<ToolContext>): Promise<Told> {
    const tool = toolNamed(name);
    const { headline, facts } = await tool.run(parseInput(tool, input), this.context(over));
    return { headline: steady(headline), facts: steadyFact(facts) };
  }

  /** The Failure that a call ends in; throws when there is none. */
  async fails(name: string, input: Input = {}, over?: Partial<ToolContext>): Promise<Failed> {
    const end = await this.call(name, input, over).catch((error: unknown) => error);
    if (!(end instanceof Failure))
      throw new Error(`${name} did not fail as it should: ${JSON.stringify(end)}`, { cause: end });
    const { kind, message, hint, facts } = end;
    return { kind, headline: steady(message), hint: steady(hint), facts: steadyFact(facts) };
  }

  async preview(name: string, input: Input, over?: Partial<ToolContext>): Promise<Preview> {
    const tool = toolNamed(name);
    const shown = await tool.confirm?.(parseInput(tool, input), this.context(over));
    if (shown === undefined) throw new Error(`${name} has no preview`);
    return shown;
  }

  /** `POST /nodes/pve1/lxc/400/status/start` for every request since the last `forget` that was no GET. */
  writes(): string[] {
    const seen = this.world.requests.slice(this.#from).filter(({ method }) => method !== 'GET');
    return seen.map(({ method, path }) => `${method} ${path}`);
  }

  /** The files that passwords were kept in. */
  async secretFiles(): Promise<string[]> {
    const folder = join(this.folder, 'secrets');
    return (await readdir(folder)).map((file) => join(folder, file));
  }

  /** How many requests there were since the last `forget`. */
  requests(): number {
    return this.world.requests.length - this.#from;
  }

  forget(): void {
    this.#from = this.world.requests.length;
  }

  /** Cancels every task that is running. */
  endTasks(): void {
    for (const { exitstatus, upid } of this.world.tasks) if (exitstatus === undefined) this.world.cancel(upid);
  }

  async stop(): Promise<void> {
    await this.jobs.close();
    await this.sessions.end();
    await Promise.all([this.ssh.close(), ...this.#clients.map((client) => client.close())]);
    await Promise.all([this.api.stop(), this.sshHost.stop()]);
    await rm(this.folder, { recursive: true, force: true });
    vi.useRealTimers();
  }
}

/** Its tasks are over at the next look, and its calendar stands still. */
export async function startBench(): Promise<Bench> {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  const world = createWorld({ taskSpeed: 0 });
  const [api, sshHost] = await Promise.all([startApi(world), startSshHost(world)]);
  const folder = await mkdtemp(join(tmpdir(), 'psm-tools-'));
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(join(folder, 'key'), sshHost.clientKey, { mode: 0o600 });
  await writeFile(knownHosts, `${sshHost.hostKeyLine}\n`);
  const pool = createPool({ knownHosts: [knownHosts], ownKnownHosts: join(folder, 'own') });
  const ssh = createSsh(pool);
  return new Bench(world, api, sshHost, ssh, new Sessions({ ssh, pool }), folder);
}

/** SSH as tools see it, to exactly these hosts. */
export const shellOn = (
  ssh: Ssh,
  known: readonly KnownHost[],
  jobs = new Jobs(),
  sessions = noSessions(ssh),
): Shell => ({
  hosts: hostsOf(known),
  sessions,
  memory: { of: () => new Map(), keep: () => undefined },
  keys: createHostKeys({ knownHosts: [], ownKnownHosts: '/dev/null/known_hosts' }),
  jobs,
  run: (host, command, streams, job) => ssh.run(host, command, { streams, ...job }),
  look: (host, reading, args, command, streams) =>
    ssh.run(host, { ...command, script: reading.script(args) }, { streams }),
  connection: (host) => ssh.connection(host),
});

const noSessions = (ssh: Ssh): Sessions =>
  new Sessions({ ssh, pool: createPool({ knownHosts: [], ownKnownHosts: '/dev/null/known_hosts' }) });

const hostsOf = (known: readonly KnownHost[]): Hosts => ({
  list: async () => known,
  unusable: async () => [],
  rules: () => undefined,
  async usual() {
    const [host] = known;
    if (host && known.length === 1) return host;
    throw new Failure('invalid-input', 'No host was named.', 'Name one.');
  },
  async change(name) {
    throw new Failure('misconfigured', `There is no inventory file to change ${name} in.`, 'Set MCP_INVENTORY_FILE.');
  },
  ofNode: (node) => hostsOf(known).find(node),
  find: async (name) => {
    const host = known.find(({ spec }) => spec.name === name);
    if (host) return host;
    const names = known.map(({ spec }) => spec.name).join(', ');
    throw new Failure('not-found', `No host "${name}" is known.`, `Known: ${names}.`);
  },
});

/** A wire whose answers to GET of such a path, below /api2/json, are changed on their way. */
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

export function toolNamed(name: string): Tool {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool;
}

/** Without what differs from run to run: pids in task ids, stopwatches, ports, keys. */
const steady = (text: string): string =>
  text
    .replace(/UPID:(\w+):[0-9A-F]+:[0-9A-F]+:[0-9A-F]+:/g, 'UPID:$1:…:')
    .replace(/\b\d+\.\d s\b/g, '… s')
    .replace(/\bj[a-z2-9]{6}(?=[@+])/g, 'jabcdef')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
    .replace(/SHA256:[\w+/]+/g, 'SHA256:…')
    .replace(/\/\S+\/secrets\/(\S+?)-\d{14}-[0-9a-f]{8}\.txt/g, '…/secrets/$1-….txt')
    .replace(/\/\S+\/exports\/([\w.-]+)-\d{14}-[0-9a-f]{8}(\.\w+)?/g, '…/exports/$1-…$2');

/** As JSON would be sent: what is undefined is left out. */
function steadyFact(fact: Fact | undefined): unknown {
  if (fact instanceof RemoteText) return { remote: steady(fact.text) };
  if (typeof fact === 'string') return steady(fact);
  if (typeof fact !== 'object') return fact;
  if (Array.isArray(fact)) return fact.map(steadyFact);
  const members = Object.entries(fact).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    members.map(([name, value]) => [name, name === 'duration_ms' ? '…' : steadyFact(value as Fact)]),
  );
}
