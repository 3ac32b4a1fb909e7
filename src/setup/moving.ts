import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { Secret } from '../secret.ts';
import { type Around, appData, clients } from './clients.ts';

/** What another server was set up with, as far as it can be used here. */
export interface Old {
  /** `gilby125/mcp-proxmox (proxmox in ~/.claude.json)`. */
  readonly label: string;
  /** Its entry in Claude Code's list, where it has one. */
  readonly entry?: string;
  readonly host?: string;
  readonly apiPort?: number;
  readonly token?: { readonly id: string; readonly secret: Secret };
  readonly sshUser?: string;
  readonly sshPort?: number;
  readonly keyPath?: string;
}

type Table = Readonly<Record<string, unknown>>;
const tableOf = (value: unknown): Table => (typeof value === 'object' && value !== null ? (value as Table) : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const port = (value: unknown): number | undefined => {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 && number < 65536 ? number : undefined;
};

/** Settings of gilby125/mcp-proxmox and of tufantunc/ssh-mcp, wherever they are on this machine; what cannot be read is left out. */
export function findOld(around: Around): Old[] {
  const servers = tableOf(tableOf(readJson(clients['claude-code'].file(around))).mcpServers);
  const found = Object.entries(servers).flatMap(([name, entry]) => fromEntry(name, tableOf(entry), around.home));
  const profile = fromToml(join(appData(around), 'ssh-mcp', 'config.toml'), around.home);
  return [...found, ...(profile ? [profile] : [])];
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function fromEntry(name: string, { command, args, env }: Table, home: string): Old[] {
  const words = [command, ...(Array.isArray(args) ? args : [])].filter((word) => typeof word === 'string');
  const set = tableOf(env);
  const where = `(${name} in ~/.claude.json)`;
  if (words.some((word) => /(^|[/@])ssh-mcp(@|$)/.test(word))) return [fromSshMcp(name, where, words, home)];
  if (set.PROXMOX_HOST === undefined || words.some((word) => word.includes('proxmox-ssh-mcp'))) return [];
  const [user, token, secret] = [text(set.PROXMOX_USER), text(set.PROXMOX_TOKEN_NAME), text(set.PROXMOX_TOKEN_VALUE)];
  return [
    {
      label: `gilby125/mcp-proxmox ${where}`,
      entry: name,
      host: text(set.PROXMOX_HOST),
      apiPort: port(set.PROXMOX_PORT),
      token: token && secret ? { id: `${user ?? 'root@pam'}!${token}`, secret: new Secret(secret) } : undefined,
    },
  ];
}

/** Version 1 takes its host on the command line: `--host=… --port=… --user=… --key=…`. */
function fromSshMcp(name: string, where: string, words: readonly string[], home: string): Old {
  const flag = (wanted: string): string | undefined =>
    words.find((word) => word.startsWith(`--${wanted}=`))?.slice(wanted.length + 3);
  return {
    label: `tufantunc/ssh-mcp ${where}`,
    entry: name,
    host: flag('host'),
    sshPort: port(flag('port')),
    sshUser: flag('user'),
    keyPath: flag('key')?.replace(/^~(?=\/)/, () => home),
  };
}

/** Version 2 has profiles in a file; the default one counts, else the first. */
function fromToml(file: string, home: string): Old | undefined {
  try {
    const { defaults, profiles } = tableOf(parse(readFileSync(file, 'utf8')));
    const all = (Array.isArray(profiles) ? profiles : []).map(tableOf);
    const profile = all.find(({ name }) => name === tableOf(defaults).defaultProfile) ?? all[0];
    if (profile === undefined) return undefined;
    return {
      label: `tufantunc/ssh-mcp (profile ${profile.name} in ${file})`,
      host: text(profile.host),
      sshPort: port(profile.port),
      sshUser: text(profile.user),
      keyPath: text(profile.keyRef)?.replace(/^~(?=\/)/, () => home),
    };
  } catch {
    return undefined;
  }
}
