import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from '../config/home.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { cli, onTerminal } from './cli.ts';

let first: Sshd;
beforeAll(async () => {
  first = await startSshd();
});
afterAll(() => first.stop());

/** A home folder whose settings name that server as the main host. */
function homeFor(sshd: Sshd) {
  const home = new Home();
  home.settings(`SSH_HOST=127.0.0.1\nSSH_PORT=${sshd.port}\nMCP_TOOLSETS=ssh\nSSH_AGENT=none\n`);
  const own = join(home.path, '.config/proxmox-ssh-mcp/known_hosts');
  return { home, own, given: { home: home.path } };
}

describe('a host that is not known', () => {
  it('is accepted with the right fingerprint, into a file of our own that only its owner can read', async () => {
    const { given, own } = homeFor(first);
    const ran = await cli(['trust', '127.0.0.1', '--fingerprint', first.hostKeyFingerprint], given);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toBe(
      `127.0.0.1 (127.0.0.1:${first.port}) shows this key:\n  ssh-ed25519 ${first.hostKeyFingerprint}\nAccepted, in ${own}.\n`,
    );
    expect(readFileSync(own, 'utf8')).toBe(`${first.hostKeyLine}\n`);
    expect(statSync(own).mode & 0o777).toBe(0o600);
    expect((await cli(['trust', '127.0.0.1'], given)).stdout).toContain(`It is known already (${own}:1).`);
  });

  it('is refused with another fingerprint, and without a terminal to ask on', async () => {
    const { given, own } = homeFor(first);
    const wrong = await cli(['trust', '127.0.0.1', '--fingerprint', 'SHA256:AAAA'], given);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('That is not the expected SHA256:AAAA.');
    const unasked = await cli(['trust', '127.0.0.1'], given);
    expect(unasked.code).toBe(1);
    expect(unasked.stderr).toContain('Give the fingerprint that the host itself shows: --fingerprint SHA256:…');
    expect(existsSync(own)).toBe(false);
  });

  it.each([
    ['y\n', true],
    ['yes\n', true],
    ['n\n', false],
    ['\n', false],
    ['\u0004', false],
  ])('is asked about on a terminal: %j', async (input, accepted) => {
    const { given, own } = homeFor(first);
    const ran = await onTerminal(['trust', '127.0.0.1'], { ...given, input });
    expect(ran.stdout).toContain(`ssh-ed25519 ${first.hostKeyFingerprint}`);
    expect(ran.stdout).toContain('Is this the key of 127.0.0.1? [y/N]');
    expect(existsSync(own)).toBe(accepted);
    expect(ran.code).toBe(accepted ? 0 : 1);
  });

  it('can be named by address and port, with nothing else set up', async () => {
    const { home } = homeFor(first);
    home.settings('MCP_TOOLSETS=ssh\n');
    const name = `127.0.0.1:${first.port}`;
    const ran = await cli(['trust', name, '--fingerprint', first.hostKeyFingerprint], { home: home.path });
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('Accepted') });
  });
});

describe('guarantee 9: a host whose key changed', () => {
  it('is refused with both fingerprints, and replaced only when told so; the user’s own file is never touched', async () => {
    const second = await startSshd();
    try {
      const { home, given, own } = homeFor(second);
      const old = first.hostKeyLine.split(' ').slice(1).join(' ');
      const other = `other.example.com ${old}`;
      const users = home.write('.ssh/known_hosts', `[127.0.0.1]:${second.port} ${old}\n# mine\n`);
      const before = readFileSync(users);
      home.write('.config/proxmox-ssh-mcp/known_hosts', `${other}\n[127.0.0.1]:${second.port} ${old}\n`);

      const refused = await cli(['trust', '127.0.0.1', '--fingerprint', second.hostKeyFingerprint], given);
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain(`ssh-ed25519 ${second.hostKeyFingerprint}`);
      expect(refused.stdout).toContain(`ssh-ed25519 ${first.hostKeyFingerprint} (${own}:2)`);
      expect(refused.stderr).toContain('proxmox-ssh-mcp trust 127.0.0.1 --replace');
      expect(readFileSync(own, 'utf8')).not.toContain(second.hostKeyLine);

      const unconfirmed = await cli(['trust', '127.0.0.1', '--replace'], given);
      expect(unconfirmed.code).toBe(1);
      expect(readFileSync(own, 'utf8')).toContain(`[127.0.0.1]:${second.port} ${old}`);

      const replaced = await cli(
        ['trust', '127.0.0.1', '--replace', '--fingerprint', second.hostKeyFingerprint],
        given,
      );
      expect(replaced).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(own, 'utf8')).toBe(`${other}\n${second.hostKeyLine}\n`);
      expect(replaced.stdout).toContain(`ssh-keygen -R '[127.0.0.1]:${second.port}' -f '${users}'`);
      expect(readFileSync(users).equals(before)).toBe(true);
    } finally {
      await second.stop();
    }
  });

  it('is never accepted when it is revoked', async () => {
    const { home, given, own } = homeFor(first);
    home.write('.ssh/known_hosts', `@revoked ${first.hostKeyLine}\n`);
    const args = ['trust', '127.0.0.1', '--replace', '--fingerprint', first.hostKeyFingerprint];
    const ran = await cli(args, given);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('A revoked key is never accepted.');
    expect(existsSync(own)).toBe(false);
  });
});
