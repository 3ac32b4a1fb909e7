import type { Launch } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';

/** Two pretend datacentres for one server: `home` of the settings, `attic` of the inventory file. */
export interface TwoClusters {
  readonly home: Datacentre;
  readonly attic: Datacentre;
  /** How to start our server on both; `more` is said of the attic besides, and `token` is the secret for it. */
  launch(settings?: Readonly<Record<string, string>>, more?: Record<string, unknown>, token?: string): Promise<Launch>;
  stop(): Promise<void>;
}

/** Guests of the attic alone, one of them stopped, and one that both have; the nodes are called the same in both. */
export const VAULT = 900;
export const SHED = 901;
export const BOTH = 102;

/** Starts both. */
export async function startTwoClusters(): Promise<TwoClusters> {
  const [home, attic] = await Promise.all([startDatacentre(), startDatacentre()]);
  const model = attic.world.guest(BOTH);
  if (!model) throw new Error('no guest to go by');
  const like = (vmid: number, hostname: string) => ({ ...model, vmid, config: { ...model.config, hostname } });
  attic.world.guests.push(like(VAULT, 'vault'), { ...like(SHED, 'shed'), status: 'stopped' });
  await writePrivate(`${home.dir}/known_hosts`, `${home.ssh.hostKeyLine}\n${attic.ssh.hostKeyLine}\n`);
  const { token, port, fingerprint } = attic.api;
  const way = { address: '127.0.0.1', user: 'root' };
  const hosts = {
    pve1: { ...way, port: home.ssh.port },
    'pve1.attic': { ...way, port: attic.ssh.port, keyPath: `${attic.dir}/key` },
  };
  return {
    home,
    attic,
    async launch(settings = {}, more = {}, secret = token.value) {
      const reference = { id: `${token.user}!${token.tokenid}`, variable: 'ATTIC_TOKEN' };
      const clusters = { attic: { host: '127.0.0.1', port, fingerprint, token: reference, ...more } };
      const file = `${home.dir}/two.json`;
      await writePrivate(file, JSON.stringify({ hosts, clusters }));
      const own = { PROXMOX_CLUSTER: 'home', MCP_TOOLSETS: 'full', MCP_INVENTORY_FILE: file };
      const launch = await home.launch({ ...own, ...settings });
      return { ...launch, env: { ...launch.env, ATTIC_TOKEN: secret } };
    },
    async stop() {
      await Promise.all([home.stop(), attic.stop()]);
    },
  };
}
