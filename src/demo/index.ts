import { type Api, startApi } from './api/index.ts';
import { type SshHost, startSshHost } from './ssh/host.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** A pretend datacentre that listens on 127.0.0.1: the API of its cluster, and the SSH of each of its nodes. */
export interface Demo {
  readonly world: World;
  readonly api: Api;
  /** By name of the node; the first is the one that the API answers for. */
  readonly ssh: ReadonlyMap<string, SshHost>;
  stop(): Promise<void>;
}

/** Starts a new datacentre; it knows nothing of an earlier one. */
export async function startDemo(options: WorldOptions = {}): Promise<Demo> {
  const world = createWorld(options);
  const api = await startApi(world);
  const hosts = world.nodes.map(async ({ name }) => [name, await startSshHost(world, { node: name })] as const);
  const ssh = new Map(await Promise.all(hosts));
  const stop = async (): Promise<void> => {
    await Promise.all([api.stop(), ...[...ssh.values()].map((host) => host.stop())]);
  };
  return { world, api, ssh, stop };
}
