import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Datacentre, startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { initialize, type RawSession, startRaw } from '../e2e/raw.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

/** The built server over stdio, before a pretend API and a real sshd, each behind a proxy that makes faults. */
export interface SoakLab {
  readonly dc: Datacentre;
  readonly session: RawSession;
  readonly pid: number;
  /** The datacentre as it was at first: what the calls made of it is gone, and nothing there grows. */
  restore(): void;
  /** What goes wrong, by name; each is over when it resolves. */
  readonly faults: Readonly<Record<string, () => Promise<void> | void>>;
  stop(): Promise<void>;
}

export async function startSoakLab(): Promise<SoakLab> {
  const dc = await startDatacentre();
  const key = execFileSync('ssh-keygen', ['-y', '-f', join(dc.dir, 'key')], { encoding: 'utf8' }).trim();
  const sshd = await startSshd({ authorizedKeys: [key] });
  const [api, ssh] = await Promise.all([startProxy({ host: '127.0.0.1', port: dc.api.port }), startProxy(sshd)]);
  const session = startRaw(await launch(dc, sshd, api, ssh));
  await initialize(session);
  const pid = session.child.pid ?? 0;
  return {
    dc,
    session,
    pid,
    restore: restorer(dc),
    faults: faultsOf({ dc, sshd, api, ssh, session }),
    async stop() {
      session.child.stdin?.end();
      await session.gone;
      await Promise.all([api.stop(), ssh.stop()]);
      await Promise.all([dc.stop(), sshd.stop()]);
    },
  };
}

async function launch(dc: Datacentre, sshd: Sshd, api: FaultProxy, ssh: FaultProxy) {
  const known = `${dc.dir}/known`;
  const hosts = {
    pve1: { address: '127.0.0.1', port: dc.ssh.port, user: 'root' },
    real: { address: '127.0.0.1', port: ssh.port, user: 'psm-bash' },
  };
  const ofProxy = sshd.hostKeyLine.replace(`:${sshd.port}`, `:${ssh.port}`);
  await writePrivate(known, `${dc.ssh.hostKeyLine}\n${ofProxy}\n`);
  await writePrivate(`${dc.dir}/soak.json`, JSON.stringify({ hosts }));
  return dc.launch({
    PROXMOX_PORT: String(api.port),
    SSH_KNOWN_HOSTS: known,
    MCP_INVENTORY_FILE: `${dc.dir}/soak.json`,
    MCP_MODE: 'trusted',
    MCP_TOOLSETS: 'full',
    MCP_TASK_WAIT_S: '2',
  });
}

function restorer({ world }: Datacentre): () => void {
  const guests = structuredClone(world.guests);
  const volumes = world.storages.map((storage) => structuredClone(storage.volumes));
  const tasks = [...world.tasks];
  return () => {
    world.guests.splice(0, world.guests.length, ...structuredClone(guests));
    for (const [i, storage] of world.storages.entries())
      storage.volumes.splice(0, storage.volumes.length, ...structuredClone(volumes[i] ?? []));
    world.tasks.splice(0, world.tasks.length, ...tasks);
    world.requests.length = 0;
  };
}

interface Parts {
  readonly dc: Datacentre;
  readonly sshd: Sshd;
  readonly api: FaultProxy;
  readonly ssh: FaultProxy;
  readonly session: RawSession;
}

const garbage = ['{', 'null', '[]', '\u0000', '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":null,"method":"x"}', '{}'];

function faultsOf({ dc, sshd, api, ssh, session }: Parts): SoakLab['faults'] {
  const held = async (proxy: FaultProxy) => {
    proxy.stall();
    await wait(2_000);
    proxy.flow();
  };
  const outage = async (how: typeof dc.world.switches.outage) => {
    dc.world.switches.outage = how;
    await wait(2_000);
    dc.world.switches.outage = undefined;
  };
  return {
    'connections to the API cut': () => api.cut(),
    'API silent for 2 s': () => held(api),
    'API answers 596 for 2 s': () => outage({ status: 596, reason: 'Connection timed out' }),
    'API resets for 2 s': () => outage('reset'),
    'SSH connections cut': () => ssh.cut(),
    'SSH silent for 2 s': () => held(ssh),
    'sessions of sshd killed': () => sshd.killSessions(),
    'sshd restarted': () => sshd.restart(),
    'garbage lines': () => session.write(`${garbage.join('\n')}\n`),
  };
}
