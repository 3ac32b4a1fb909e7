import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSpec } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { Sessions } from '../../src/ssh/sessions.ts';
import type { Shell, ToolContext } from '../../src/toolsets/tool.ts';
import { login } from '../rig/login.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';
import { type Bench, shellOn, startBench, type Told } from './harness.ts';

/** The tools over a real sshd, whose host is called web. */
export interface SessionLab {
  readonly bench: Bench;
  readonly server: Sshd;
  readonly over: { readonly ssh: Shell };
  /** Opens a session and gives its id. */
  open(input?: Record<string, unknown>): Promise<string>;
  call(name: string, input: Record<string, unknown>, more?: Partial<ToolContext>): Promise<Told>;
  stop(): Promise<void>;
}

export async function startSessionLab(host: Partial<HostSpec> = {}, options: SshdOptions = {}): Promise<SessionLab> {
  const [bench, server] = await Promise.all([startBench(), startSshd(options)]);
  const known = join(server.folder, 'known_hosts');
  writeFileSync(known, `[127.0.0.1]:* ${server.hostKeyLine.split(' ').slice(1).join(' ')}\n`);
  const pool = createPool({ knownHosts: [known], ownKnownHosts: join(server.folder, 'own') });
  const ssh = createSsh(pool);
  const sessions = new Sessions({ ssh, pool });
  const spec = login(server, 'psm-bash', { name: 'web', ...host });
  const over = { ssh: shellOn(ssh, [{ spec, source: 'inventory' }], undefined, sessions) };
  return {
    bench,
    server,
    over,
    async open(input = {}) {
      await bench.call('ssh_session_open', { target: 'web', ...input }, over);
      return sessions.list().at(-1)?.id ?? '';
    },
    call: (name, input, more) => bench.call(name, input, { ...over, ...more }),
    async stop() {
      await sessions.end();
      await ssh.close();
      await Promise.all([bench.stop(), server.stop()]);
    },
  };
}

/** Without what differs from run to run. */
export const plain = ({ headline, facts }: Told): Told => {
  const text = JSON.stringify({ headline, facts })
    .replace(/\bs[0-9a-f]{4}\b/g, 's….')
    .replace(/for \d+ s\b/g, 'for … s');
  return JSON.parse(text.replaceAll('s….', 's0000')) as Told;
};
