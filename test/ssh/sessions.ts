import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSpec, Ssh } from '../../src/ssh/client.ts';
import { createPool, type PoolOptions } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import type { Session, SessionWork } from '../../src/ssh/session.ts';
import type { Where } from '../../src/ssh/session-ssh.ts';
import { Sessions, type SessionsOptions } from '../../src/ssh/sessions.ts';
import type { Sshd } from '../rig/sshd.ts';

export interface Lab {
  readonly ssh: Ssh;
  readonly sessions: Sessions;
  close(): Promise<void>;
}

/** Sessions over the product's own SSH, which trusts exactly this server, on whatever port it is reached. */
export function labFor(server: Sshd, more: Partial<PoolOptions & SessionsOptions> = {}): Lab {
  const known = join(server.folder, 'known_hosts');
  writeFileSync(known, `[127.0.0.1]:* ${server.hostKeyLine.split(' ').slice(1).join(' ')}\n`);
  const pool = createPool({ knownHosts: [known], ownKnownHosts: join(server.folder, 'own'), ...more });
  const ssh = createSsh(pool);
  const sessions = new Sessions({ ssh, pool, ...more });
  return {
    ssh,
    sessions,
    async close() {
      await sessions.end();
      await ssh.close();
    },
  };
}

export const openOn = (lab: Lab, host: HostSpec, where: Where = {}): Promise<Session> => {
  const opening = { target: host.name, label: host.name, host: host.name };
  return lab.sessions.openOn(host, where, opening, new AbortController().signal);
};

/** Runs a script to its end, and gives what came of it. */
export async function run(session: Session, script: string, more: Partial<SessionWork> = {}) {
  const command = await session.run({
    script,
    interactive: false,
    timeoutMs: 20_000,
    waitMs: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    onOutput: () => undefined,
    ...more,
  });
  if (command.failure) throw command.failure;
  const { stdout, stderr } = command.output.output();
  const { exitCode, stop, killed, shell, mixed } = command;
  return { exitCode, stdout: stdout.text, stderr: stderr.text, stop, killed, shell, mixed, command };
}
