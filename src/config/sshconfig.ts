import { basename, dirname, isAbsolute, join } from 'node:path';
import { type Problem, reason } from './problem.ts';

/** Files and folders, as node:fs gives them: the functions throw what it throws. */
export interface Disk {
  readFile(path: string): string;
  readDir(path: string): readonly string[];
  /** Another one after every change of the file or folder; undefined when it cannot tell, as just after a change. */
  stamp(path: string): string | undefined;
}

/** What ~/.ssh/config says of one name, as far as it concerns us. Paths are absolute. */
export interface SshOptions {
  readonly hostName?: string;
  readonly port?: number;
  readonly user?: string;
  readonly identityFiles: readonly string[];
  /** A socket, or the words `none` and `SSH_AUTH_SOCK`. */
  readonly identityAgent?: string;
  /** `[user@]host[:port]`, first hop first. */
  readonly jumps?: readonly string[];
  /** A ProxyCommand that is not a jump by `ssh -W`, which we cannot run. */
  readonly proxyCommand?: string;
}

export interface SshConfig {
  /** Every name that a Host line spells out; wildcards apply to names, but are none. */
  readonly names: readonly string[];
  lookup(name: string): SshOptions;
  readonly problems: readonly Problem[];
}

const MAX_INCLUDE_DEPTH = 16;

/** Reads an OpenSSH client configuration (ssh_config(5)). `Match exec` and canonical host names are left out. */
export async function readSshConfig(path: string | undefined, disk: Disk, home: string): Promise<SshConfig> {
  const { default: sshConfig } = await import('ssh-config');
  const problems: Problem[] = [];
  const text = path === undefined ? '' : withIncludes(path, disk, home, problems);
  // The library would run nslookup for these lines.
  const lines = text.split('\n').filter((line) => !/^\s*Canonical/i.test(line));
  try {
    const config = sshConfig.parse(lines.join('\n'));
    const options = { ignoreCase: true, matchExec: false };
    const names = config.flatMap((line) =>
      'param' in line && /^host$/i.test(line.param) ? words(line.value).filter((word) => !/[*?!]/.test(word)) : [],
    );
    return {
      names: [...new Set(names)],
      problems,
      lookup: (name) => optionsOf(name, { ...config.compute(name, options) }, home),
    };
  } catch (error) {
    problems.push({
      cause: `The SSH configuration ${path} cannot be understood: ${(error as Error).message}`,
      cure: 'Correct it ("ssh -G any-name" tells whether OpenSSH understands it), or set SSH_CONFIG=none.',
    });
    return { names: [], problems, lookup: () => ({ identityFiles: [] }) };
  }
}

const words = (value: string | { val: string }[]): string[] =>
  typeof value === 'string' ? [value] : value.map(({ val }) => val);

type Computed = Readonly<Record<string, string | string[] | undefined>>;

function optionsOf(name: string, computed: Computed, home: string): SshOptions {
  const one = (key: string): string | undefined => [computed[key] ?? []].flat()[0];
  const hostName = one('hostname')?.replace(/%[h%]/g, (token) => (token === '%h' ? name : '%'));
  const user = one('user');
  const expand = (path: string): string => {
    const tokens: Record<string, string> = {
      '%d': home,
      '%h': hostName ?? name,
      '%n': name,
      '%r': user ?? '',
      '%%': '%',
    };
    return path.replace(/^~(?=\/)/, () => home).replace(/%[dhnr%]/g, (token) => tokens[token] ?? token);
  };
  const agent = one('identityagent');
  const jump = one('proxyjump');
  const command = one('proxycommand');
  const byCommand = /^\S*ssh(?:\s+-q)?\s+-W\s+\[?%h\]?:%p\s+([^\s-]\S*)$/.exec(command ?? '')?.[1];
  const jumps = jump && jump !== 'none' ? jump.split(',').map((hop) => hop.trim()) : byCommand && [byCommand];
  return {
    hostName,
    user,
    port: Number(one('port')) || undefined,
    identityFiles: [computed.identityfile ?? []]
      .flat()
      .filter((file) => file !== 'none')
      .map(expand),
    identityAgent: agent === undefined ? undefined : expand(agent),
    jumps: jumps || undefined,
    proxyCommand: jump !== undefined || byCommand || command === 'none' ? undefined : command,
  };
}

/**
 * The text with every Include in its place. After an included file the section goes on in which the Include stood,
 * which a Host line of that file would otherwise have ended.
 */
function withIncludes(path: string, disk: Disk, home: string, problems: Problem[], depth = 0): string {
  let text: string;
  try {
    text = disk.readFile(path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing)
      problems.push({
        cause: `${path} cannot be read: ${reason(error)}.`,
        cure: 'Make it readable, or set SSH_CONFIG=none.',
      });
    return '';
  }
  let section = 'Host *';
  return text
    .split(/\r?\n/)
    .map((line) => {
      if (/^\s*(host|match)[\s=]/i.test(line)) section = line;
      const pattern = /^\s*include[\s=]+(.*)$/i.exec(line)?.[1];
      if (pattern === undefined || depth >= MAX_INCLUDE_DEPTH) return line;
      const files = pattern.split(/\s+/).flatMap((part) => included(part.replaceAll('"', ''), disk, home));
      return [...files.map((file) => withIncludes(file, disk, home, problems, depth + 1)), section].join('\n');
    })
    .join('\n');
}

/** The files of one Include pattern; `*` and `?` are understood in the last part of the path. */
function included(pattern: string, disk: Disk, home: string): string[] {
  if (pattern === '') return [];
  const tilde = pattern.replace(/^~(?=\/)/, () => home);
  const path = isAbsolute(tilde) ? tilde : join(home, '.ssh', tilde);
  if (!/[*?]/.test(basename(path))) return [path];
  const glob = basename(path)
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  try {
    const names = disk
      .readDir(dirname(path))
      .filter((name) => new RegExp(`^${glob}$`).test(name) && !name.startsWith('.'));
    return names.toSorted().map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}
