import type { Problem } from './problem.ts';
import { ConfigError, type ConfigLine, type Reader, readLines } from './sshlines.ts';
import { matchLine } from './sshmatch.ts';
import { matchesAny } from './sshpattern.ts';

/** Files and folders, as node:fs gives them: the functions throw what it throws. */
export interface Disk {
  readFile(path: string): string;
  readDir(path: string): readonly string[];
  /** Another one after every change of the file or folder; undefined when it cannot tell, as just after a change. */
  stamp(path: string): string | undefined;
}

/** Whose configuration it is. */
export interface SshUser {
  readonly home: string;
  /** Who ssh(1) would log in as, where nothing else is said. */
  readonly localUser?: string;
}

/** What ~/.ssh/config says of one name, as far as it concerns us. Paths are absolute. */
export interface SshOptions {
  readonly hostName?: string;
  readonly port?: number;
  readonly user?: string;
  /** In their order; `none` stands for itself. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly?: boolean;
  /** A socket, or the words `none` and `SSH_AUTH_SOCK`. */
  readonly identityAgent?: string;
  readonly hostKeyAlias?: string;
  /** `[user@]host[:port]`, first hop first. */
  readonly jumps?: readonly string[];
  /** A ProxyCommand that is not a jump by `ssh -W`, which we never run. */
  readonly proxyCommand?: string;
  /** A Host line that matches it spells it out. */
  readonly named: boolean;
  /** What might have decided for it and is never evaluated: `exec (/home/me/.ssh/config:12)`. */
  readonly skipped: readonly string[];
}

export interface SshConfig {
  /** Every name that a Host line spells out; wildcards apply to names, but are none. */
  readonly names: readonly string[];
  lookup(name: string): SshOptions;
  readonly problems: readonly Problem[];
}

const MOST_REMEMBERED = 10_000;
const NOTHING: SshOptions = { identityFiles: [], named: false, skipped: [] };

/** Reads an OpenSSH client configuration (ssh_config(5)). No program is run for it, and no host name canonicalised. */
export function readSshConfig(path: string | undefined, disk: Disk, user: SshUser): SshConfig {
  const reader: Reader = { disk, home: user.home, problems: [], included: 0 };
  const { problems } = reader;
  try {
    const lines = path === undefined ? [] : readLines(path, reader);
    problems.push(...neverRun(lines));
    const remembered = new Map<string, SshOptions>();
    const lookup = (name: string): SshOptions => {
      const options = remembered.get(name) ?? optionsOf(name, lines, user);
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      remembered.set(name, options);
      return options;
    };
    const spelled = new Set(flat(lines).flatMap(({ keyword, words }) => (keyword === 'host' ? words : [])));
    return { names: [...spelled].filter((name) => !/[*?!]/.test(name) && lookup(name).named), lookup, problems };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.unshift({
      cause: `The SSH configuration ${path} cannot be understood: ${error.message}.`,
      cure: 'Correct it ("ssh -G any-name" tells whether OpenSSH understands it), or set SSH_CONFIG=none.',
    });
    return { names: [], problems, lookup: () => NOTHING };
  }
}

const flat = (lines: readonly ConfigLine[]): ConfigLine[] =>
  lines.flatMap((line) => [line, ...line.included.flatMap(flat)]);

/** What ssh(1) would start a program for, told once for the whole configuration. */
function neverRun(lines: readonly ConfigLine[]): Problem[] {
  const all = flat(lines);
  const places = (found: readonly ConfigLine[]) => [...new Set(found.map(({ where }) => where))].join(', ');
  const matched = all.filter(({ keyword, rest }) => keyword === 'match' && /(^|\s)!?exec\b/i.test(rest));
  const proxied = all.filter(
    ({ keyword, rest }) => keyword === 'proxycommand' && rest.toLowerCase() !== 'none' && !jumpIn(rest),
  );
  return [
    ...(matched.length > 0
      ? [
          {
            cause: `"Match exec" is never run, so it counts as not matching (${places(matched)}).`,
            cure: 'Put what it sets under a Host line, or into the inventory file.',
          },
        ]
      : []),
    ...(proxied.length > 0
      ? [
          {
            cause: `ProxyCommand is never run, so hosts that need it cannot be reached (${places(proxied)}).`,
            cure: 'Use ProxyJump, or give the host a "via" in the inventory file.',
          },
        ]
      : []),
  ];
}

/** The host of a ProxyCommand that does no more than ProxyJump does. */
const jumpIn = (command: string): string | undefined =>
  /^\S*ssh(?:\s+-q)?\s+-W\s+\[?%h\]?:%p\s+([^\s-]\S*)$/.exec(command)?.[1];

/** What has been said so far; the first to say something wins. */
class Said {
  readonly values = new Map<string, string>();
  readonly identityFiles: string[] = [];
  readonly skipped = new Set<string>();
  named = false;
  wantsFinal = false;

  constructor(
    readonly name: string,
    readonly localUser: string,
  ) {}

