import { flagOf, type Key, settingOf } from '../src/config/settings.ts';
import { createRegistry } from '../src/gate/registry.ts';
import { tools } from '../src/toolsets/index.ts';

/** The settings that Claude Desktop asks for, with the title of each. What else there is can stand in the settings file. */
const asked: Partial<Record<Key, string>> = {
  proxmoxHost: 'Proxmox VE host',
  proxmoxTokenName: 'API token',
  proxmoxTokenValue: 'Secret of the API token',
  proxmoxFingerprint: 'Fingerprint of the certificate',
  sshUser: 'SSH login',
  sshKeyPath: 'SSH private key',
  sshKeyPassphrase: 'Passphrase of the SSH key',
  sshPassword: 'SSH password',
  sshSudoPassword: 'Password for sudo',
  mode: 'Mode',
  toolsets: 'Tools',
  protectedGuests: 'Protected guests',
};

const keys = Object.keys(asked) as readonly Key[];

const nameOf = (key: Key): string => settingOf(key).env.toLowerCase();

/** What the client puts in when it starts the server. */
const filledIn = (variable: string, rest = ''): string => `\${${variable}}${rest}`;

const isFile = (key: Key): boolean => settingOf(key).example.startsWith('~/');

function option(key: Key) {
  const { says, takes, otherwise, initial, needed } = settingOf(key);
  const unset = otherwise ?? initial;
  const words = [says, `Takes ${takes}.`, unset && !needed ? `Left empty: ${unset}.` : ''].filter(Boolean);
  return {
    type: isFile(key) ? 'file' : 'string',
    title: asked[key] ?? '',
    description: words.join(' ').replaceAll('`', ''),
    required: needed === true,
    ...(flagOf(key) === undefined && { sensitive: true }),
  };
}

/** What of package.json goes into other manifests. */
export interface Package {
  readonly name: string;
  readonly mcpName: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly keywords: readonly string[];
  readonly engines: { readonly node: string };
}

/** The manifest of the bundle for Claude Desktop (MCPB 0.3). */
export function manifestOf({ name, version, description, license, keywords, engines }: Package) {
  const { listed } = createRegistry(tools, { mode: 'guarded', toolsets: ['core'] });
  return {
    manifest_version: '0.3',
    name,
    display_name: 'Proxmox VE and SSH',
    version,
    description,
    author: { name: `the ${name} authors` },
    license,
    keywords,
    server: {
      type: 'node',
      entry_point: 'bin/proxmox-ssh-mcp.js',
      mcp_config: {
        command: 'node',
        args: [filledIn('__dirname', '/bin/proxmox-ssh-mcp.js'), 'serve'],
        env: Object.fromEntries(keys.map((key) => [settingOf(key).env, filledIn(`user_config.${nameOf(key)}`)])),
      },
    },
    tools: listed.map(({ name, summary }) => ({ name, description: summary })),
    tools_generated: true,
    prompts_generated: true,
    compatibility: { platforms: ['darwin', 'linux', 'win32'], runtimes: { node: engines.node } },
    user_config: Object.fromEntries(keys.map((key) => [nameOf(key), option(key)])),
  };
}
