import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Demo } from '../../demo/index.ts';

/** A private folder with everything that a server needs to serve the demo, and nothing of the operator's. */
export interface DemoFolder {
  readonly path: string;
  readonly settingsFile: string;
  /** The environment of a server on it: whoever has settings of a real host there would reach that one otherwise. */
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

/** Writes settings, hosts, known_hosts and key of this demo; everything has mode 0600 in a folder of mode 0700. */
export function writeFolder({ api, ssh }: Demo, mode: 'guarded' | 'read-only'): DemoFolder {
  const path = mkdtempSync(join(tmpdir(), 'proxmox-ssh-mcp-demo-'));
  const write = (name: string, text: string): string => {
    const file = join(path, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const [main, ...others] = [...ssh];
  if (main === undefined) throw new Error('the demo has no nodes');
  const hosts = others.map(([name, { port, user, clientKey }]) => {
    const keyPath = write(`key-${name}`, clientKey);
    return [name, { address: '127.0.0.1', port, user, keyPath }];
  });
  const settings = {
    PROXMOX_HOST: api.host,
    PROXMOX_PORT: api.port,
    PROXMOX_USER: api.token.user,
    PROXMOX_TOKEN_NAME: api.token.tokenid,
    PROXMOX_TOKEN_VALUE: api.token.value,
    PROXMOX_FINGERPRINT: api.fingerprint,
    SSH_HOST: api.host,
    SSH_PORT: main[1].port,
    SSH_USER: main[1].user,
    SSH_KEY_PATH: write('key', main[1].clientKey),
    SSH_KNOWN_HOSTS: write('known_hosts', [...ssh.values()].map(({ hostKeyLine }) => `${hostKeyLine}\n`).join('')),
    SSH_CONFIG: 'none',
    SSH_AGENT: 'none',
    MCP_INVENTORY_FILE: write('hosts.json', JSON.stringify({ hosts: Object.fromEntries(hosts) })),
    MCP_AUDIT_FILE: join(path, 'audit.jsonl'),
    MCP_OUTPUT_DIR: join(path, 'outputs'),
    MCP_MODE: mode,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  return {
    path,
    settingsFile: write('.env', lines.join('')),
    env: { HOME: path, XDG_CONFIG_HOME: path, XDG_STATE_HOME: path },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