  /** HostName with its tokens, as percent_expand() has them. */
  hostName(): string | undefined {
    return this.values.get('hostname')?.replace(/%[h%]/g, (token) => (token === '%h' ? this.name : '%'));
  }

  read(lines: readonly ConfigLine[], host: string, final: boolean, active = true, never = false): void {
    let here = active;
    for (const line of lines) {
      if (line.keyword === 'host') here = !never && this.#host(line, host);
      else if (line.keyword === 'match') here = this.#match(line, host, final, never) && !never;
      // An included file can end no section of the file that includes it, and begin none within one that is not ours.
      else if (line.keyword === 'include') for (const file of line.included) this.read(file, host, final, here, !here);
      else if (here) this.#take(line);
    }
  }

  #host({ words }: ConfigLine, host: string): boolean {
    const matches = matchesAny(host, words);
    if (matches && words.includes(this.name)) this.named = true;
    return matches;
  }

  #match({ rest, where }: ConfigLine, host: string, final: boolean, never: boolean): boolean {
    const user = this.values.get('user') ?? this.localUser;
    const now = final ? host : (this.hostName() ?? host);
    const criteria = { original: this.name, host: now, user, localUser: this.localUser, final };
    const { matches, wantsFinal, skipped } = matchLine(rest, criteria);
    this.wantsFinal ||= wantsFinal;
    if (skipped !== undefined && !never) this.skipped.add(`${skipped} (${where})`);
    return matches;
  }

  #take({ keyword, rest, words }: ConfigLine): void {
    const [word] = words;
    if (keyword === 'identityfile') {
      if (word !== undefined && !this.identityFiles.includes(word)) this.identityFiles.push(word);
    } else if (keyword === 'proxyjump' || keyword === 'proxycommand') {
      // Of these two, whichever comes first rules the other one out.
      const value = keyword === 'proxyjump' ? rest.replace(/#.*$/, '').trim() : rest;
      const decided = this.values.has('proxyjump') || this.values.has('proxycommand');
      if (value !== '' && !decided) this.values.set(keyword, value);
    } else if (word !== undefined && word !== '' && !this.values.has(keyword)) this.values.set(keyword, word);
  }
}

function optionsOf(name: string, lines: readonly ConfigLine[], { home, localUser = '' }: SshUser): SshOptions {
  const said = new Said(name, localUser);
  said.read(lines, name, false);
  if (said.wantsFinal) said.read(lines, (said.hostName() ?? name).toLowerCase(), true);
  const one = (key: string) => said.values.get(key);
  const [jump, command] = [one('proxyjump'), one('proxycommand')];
  const jumps =
    jump && jump.toLowerCase() !== 'none'
      ? jump.split(',').map((hop) => hop.trim().replace(/^ssh:\/\//i, ''))
      : undefined;
  const byCommand = jumpIn(command ?? '');
  const port = Number(one('port')) || undefined;
  const hostName = said.hostName();
  const expand = expander({ name, home, localUser, hostName, port, user: one('user'), alias: one('hostkeyalias') });
  const agent = one('identityagent');
  return {
    hostName,
    user: one('user'),
    port,
    identityFiles: said.identityFiles.map((file) => (file.toLowerCase() === 'none' ? 'none' : expand(file))),
    identitiesOnly: flag(one('identitiesonly')),
    identityAgent: agent === undefined ? undefined : agentOf(agent, expand),
    hostKeyAlias: one('hostkeyalias')?.toLowerCase(),
    jumps: jumps ?? (byCommand === undefined ? undefined : [byCommand]),
    proxyCommand: command === undefined || byCommand || command.toLowerCase() === 'none' ? undefined : command,
    named: said.named,
    skipped: [...said.skipped],
  };
}

const flag = (word: string | undefined): boolean | undefined =>
  word === undefined ? undefined : /^(yes|true)$/i.test(word);

const agentOf = (agent: string, expand: (path: string) => string): string =>
  /^\$?\{?SSH_AUTH_SOCK\}?$/.test(agent) ? 'SSH_AUTH_SOCK' : /^none$/i.test(agent) ? 'none' : expand(agent);

interface Names {
  readonly name: string;
  readonly home: string;
  readonly localUser: string;
  readonly hostName?: string;
  readonly port?: number;
  readonly user?: string;
  readonly alias?: string;
}

/** The tokens of ssh_config(5), of which those are known that a path is likely to have. */
function expander({ name, home, localUser, hostName, port, user, alias }: Names): (path: string) => string {
  const tokens: Record<string, string> = {
    '%d': home,
    '%h': hostName ?? name,
    '%k': alias ?? name,
    '%n': name,
    '%p': String(port ?? 22),
    '%r': user ?? localUser,
    '%u': localUser,
    '%%': '%',
  };
  return (path) => path.replace(/^~(?=\/)/, () => home).replace(/%[dhknpru%]/g, (token) => tokens[token] ?? token);
}
