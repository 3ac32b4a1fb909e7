import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from './cli.ts';
import { useLab } from './setup-lab.ts';

const SECRET = '99999999-2222-4333-8444-555555555555';

const lab = useLab('psm-bash');
const { setup, uninstall, everything, onServer, flags, env } = lab;

/** Without what differs from run to run, and without the lines that tell of waiting. */
const steady = ({ stdout, stderr }: { stdout: string; stderr: string }) =>
  (stdout + stderr)
    .replaceAll(lab.home, '~')
    .replace(/\S*node \S+proxmox-ssh-mcp\.js/g, 'proxmox-ssh-mcp')
    .replaceAll(lab.sshd.folder, '…')
    .replaceAll(String(lab.api.port), '8006')
    .replaceAll(String(lab.sshd.port), '22')
    .replace(/^.* …\n/gm, '')
    .replace(/SHA256:[\w+/]{43}/g, 'SHA256:…')
    .replace(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, 'AA:BB:…')
    .replace(/valid until .*? GMT/g, 'valid until …')
    .replace(/\d+ tools/g, '… tools')
    .replace(/versions: .*/g, 'versions: …')
    .replace(/takes [\d.]+ ms/g, 'takes … ms');

describe('setup without a terminal', { timeout: 90_000 }, () => {
  it('goes from nothing to a server that answers, doubles nothing, and uninstall leaves nothing', async () => {
    mkdirSync(join(lab.home, '.ssh'), { mode: 0o700 });
    writeFileSync(join(lab.home, '.claude.json'), '{\n  "numStartups": 3\n}\n', { mode: 0o600 });
    const before = { home: everything(), server: onServer() };
    const first = await setup();
    expect(steady(first)).toMatchInlineSnapshot(`
      "
      [1/7] The server
        ✓ The API answers at 127.0.0.1:8006
        ✓ SSH answers at 127.0.0.1:22

      [2/7] The certificate of its API
          It shows a certificate for OU=PVE Cluster Node, O=Proxmox Virtual Environment, CN=pve1.homelab.lan, valid until ….
          SHA-256 AA:BB:…
        ✓ Pinned: it is the one that was given.

      [3/7] Logging in by SSH
          127.0.0.1 shows the host key ssh-ed25519 SHA256:….
          The host itself shows its own with: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
        ✓ Accepted, in ~/.config/proxmox-ssh-mcp/known_hosts.
        ✓ Made ~/.ssh/proxmox_mcp.
        ✓ The server has it now.
        ✓ psm-bash@127.0.0.1 lets us in without a password.

      [4/7] The API token
          On 127.0.0.1: the token ai@pve!claude, with the role ProxmoxSshMcp on /.
        ✓ Made the token ai@pve!claude. Its secret is not shown.

      [5/7] How it is to be used
        ✓ Wrote ~/.config/proxmox-ssh-mcp/.env (0600).

      [6/7] Registration
        ✓ Registered proxmox-ssh-mcp in Claude Code (~/.claude.json; ~/.claude.json.bak is the file as it was). In Claude Code, /mcp shows it.

      [7/7] Does it work?
      ✓ versions: …
      ✓ settings: ~/.config/proxmox-ssh-mcp/.env, readable for this user alone
      ✓ audit file: ~/.local/state/proxmox-ssh-mcp/audit.jsonl can be written
      ✓ Claude Code: registered as proxmox-ssh-mcp in ~/.claude.json
      ✓ API: 127.0.0.1:8006 can be reached
      ✓ API certificate: OU=PVE Cluster Node, O=Proxmox Virtual Environment, CN=pve1.homelab.lan is pinned, valid until …, SHA-256 AA:BB:…
      ✓ API token: ai@pve!claude is accepted by Proxmox VE 9.2.11
      ✓ privileges: the token has what the chosen tools need
      ✓ clock: the host's clock is ours, within 30 s
      ✓ API speed: one call takes … ms (median of 5)
      ✓ SSH host key: pve1 (127.0.0.1:22) shows ssh-ed25519 SHA256:…, which is known
      ✓ SSH login: psm-bash@127.0.0.1:22 lets us in
      ✓ sudo: psm-bash becomes root
      ✓ pct: …/bin/pct is there
      ✓ SSH limits: MaxSessions 10
      ✓ SSH speed: one call takes … ms (median of 5)
        ✓ The server starts (… tools) and answers: Cluster homelab, quorate, 2 of 2 nodes online; 7 guests: 6 running, 1 stopped; 2 things to look at

      It works.
          Settings: ~/.config/proxmox-ssh-mcp/.env
          What was done: ~/.config/proxmox-ssh-mcp/setup.json
          To look again: proxmox-ssh-mcp doctor
          To take it all away: proxmox-ssh-mcp uninstall
      Try, in Claude Code:
          “How are RAM and CPU of the server?”
          “Which of my containers have no backup of the last week?”
          “Show me what fills the disk of 127.0.0.1.”
      "
    `);
    expect(first.code).toBe(0);
    const after = { home: everything(), server: onServer() };
    expect(after.home['.config/proxmox-ssh-mcp/.env']).toMatch(/^file 600 /);
    expect(JSON.stringify(after.home['.claude.json'])).not.toContain(SECRET);
    expect(`${first.stdout}${first.stderr}`).not.toContain(SECRET);
    expect(lab.pveum.calls.join('\n')).not.toContain(SECRET);

    const again = await setup();
    expect(again.code).toBe(0);
    expect({ home: everything(), server: onServer() }).toEqual(after);

    // As a server makes them that serves HTTP or lets a terminal answer.
    for (const own of ['approvals.key', 'http-token']) {
      writeFileSync(join(lab.home, '.config/proxmox-ssh-mcp', own), 'x', { mode: 0o600 });
    }
    const gone = await uninstall();
    expect(steady(gone)).toMatchInlineSnapshot(`
      "  ✓ Took proxmox-ssh-mcp out of ~/.claude.json.
        ✓ Removed ai@pve!claude from 127.0.0.1.
        ✓ Took the key out on 127.0.0.1.
        ✓ Deleted ~/.ssh/proxmox_mcp.
        ✓ Deleted ~/.config/proxmox-ssh-mcp/known_hosts.
        ✓ Deleted ~/.config/proxmox-ssh-mcp/.env.
      Nothing of it is left but its logs, in ~/.local/state/proxmox-ssh-mcp and ~/.local/state/proxmox-ssh-mcp-seals.
      "
    `);
    expect({ home: everything(), server: onServer() }).toEqual(before);
  });

  it.each([
    ['a wrong fingerprint', ['--fingerprint', `${'AA:'.repeat(31)}AA`], /so it is not pinned/],
    ['a wrong host key', ['--host-key', 'SHA256:wrong'], /It is not accepted, so SSH is not used/],
    ['a closed API port', ['--api-port', '1'], /The API cannot be reached at 127\.0\.0\.1:1: the port is closed/],
    ['a closed SSH port', ['--ssh-port', '1'], /SSH cannot be reached at 127\.0\.0\.1:1: the port is closed/],
    ['a name that nobody knows', ['--host', 'no-such-host.invalid'], /the name is not known|cannot be looked up/],
    ['a token name that is taken', ['--token-user', 'mcp@pve', '--token-name', 'auditor'], /The name auditor is taken/],
    ['an access that there is not', ['--access', 'some'], /--access some is none of its values/],
  ])('says what is wrong with %s, goes on, and uninstall takes back what was made', async (_, more, why) => {
    const before = { home: everything(), server: onServer() };
    const { code, stdout, stderr } = await setup(...more);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(why);
    expect(stdout).toContain('[7/7]');
    await uninstall();
    expect({ home: everything(), server: onServer() }).toEqual(before);
  });

  it('leaves no role and no user when the token is refused, and says so', async () => {
    const before = onServer().access;
    lab.pveum.refuse('user token add ai@pve denied');
    const { stderr } = await setup('--token-name', 'denied');
    expect(stderr).toMatch(
      /pveum user token add failed: 403 Permission check failed.*\n.*Nothing that was made for it is left/,
    );
    expect(onServer().access).toEqual(before);
  });

  it.each([
    ['no JSON', '{"a":1,}', 0o600, /is not valid JSON/],
    ['read-only', '{}', 0o400, /it is read-only/],
  ])('leaves a ~/.claude.json that is %s as it is', async (_, text, mode, why) => {
    writeFileSync(join(lab.home, '.claude.json'), text);
    chmodSync(join(lab.home, '.claude.json'), mode);
    expect((await setup()).stderr).toMatch(why);
    expect(readFileSync(join(lab.home, '.claude.json'), 'utf8')).toBe(text);
    await uninstall();
  });

  it('takes a token from a file, and its secret is nowhere but in the settings', async () => {
    writeFileSync(join(lab.home, 'secret'), `${SECRET}\n`);
    const access = onServer().access;
    const { stdout, stderr } = await setup('--token-file', join(lab.home, 'secret'));
    expect(onServer().access).toEqual(access);
    expect(everything()['.config/proxmox-ssh-mcp/.env']).toContain(`PROXMOX_TOKEN_VALUE=${SECRET}`);
    expect(stdout + stderr).not.toContain(SECRET);
    await uninstall();
  });

  it('does nothing without a yes', async () => {
    const args = flags().filter((flag) => flag !== '--yes');
    const before = onServer();
    const { code, stderr } = await cli(['setup', ...args], { home: lab.home, env: env() });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/There is no terminal to ask on.*Say --yes/s),
    });
    expect(onServer()).toEqual(before);
  });
});
