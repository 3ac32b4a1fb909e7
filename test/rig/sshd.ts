import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type ContainerState, startContainers } from './container.ts';
import { asRoot, makeUsers, runAsRoot } from './users.ts';

export interface SshdOptions {
  readonly maxSessions?: number;
  /** Lines of sshd_config, in the place of the rig's own with the same keyword; host keys are added to its own. */
  readonly extraConfig?: readonly string[];
  /** Public key lines that may log in besides the rig's own client key. */
  readonly authorizedKeys?: readonly string[];
  /** Containers of the pretend `pct`, which is in PATH only when this is given. */
  readonly containers?: Readonly<Record<number, ContainerState>>;
  /** Folders that come first in PATH. */
  readonly path?: readonly string[];
  /** A free port is taken unless this is given. */
  readonly port?: number;
  /** Path of an OpenSSH private key to serve with; a fresh ed25519 key is made unless this is given. */
  readonly hostKeyPath?: string;
}

/** The version of the installed sshd: 9.2. Its number is told with the complaint about an option it does not know. */
export const OPENSSH = Number(
  /OpenSSH_(\d+\.\d+)/.exec(spawnSync('/usr/sbin/sshd', ['-V'], { encoding: 'utf8' }).stderr)?.[1],
);

/** What it takes to log in to an SSH server of the rig. */
export interface KeyedServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Folder of this server's files, readable by the test users; removed by `stop`. */
  readonly folder: string;
  /** A known_hosts line for this server. */
  readonly hostKeyLine: string;
  readonly clientKeyPath: string;
}

export interface Sshd extends KeyedServer {
  /** `SHA256:…` as ssh-keygen prints it. */
  readonly hostKeyFingerprint: string;
  readonly hostKeyPath: string;
  readonly pid: number;
  /** The root folder of a container, as the node sees it. */
  rootOf(vmid: number): string;
  /** What sshd logged so far, at LogLevel VERBOSE. */
  log(): string;
  /** Pids of the processes that serve connections, without the commands they run. */
  sessionPids(): number[];
  /** Sends a signal to every process that serves a connection: SIGKILL (default), SIGSTOP, SIGCONT. */
  killSessions(signal?: NodeJS.Signals): void;
  /** Kills the server with all its sessions, and starts it anew in the same place. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts OpenSSH's own server on 127.0.0.1, for the test users and root, with keys of its own. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  makeUsers();
  runAsRoot(['mkdir', '-p', '-m', '755', '/run/sshd']);
  const folder = mkdtempSync(join(tmpdir(), 'psm-sshd-'));
  chmodSync(folder, 0o755);
  const hostKeyPath = options.hostKeyPath ?? newKey(folder, 'host');
  const clientKeyPath = newKey(folder, 'client');
  const publicKeys = [readFileSync(`${clientKeyPath}.pub`, 'utf8').trim(), ...(options.authorizedKeys ?? [])];
  writeFileSync(join(folder, 'authorized_keys'), `${publicKeys.join('\n')}\n`, { mode: 0o644 });
  const containers = options.containers && (await startContainers(join(folder, 'bin'), options.containers));
  const logPath = join(folder, 'log');
  // sshd would make it readable by root only.
  writeFileSync(logPath, '', { mode: 0o644 });
  const log = () => readFileSync(logPath, 'utf8');
  let { server, port, pid } = await listen(folder, hostKeyPath, options, log);
  const publicKey = readFileSync(`${hostKeyPath}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
  const killSessions = (signal: NodeJS.Signals = 'SIGKILL') => signalAll(signal, sessionsOf(pid));
  return {
    host: '127.0.0.1',
    port,
    folder,
    hostKeyLine: `[127.0.0.1]:${port} ${publicKey}`,
    hostKeyFingerprint: run('ssh-keygen', ['-lf', `${hostKeyPath}.pub`]).split(' ')[1] ?? '',
    hostKeyPath,
    clientKeyPath,
    get pid() {
      return pid;
    },
    rootOf: (vmid) => containers?.rootOf(vmid) ?? '/',
    log,
    sessionPids: () => sessionsOf(pid),
    killSessions,
    async restart() {
      const over = once(server, 'exit');
      signalAll('SIGKILL', [pid, ...sessionsOf(pid)]);
      await over;
      ({ server, port, pid } = await listen(folder, hostKeyPath, { ...options, port }, log));
    },
    async stop() {
      const over = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined;
      // Frozen sessions are woken by SIGKILL too; the listener goes last, or its sessions lose their parent.
      killSessions();
      if (over) for (const signal of ['SIGCONT', 'SIGTERM'] as const) signalAll(signal, [pid]);
      await over;
      await containers?.stop();
      // Tests let others write here.
      runAsRoot(['rm', '-rf', folder]);
    },
  };
}

const run = (file: string, args: readonly string[]): string => execFileSync(file, args, { encoding: 'utf8' });

/** A fresh ed25519 key without a passphrase; its path. */
export function newKey(folder: string, name: string): string {
  const path = join(folder, name);
  run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  return path;
}

function config(folder: string, port: number, hostKeyPath: string, options: SshdOptions): string {
  const extra = options.extraConfig ?? [];
  const own = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `PidFile ${folder}/pid`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `MaxSessions ${options.maxSessions ?? 10}`,
    'MaxStartups 300',
    'LogLevel VERBOSE',
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PrintMotd no',
    'PermitRootLogin yes',
    'Subsystem sftp internal-sftp',
    // At that depth bash leaves ~/.bashrc alone: what root of this machine has there is no part of a test.
    `SetEnv PATH=${programs(folder, options).join(':')} SHLVL=1`,
    // From 9.8 on a refused login shuts the address out for a while.
    ...(OPENSSH >= 9.8 ? ['PerSourcePenalties no'] : []),
  ];
  const keyword = (line: string) => line.split(' ')[0];
  const rest = own.filter((line) => !extra.some((other) => keyword(other) === keyword(line)));
  return `${[...extra, `HostKey ${hostKeyPath}`, ...rest].join('\n')}\n`;
}

