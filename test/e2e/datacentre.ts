import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { type SshHost, startSshHost } from '../../src/demo/ssh/host.ts';
import { createWorld, type SeenRequest, type World } from '../../src/demo/world.ts';
import type { Launch } from './clients.ts';

export const bin = resolve(import.meta.dirname, '../../bin/proxmox-ssh-mcp.js');

/** The pretend datacentre with a settings folder that points to it, for servers that a test starts as processes. */
export interface Datacentre {
  readonly world: World;
  readonly api: Api;
  readonly ssh: SshHost;
  /** Private folder with `.env`, `hosts.json`, `known_hosts`, `key`, `audit.jsonl`. */
  readonly dir: string;
  /** How to start our server on it; `settings` are added to the settings file, last one wins. */
  launch(settings?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Promise<Launch>;
  /** Requests that reached the API and were not GET. */
  writes(): readonly SeenRequest[];
  audit(): Promise<string>;
  stop(): Promise<void>;
}

const base = (dir: string, api: Api, ssh: SshHost): Record<string, string> => ({
  PROXMOX_HOST: '127.0.0.1',
  PROXMOX_PORT: String(api.port),
  PROXMOX_USER: api.token.user,
  PROXMOX_TOKEN_NAME: api.token.tokenid,
  PROXMOX_TOKEN_VALUE: api.token.value,
  PROXMOX_FINGERPRINT: api.fingerprint,
  SSH_HOST: '127.0.0.1',
  SSH_PORT: String(ssh.port),
  SSH_KEY_PATH: join(dir, 'key'),
  SSH_KNOWN_HOSTS: join(dir, 'known_hosts'),
  SSH_CONFIG: 'none',
  SSH_AGENT: 'none',
  MCP_INVENTORY_FILE: join(dir, 'hosts.json'),
  MCP_AUDIT_FILE: join(dir, 'audit.jsonl'),
  MCP_OUTPUT_DIR: join(dir, 'outputs'),
});

/** A line of a settings file, in quotes that the value does not hold. */
const line = ([name, value]: [string, string]): string => {
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark)) ?? '';
  return `${name}=${quote}${value}${quote}\n`;
};

/** Writes a file that only its owner can read. */
export async function writePrivate(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  await chmod(file, 0o600);
}

/** Starts it; tasks are over as soon as somebody looks, so that nothing waits for the clock. */
export async function startDatacentre(options: { readonly taskSpeed?: number } = {}): Promise<Datacentre> {
  const world = createWorld({ taskSpeed: options.taskSpeed ?? 0 });
  const [api, ssh] = await Promise.all([startApi(world), startSshHost(world)]);
  const dir = await mkdtemp(join(tmpdir(), 'psm-e2e-'));
  const hosts = { hosts: { pve1: { address: '127.0.0.1', port: ssh.port, user: 'root' } } };
  await writePrivate(join(dir, 'key'), ssh.clientKey);
  await writePrivate(join(dir, 'known_hosts'), `${ssh.hostKeyLine}\n`);
  await writePrivate(join(dir, 'hosts.json'), JSON.stringify(hosts));
  return {
    world,
    api,
    ssh,
    dir,
    async launch(settings = {}, env = {}) {
      const file = join(dir, `env-${Math.random().toString(36).slice(2)}`);
      const all = { ...base(dir, api, ssh), ...settings };
      await writePrivate(file, Object.entries(all).map(line).join(''));
      const home = { HOME: dir, PATH: process.env.PATH ?? '' };
      return { command: process.execPath, args: [bin, 'serve', '--settings-file', file], env: { ...home, ...env } };
    },
    writes: () => world.requests.filter(({ method }) => method !== 'GET'),
    audit: () => readFile(join(dir, 'audit.jsonl'), 'utf8'),
    async stop() {
      await Promise.all([api.stop(), ssh.stop()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
