import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launch } from '../e2e/clients.ts';
import { startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

/** A user whose shell has no start-up files: a shell's own start is not what is measured. */
export const USER = 'psm-dash';
/** The host of the bench, as our inventory has it. */
export const HOST = 'real';

/** One real sshd, and a pretend API, which our server asks for its nodes as it would in earnest. */
export interface Lab {
  readonly sshd: Sshd;
  /** Our built server, which knows the sshd as `HOST`. */
  readonly launch: Launch;
  /** The same with all its tools. */
  readonly launchFull: Launch;
  /** For what those who are measured write. */
  readonly folder: string;
  readonly knownHosts: string;
  /** Where our tools find and put the files that they send and fetch. */
  readonly transferFolder: string;
  stop(): Promise<void>;
}

export async function startLab(): Promise<Lab> {
  const [datacentre, sshd] = await Promise.all([startDatacentre(), startSshd()]);
  const folder = mkdtempSync(join(tmpdir(), 'psm-bench-'));
  const hosts = join(folder, 'hosts.json');
  const knownHosts = join(folder, 'known_hosts');
  const real = { address: sshd.host, port: sshd.port, user: USER };
  await writePrivate(hosts, JSON.stringify({ hosts: { [HOST]: real } }));
  await writePrivate(knownHosts, `${sshd.hostKeyLine}\n`);
  const transferFolder = join(folder, 'transfers');
  mkdirSync(transferFolder, { mode: 0o700 });
  const settings = {
    MCP_INVENTORY_FILE: hosts,
    SSH_KNOWN_HOSTS: knownHosts,
    SSH_KEY_PATH: sshd.clientKeyPath,
    MCP_TRANSFER_DIR: transferFolder,
  };
  return {
    sshd,
    launch: await datacentre.launch(settings),
    launchFull: await datacentre.launch({ ...settings, MCP_TOOLSETS: 'full' }),
    folder,
    knownHosts,
    transferFolder,
    async stop() {
      await Promise.all([sshd.stop(), datacentre.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
