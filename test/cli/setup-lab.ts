import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import type { Access } from '../../src/demo/world/access.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import { type Pveum, startPveum } from '../rig/pveum.ts';
import { type SshAgent, startSshAgent } from '../rig/sshagent.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { readTree, type Tree } from '../rig/tree.ts';
import { runAsRoot } from '../rig/users.ts';
import { cli, type Ran } from './cli.ts';

/** Accounts that may sudo without a password. A lab empties `.ssh` of its own: two at once need two. */
type User = 'psm-bash' | 'psm-lab';

/** An agent with a key of its own, which the server lets in. */
async function startAgent(folder: string): Promise<SshAgent> {
  const key = join(folder, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'operator', '-f', key]);
  const agent = await startSshAgent(join(folder, 'socket'));
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: agent.socket }, stdio: 'ignore' });
  return agent;
}

/** A server with SSH, an API and a pretend pveum, and for each test a home with nothing in it. */
export class Lab {
  home = '';
  /** The account on the server. */
  readonly user: User;
  sshd!: Sshd;
  world!: World;
  api!: Api;
  pveum!: Pveum;
  private agent!: SshAgent;
  private access!: Access;
  private readonly folder = mkdtempSync(join(tmpdir(), 'psm-agent-'));

  constructor(user: User) {
    this.user = user;
  }

  async start(): Promise<void> {
    chmodSync(this.folder, 0o755);
    this.agent = await startAgent(this.folder);
    this.world = createWorld({ taskSpeed: 0 });
    this.access = structuredClone(this.world.access);
    this.api = await startApi(this.world);
    const keys = `AuthorizedKeysFile ${this.folder}/key.pub .ssh/authorized_keys`;
    this.sshd = await startSshd({ containers: {}, extraConfig: [keys] });
    this.pveum = await startPveum(this.world, this.sshd.folder);
  }

  async stop(): Promise<void> {
    await Promise.all([this.agent.stop(), this.pveum.stop(), this.api.stop(), this.sshd.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  begin(): void {
    runAsRoot(['rm', '-rf', `/home/${this.user}/.ssh`]);
    this.home = realpathSync(mkdtempSync(join(tmpdir(), 'psm-setup-')));
    mkdirSync(join(this.home, '.config'));
    Object.assign(this.world.access, structuredClone(this.access));
  }

  end(): void {
    rmSync(this.home, { recursive: true, force: true });
    runAsRoot(['rm', '-rf', `/home/${this.user}/.ssh`]);
  }

  readonly flags = (): string[] => [
    ...['--yes', '--host', '127.0.0.1', '--api-port', String(this.api.port), '--ssh-port', String(this.sshd.port)],
    ...['--ssh-user', this.user, '--fingerprint', this.api.fingerprint, '--host-key', this.sshd.hostKeyFingerprint],
    ...['--key', 'ours', '--token-user', 'ai@pve', '--token-name', 'claude', '--access', 'operator'],
  ];
  readonly env = (): Record<string, string> => ({ PATH: '/usr/bin:/bin', SSH_AUTH_SOCK: this.agent.socket });
  /** `more` wins over the usual flags, because commander takes the last of each. */
  readonly setup = (...more: string[]): Promise<Ran> =>
    cli(['setup', ...this.flags(), ...more], { home: this.home, env: this.env() });
  readonly uninstall = (): Promise<Ran> => cli(['uninstall', '--yes'], { home: this.home, env: this.env() });

  /** All of the home, but for what is only a log. */
  readonly everything = (): Tree => readTree(this.home, (name) => /^\.(local|cache)(\/|$)/.test(name));
  readonly onServer = (): { readonly access: Access; readonly keys: string } => ({
    access: structuredClone(this.world.access),
    keys: runAsRoot([
      'sh',
      '-c',
      `ls -a /home/${this.user}/.ssh 2>&1; cat /home/${this.user}/.ssh/authorized_keys 2>&1 || :`,
    ]),
  });
  readonly all = (): object => ({ home: this.everything(), server: this.onServer() });
}

/** A lab for the tests of this file. */
export function useLab(user: User): Lab {
  const lab = new Lab(user);
  beforeAll(() => lab.start());
  afterAll(() => lab.stop());
  beforeEach(() => lab.begin());
  afterEach(() => lab.end());
  return lab;
}
