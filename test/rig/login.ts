import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSpec, Ssh } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import type { KeyedServer } from './sshd.ts';

/** The product's own SSH, set up to trust exactly this server. */
export function sshTo(server: KeyedServer): Ssh {
  const knownHosts = join(server.folder, 'known_hosts');
  writeFileSync(knownHosts, `${server.hostKeyLine}\n`);
  return createSsh(createPool({ knownHosts: [knownHosts], ownKnownHosts: join(server.folder, 'own_known_hosts') }));
}

/** A login on the server with the rig's key; tests connect more often than the limit that hosts have. */
export const login = (server: KeyedServer, user: string, more: Partial<HostSpec> = {}): HostSpec => ({
  name: `${user}-host`,
  address: server.host,
  port: server.port,
  user,
  keyPath: server.clientKeyPath,
  limits: { connectsPerMinute: 100_000 },
  ...more,
});
