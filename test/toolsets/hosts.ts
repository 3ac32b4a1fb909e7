import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ground } from '../../src/cli/surroundings.ts';
import { createHosts } from '../../src/config/inventory.ts';
import { rememberIn } from '../../src/config/learned.ts';
import { createHostKeys } from '../../src/ssh/hostkeys.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import type { Shell } from '../../src/toolsets/tool.ts';
import { Home } from '../config/home.ts';
import { shellOn } from './harness.ts';

/** What one test has of its own: a home folder with an inventory, known hosts, and SSH that goes by them. */
export interface Site {
  readonly home: Home;
  readonly ssh: Shell;
  /** Lines that the user's own known_hosts has from now on. */
  know(...lines: string[]): void;
  readonly own: string;
  readonly learned: string;
}

/** Hosts as an operator would describe them, over real connections; gone when the test is over. */
export function siteOf(hosts: Record<string, unknown>, env: Record<string, string> = {}): Site {
  const home = new Home();
  const folder = mkdtempSync(join(tmpdir(), 'psm-site-'));
  home.write('.config/proxmox-ssh-mcp/hosts.json', JSON.stringify({ hosts }, null, 2));
  const known = join(folder, 'known_hosts');
  const files = { knownHosts: [known], ownKnownHosts: join(folder, 'own', 'known_hosts') };
  const client = createSsh(createPool(files));
  const learned = join(folder, 'cache', 'hosts.json');
  onTestFinished(async () => {
    await client.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const around = { ...ground(), home: home.path, localUser: 'me', nodes: async () => [] };
  return {
    home,
    learned,
    own: files.ownKnownHosts,
    know: (...lines) => writeFileSync(known, `${lines.join('\n')}\n`),
    ssh: {
      ...shellOn(client, []),
      hosts: createHosts(home.load({ env }), around),
      memory: rememberIn(learned),
      keys: createHostKeys(files),
    },
  };
}