const programs = (folder: string, { containers, path = [] }: SshdOptions): string[] => [
  ...(containers ? [join(folder, 'bin')] : []),
  ...path,
  ...'/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin'.split(' '),
];

async function listen(folder: string, hostKeyPath: string, options: SshdOptions, log: () => string) {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    writeFileSync(join(folder, 'sshd_config'), config(folder, port, hostKeyPath, options));
    const argv = asRoot(['/usr/sbin/sshd', '-D', '-f', `${folder}/sshd_config`, '-E', `${folder}/log`]);
    const mark = log().length;
    const server = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    server.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    while (server.exitCode === null && !log().includes(`listening on 127.0.0.1 port ${port}`, mark)) await wait(5);
    if (server.exitCode === null) return { server, port, pid: listenerPid(folder, server) };
    // Another test may have taken the port between the look and the start.
    if (options.port !== undefined || attempt === 5) throw new Error(`sshd did not start: ${stderr}${log()}`);
  }
}

/** A port of 127.0.0.1 that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Through sudo the child is sudo, and sshd is its child. */
function listenerPid(folder: string, server: ChildProcess): number {
  return process.getuid?.() === 0 ? (server.pid ?? 0) : Number(runAsRoot(['cat', join(folder, 'pid')]));
}

/** Children and grandchildren of the listener that are sshd themselves (`sshd`, from 9.8 on `sshd-session`). */
function sessionsOf(listener: number): number[] {
  const rows = run('ps', ['-eo', 'pid=,ppid=,comm=']).trim().split('\n');
  const parsed = rows.map((row) => row.trim().split(/\s+/));
  const below = (parent: number): number[] =>
    parsed
      .filter(([, ppid, comm]) => Number(ppid) === parent && comm?.startsWith('sshd'))
      .flatMap(([pid]) => [Number(pid), ...below(Number(pid))]);
  return below(listener);
}

function signalAll(signal: NodeJS.Signals, pids: readonly number[]): void {
  if (pids.length === 0) return;
  // A session may end by itself before the signal reaches it.
  runAsRoot(['sh', '-c', 'kill -"$0" "$@" 2>/dev/null || true', signal.slice(3), ...pids.map(String)]);
}
