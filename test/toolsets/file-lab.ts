import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../src/secret.ts';
import type { HostSpec, Ssh } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import type { KnownHost, ToolContext } from '../../src/toolsets/tool.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS, DASH_PASSWORD, runAsRoot, USERS } from '../rig/users.ts';
import { type Bench, type Failed, setup, shellOn, startBench, type Told } from './harness.ts';

type Input = Record<string, unknown>;

/** The facts of an answer about a file, as tests look at them. */
export interface FileTold extends Told {
  readonly facts: Record<string, unknown> & {
    readonly content: { remote: string };
    readonly entries: { remote: string };
  };
}

/**
 * Real hosts for the tools of files: each of the rig's logins is a host by its user's name, root is pve1 too, whose
 * containers 101 and 102 (without bash) run.
 */
export class FileLab {
  readonly #ssh: Ssh;

  private constructor(
    readonly bench: Bench,
    readonly sshd: Sshd,
    /** A folder that every login may write to. */
    readonly folder: string,
  ) {
    this.#ssh = sshTo(sshd);
  }

  static async start(options: SshdOptions = {}): Promise<FileLab> {
    const containers = { 101: 'running', 102: 'without bash' } as const;
    const [bench, sshd] = await Promise.all([startBench(), startSshd({ containers, ...options })]);
    const folder = mkdtempSync(join(tmpdir(), 'psm-files-'));
    chmodSync(folder, 0o777);
    return new FileLab(bench, sshd, folder);
  }

  /** The transfer folder; made by who first needs it. */
  get transfer(): string {
    return join(this.folder, 'transfer');
  }

  host(user: string, more: Partial<HostSpec> = {}): KnownHost {
    const spec = { ...login(this.sshd, user), name: user, sudoPassword: new Secret(DASH_PASSWORD), ...more };
    return { spec, source: 'inventory' };
  }

  over(more: Partial<ToolContext> = {}, ssh = this.#ssh): Partial<ToolContext> {
    const hosts = [...USERS, 'root'].map((user) => this.host(user));
    const known = [...hosts, this.host('root', { name: 'pve1' })];
    return { ssh: shellOn(ssh, known), setup: { ...setup, transferDir: this.transfer }, ...more };
  }

  /** Connections of their own, which take the server's key on any port. */
  connections(): Ssh {
    const known = join(this.folder, 'known_hosts');
    writeFileSync(known, `[127.0.0.1]:* ${this.sshd.hostKeyLine.split(' ').slice(1).join(' ')}\n`);
    return createSsh(createPool({ knownHosts: [known], ownKnownHosts: join(this.folder, 'own_known_hosts') }));
  }

  async call(name: string, input: Input, over = this.over()): Promise<FileTold> {
    return (await this.bench.call(`ssh_file_${name}`, input, over)) as FileTold;
  }

  fails(name: string, input: Input, over = this.over()): Promise<Failed> {
    return this.bench.fails(`ssh_file_${name}`, input, over);
  }

  /** Runs shell text as root on this machine, with `$F` as the folder. */
  sh(script: string): string {
    return runAsRoot(['env', `F=${this.folder}`, 'sh', '-c', script]);
  }

  async stop(): Promise<void> {
    await this.#ssh.close();
    await Promise.all([this.bench.stop(), this.sshd.stop()]);
    runAsRoot(['rm', '-rf', this.folder]);
  }
}

/** An sshd whose logins have busybox's programs only. */
export const busyboxOnly: SshdOptions = { path: [BUSYBOX_PROGRAMS] };
