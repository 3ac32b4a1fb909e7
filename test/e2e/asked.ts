import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { type SshHost, startSshHost } from '../../src/demo/ssh/host.ts';
import type { World } from '../../src/demo/world.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Tool } from '../../src/toolsets/tool.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';
import { connect } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

type Input = Record<string, unknown>;

/** The tools that nobody may use without a human's yes, in guarded mode. */
export const asking: readonly Tool[] = tools.filter(({ effect, human }) => effect === 'destroy' || human !== undefined);

/** What a call did to the world: writes to the API, connections to where SSH should be, host keys that were accepted. */
export interface Effects {
  readonly api: readonly string[];
  readonly ssh: number;
  readonly keys: readonly string[];
}

export const none: Effects = { api: [], ssh: 0, keys: [] };

export const countOf = ({ api, ssh, keys }: Effects): number => api.length + ssh + keys.length;

/** A datacentre that can be put back, and for each asking tool a call that does one thing after a yes. */
export interface AskedLab {
  readonly dc: Datacentre;
  /** Settings for a server whose SSH is a door that counts. */
  readonly settings: Readonly<Record<string, string>>;
  /** As it was in the beginning, with one task that runs. */
  restore(): void;
  /** What was done since the last `restore`. */
  effects(): Effects;
  /** Changes everything that a question can be about. */
  change(): void;
  inputFor(tool: Tool): Input;
  stop(): Promise<void>;
}

/** Inputs that are tried in search of one that works. */
const TRIES = 300;

export async function startAskedLab(): Promise<AskedLab> {
  const dc = await startDatacentre();
  const stranger = await startSshHost(dc.world, { node: 'pve2' });
  const door = await startDoor();
  const keysFile = join(dc.dir, '.config', 'proxmox-ssh-mcp', 'known_hosts');
  const restoreWorld = keeping(dc.world);
  let from = { requests: 0, visitors: 0 };
  const restore = (): void => {
    restoreWorld();
    rmSync(keysFile, { force: true });
    from = { requests: dc.world.requests.length, visitors: door.visitors() };
  };
  const effects = (): Effects => ({
    api: dc.world.requests
      .slice(from.requests)
      .flatMap(({ method, path }) => (method === 'GET' ? [] : [`${method} ${path.replace(/UPID:.*/, 'UPID')}`])),
    ssh: door.visitors() - from.visitors,
    keys: existsSync(keysFile) ? readFileSync(keysFile, 'utf8').trimEnd().split('\n') : [],
  });
  const settings = { MCP_TOOLSETS: 'full', SSH_PORT: String(door.port), MCP_INVENTORY_FILE: 'none' };
  const found = await examples({ dc, settings, restore, effects, stranger });
  return {
    dc,
    settings,
    restore,
    effects,
    change: () => changeAll(dc.world),
    inputFor: (tool) => found.get(tool.name)?.() ?? {},
    async stop() {
      door.server.close();
      await stranger.stop();
      await dc.stop();
    },
  };
}

/** Stands where SSH should be and counts who comes. */
async function startDoor(): Promise<{ server: Server; port: number; visitors: () => number }> {
  let visitors = 0;
  const server = createServer((socket) => {
    visitors += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0, visitors: () => visitors };
}

/** Gives what puts guests, volumes and storages back, ends the tasks and begins one that goes on. */
function keeping({ guests, storages, tasks, switches, cancel, begin }: World): () => void {
  // One that is stopped and has no snapshots: what becomes a template has to be so.
  for (const guest of guests) if (guest.vmid === 102 || guest.vmid === 201) guest.status = 'stopped';
  const before = structuredClone(guests);
  const volumes = storages.map((storage) => structuredClone(storage.volumes));
  return () => {
    for (const { exitstatus, upid } of tasks) if (exitstatus === undefined) cancel(upid);
    guests.splice(0, guests.length, ...structuredClone(before));
    for (const [i, storage] of storages.entries()) {
      storage.volumes.splice(0, storage.volumes.length, ...structuredClone(volumes[i] ?? []));
    }
    switches.nextTask = 'hang';
    begin({ node: 'pve1', type: 'vzdump', id: '101', by: { user: 'root@pam' }, steps: [{ seconds: 1 }] });
    switches.nextTask = undefined;
  };
}

/** Every guest has another name, every snapshot and volume was made at another time, every task is over. */
function changeAll({ guests, storages, tasks, cancel }: World): void {
  for (const guest of guests) {
    const key = guest.kind === 'lxc' ? 'hostname' : 'name';
    guest.config = { ...guest.config, [key]: `${guest.config[key]}-2` };
    guest.snapshots = guest.snapshots.map((one) => ({ ...one, snaptime: one.snaptime + 1 }));
  }
  for (const { volumes } of storages) {
    volumes.splice(0, volumes.length, ...volumes.map((one) => ({ ...one, ctime: one.ctime + 1 })));
  }
  for (const { exitstatus, upid } of tasks) if (exitstatus === undefined) cancel(upid);
}

interface Search {
  readonly dc: Datacentre;
  readonly settings: Readonly<Record<string, string>>;
  readonly restore: () => void;
  readonly effects: () => Effects;
  readonly stranger: SshHost;
}

/**
 * For each tool an input that is asked about and then does one thing. It is searched for among those that its schema lets through;
 * where chance would not find one, it is said here.
 */
async function examples({ dc, settings, restore, effects, stranger }: Search): Promise<Map<string, () => Input>> {
  const said: Readonly<Record<string, () => Input>> = {
    pve_api_call: () => ({ method: 'POST', path: '/nodes/pve1/lxc/400/status/start' }),
    pve_task_stop: () => ({ upid: dc.world.tasks.find(({ exitstatus }) => exitstatus === undefined)?.upid }),
    ssh_host_trust: () => ({ host: `127.0.0.1:${stranger.port}` }),
  };
  let asked = 0;
  const client = await connect('v2-2026', await dc.launch(settings), () => {
    asked += 1;
    return { action: 'accept', content: { confirm: true } };
  });
  const works = async (tool: Tool, input: () => Input): Promise<boolean> => {
    restore();
    asked = 0;
    const { isError } = await client.call(tool.name, input());
    return !isError && asked === 1 && countOf(effects()) === 1;
  };
  const search = async (tool: Tool): Promise<() => Input> => {
    const known = said[tool.name];
    // By its number a guest is found under another name too.
    const numbered = inputsOf(tool, dc.world).filter(({ guest }) => typeof guest !== 'string');
    const inputs = known ? [known] : fc.sample(numbered, TRIES).map((input) => () => input);
    for (const input of inputs) if (await works(tool, input)) return input;
    throw new Error(`No call of ${tool.name} was found that does one thing after a yes: say one in test/e2e/asked.ts.`);
  };
  const found = new Map<string, () => Input>();
  restore();
  for (const tool of asking) found.set(tool.name, await search(tool));
  await client.close();
  restore();
  return found;
}
