import { readdirSync, readFileSync } from 'node:fs';
import type { Sshd } from '../rig/sshd.ts';
import { type Datacentre, writePrivate } from './datacentre.ts';

/** Settings with which the SSH host `real` is this sshd. */
export async function realHost(dc: Datacentre, sshd: Sshd): Promise<Record<string, string>> {
  const hosts = `${dc.dir}/hosts-real.json`;
  const known = `${dc.dir}/known_hosts-real`;
  await writePrivate(hosts, JSON.stringify({ hosts: { real: { address: sshd.host, port: sshd.port, user: 'root' } } }));
  await writePrivate(known, `${sshd.hostKeyLine}\n`);
  return { MCP_INVENTORY_FILE: hosts, SSH_KNOWN_HOSTS: known, SSH_KEY_PATH: sshd.clientKeyPath };
}

/** Pids of processes that have `mark` on their command line. */
export const alive = (mark: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });

export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

/** A number of seconds that no other process sleeps for. */
export const newMark = (): string => `7${Math.floor(Math.random() * 1e8)}`;
