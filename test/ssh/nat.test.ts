import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { acceptHostKey } from '../../src/ssh/hostkey.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { scanHostKey } from '../../src/ssh/scan.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { portOf } from './connecting.ts';

/** The bastion, and a host that nothing reaches: it opens a port there, by OpenSSH’s own client. */
let bastion: Sshd;
let hidden: Sshd;
let port: number;
let tunnel: ReturnType<typeof spawn>;

beforeAll(async () => {
  hidden = await startSshd();
  bastion = await startSshd();
  port = await freePort();
  const publicKey = readFileSync(`${hidden.clientKeyPath}.pub`, 'utf8').trim();
  // A key that is good for this one port and nothing else.
  const limits = `restrict,port-forwarding,permitlisten="127.0.0.1:${port}",permitopen="127.0.0.1:1",command="/bin/false"`;
  const restricted = `${limits} ${publicKey}\n`;
  appendFileSync(join(bastion.folder, 'authorized_keys'), restricted);
  const known = join(hidden.folder, 'bastion_known_hosts');
  writeFileSync(known, `${bastion.hostKeyLine}\n`);
  const options = [
    'BatchMode=yes',
    'ExitOnForwardFailure=yes',
    'ServerAliveInterval=30',
    `UserKnownHostsFile=${known}`,
  ];
  const to = ['-i', hidden.clientKeyPath, '-p', String(bastion.port), 'psm-bash@127.0.0.1'];
  const forward = ['-N', '-R', `127.0.0.1:${port}:127.0.0.1:${hidden.port}`];
  const flags = options.flatMap((option) => ['-o', option]);
  tunnel = spawn('ssh', ['-F', 'none', ...flags, ...forward, ...to], { stdio: 'ignore' });
  await vi.waitFor(() => reaches(port), 10_000);
});

afterAll(async () => {
  if (tunnel?.exitCode === null) {
    tunnel.kill();
    await once(tunnel, 'exit');
  }
  await hidden?.stop();
  await bastion?.stop();
});

const reaches = (at: number) =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(at, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    }).on('error', reject);
  });

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const free = portOf(probe);
  probe.close();
  return free;
}

const behind = (more: Partial<HostSpec> = {}): HostSpec => ({
  ...login(hidden, 'psm-dash'),
  name: 'cabin',
  port,
  via: [login(bastion, 'psm-bash')],
  ...more,
});

/** The product’s own SSH with known hosts of these lines. */
function sshKnowing(name: string, ...lines: string[]) {
  const file = join(bastion.folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const options = { knownHosts: [file], ownKnownHosts: `${file}.own` };
  return { options, ssh: createSsh(createPool(options)) };
}
const keyOf = (server: Sshd) => server.hostKeyLine.split(' ').slice(1).join(' ');
const whoami = { script: 'id -un; echo $SSH_CONNECTION', timeoutMs: 10_000 };

describe('a host behind NAT that opened a port on a jump host', () => {
  it.each([
    ['by its alias', { hostKeyAlias: 'cabin' }, () => `cabin ${keyOf(hidden)}`],
    ['by the port', {}, () => `[127.0.0.1]:${port} ${keyOf(hidden)}`],
  ])('is known %s, and not confused with the jump host’s own address', async (_, more, line) => {
    const { ssh } = sshKnowing(
      `known-${Object.keys(more)}`,
      bastion.hostKeyLine,
      `127.0.0.1 ${keyOf(bastion)}`,
      line(),
    );
    const { stdout } = await ssh.run(behind(more), whoami);
    expect(stdout.text).toMatch(new RegExp(`^psm-dash\n127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${hidden.port}\n$`));
    await ssh.close();
  });

  it('is unknown, not changed, while only the jump host’s own key is known there', async () => {
    const { ssh, options } = sshKnowing('unknown', bastion.hostKeyLine, `127.0.0.1 ${keyOf(bastion)}`);
    for (const more of [{}, { hostKeyAlias: 'cabin' }]) {
      await expect(ssh.run(behind(more), whoami)).rejects.toMatchObject({
        kind: 'untrusted',
        message: expect.stringContaining(`(127.0.0.1:${port}) is not known: ssh-ed25519 ${hidden.hostKeyFingerprint}`),
      });
      expect((await scanHostKey(behind(more), options)).verdict).toBe('unknown');
    }
    await ssh.close();
  });

  it('is accepted under its alias, so that two of them behind two jump hosts are two', async () => {
    const { ssh, options } = sshKnowing('accepted', bastion.hostKeyLine, `other-cabin ${keyOf(bastion)}`);
    const host = behind({ hostKeyAlias: 'cabin' });
    acceptHostKey(options.ownKnownHosts, host, await scanHostKey(host, options));
    expect(readFileSync(options.ownKnownHosts, 'utf8')).toBe(`cabin ${keyOf(hidden)}\n`);
    expect((await ssh.run(host, whoami)).exitCode).toBe(0);
    await expect(ssh.run(behind({ hostKeyAlias: 'other-cabin' }), whoami)).rejects.toMatchObject({
      message: expect.stringContaining('has changed'),
    });
    await ssh.close();
  });

  it('has a key for the jump host that does nothing but that', async () => {
    const { ssh } = sshKnowing('restricted', bastion.hostKeyLine, `cabin ${keyOf(hidden)}`);
    const asHidden = { ...login(bastion, 'psm-bash'), keyPath: hidden.clientKeyPath };
    await expect(ssh.run(asHidden, whoami)).rejects.toMatchObject({ kind: 'remote-error' });
    const through = ssh.run(behind({ via: [asHidden], hostKeyAlias: 'cabin' }), whoami);
    await expect(through).rejects.toMatchObject({ kind: 'permission' });
    await ssh.close();
  });
});
