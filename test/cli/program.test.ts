import { describe, expect, it } from 'vitest';
import { loadHere } from '../../src/cli/surroundings.ts';
import { flagOf, keys } from '../../src/config/settings.ts';
import { Home } from '../config/home.ts';
import { initialize, parse, startRaw } from '../e2e/raw.ts';
import { bin, cli, type Given } from './cli.ts';

const SECRET = 'QzXwVk-hush';

const given = (): Given => ({ home: new Home().path });

/** Serves with these arguments and calls a tool; what came on stdout has to be JSON-RPC and nothing else. */
async function served(args: readonly string[], tool: string, home = new Home().path) {
  const session = startRaw({ command: process.execPath, args: [bin, ...args], env: { HOME: home } });
  await initialize(session);
  const { result } = await session.request('tools/call', { name: tool, arguments: {} });
  session.child.stdin?.end();
  const { code } = await session.gone;
  expect(session.lines.map(parse)).not.toContain(undefined);
  return { code, text: JSON.stringify(result), stderr: session.stderr(), stdout: session.lines.join('\n') };
}

describe('the command line', () => {
  it('tells its version and its commands', async () => {
    const [version, help] = await Promise.all([cli(['--version'], given()), cli(['--help'], given())]);
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
    expect(help.code).toBe(0);
    for (const command of ['serve', 'doctor', 'hosts', 'trust']) expect(help.stdout).toContain(`  ${command} `);
  });

  it.each(['serve', 'doctor'])('%s takes every setting that is no secret', async (command) => {
    const { stdout } = await cli([command, '--help'], given());
    for (const key of keys) {
      const flag = flagOf(key);
      if (flag) expect(stdout).toContain(`${flag} <value>`);
    }
    expect(stdout).not.toMatch(/--(proxmox-token-value|ssh-password|ssh-sudo-password|ssh-key-passphrase)/);
  });

  it.each([
    [['docter'], "Unknown command 'docter'. Did you mean doctor?"],
    [['doctor', '--mod', 'ask'], "Unknown option '--mod'. Did you mean --mode?"],
    [['doctor', "--zzz=it's\nhidden"], "Unknown option '--zzz'. See proxmox-ssh-mcp --help."],
    [['doctor', '--zzz=hidden'], "Unknown option '--zzz'. See proxmox-ssh-mcp --help."],
    [['trust'], "Missing required argument 'host'. See proxmox-ssh-mcp --help."],
    [
      ['doctor', '--env-file', '/dev/null'],
      "Unknown option '--env-file'. Use --settings-file: Node would take --env-file for itself.",
    ],
    [['doctor', '--mode'], "Option '--mode <value>' argument missing. See proxmox-ssh-mcp --help."],
  ])('answers %j with a suggestion', async (args, told) => {
    expect(await cli(args, given())).toEqual({ code: 2, stdout: '', stderr: `proxmox-ssh-mcp: ${told}\n` });
  });
});

describe('guarantee 21: no secret is taken from the command line', () => {
  it.each([
    ['--token', 'PROXMOX_TOKEN_VALUE'],
    ['--proxmox-token-value', 'PROXMOX_TOKEN_VALUE'],
    ['--api-key', 'PROXMOX_TOKEN_VALUE'],
    ['--password', 'SSH_PASSWORD'],
    ['--ssh-password', 'SSH_PASSWORD'],
    ['--sudo-password', 'SSH_SUDO_PASSWORD'],
    ['--ssh-key-passphrase', 'SSH_KEY_PASSPHRASE'],
  ])('answers %s with where to put it', async (flag, env) => {
    const told =
      `proxmox-ssh-mcp: ${flag} is not an option: other users of this machine can read a command line. ` +
      `Put ${env} into ~/.config/proxmox-ssh-mcp/.env, and run chmod 600 on that file.\n`;
    for (const args of [
      ['doctor', flag, SECRET],
      ['doctor', `${flag}=${SECRET}`],
    ]) {
      expect(await cli(args, given())).toEqual({ code: 2, stdout: '', stderr: told });
    }
  });
});

describe('serve', () => {
  it('starts without any settings and says what is missing', async () => {
    const missing = 'PROXMOX_HOST, PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE are not set.';
    const [status, overview] = await Promise.all([served([], 'server_status'), served([], 'pve_overview')]);
    expect(status).toMatchObject({ code: 0, text: expect.stringContaining(missing) });
    expect(status.stderr).toContain(missing);
    expect(overview.text).toContain('"isError":true');
    expect(overview.text).toContain(missing);
  });

  it.each([
    [['--mod', 'ask'], "Unknown option '--mod'."],
    [['serve', `--token=${SECRET}`], '--token is not an option: other users of this machine can read a command line.'],
    [['--settings-file', '/nowhere/.env'], 'The settings file /nowhere/.env cannot be used: there is no such file.'],
  ])('starts in spite of %j, and every tool answers with the cure', async (args, told) => {
    const { code, text, stdout, stderr } = await served(args, 'pve_overview');
    expect(code).toBe(0);
    expect(text).toContain('"isError":true');
    expect(text).toContain(told);
    expect(stdout + stderr).not.toContain(SECRET);
  });

  it('reads its settings from the file that a flag names', async () => {
    const home = new Home();
    const file = home.write('my.env', 'MCP_MODE=ask\nMCP_TOOLSETS=ssh\nSSH_CONFIG=none\n');
    const { text, stderr } = await served(
      ['--settings-file', '~/my.env', '--mode', 'read-only'],
      'server_status',
      home.path,
    );
    expect(stderr).toBe('');
    expect(text).toContain('read-only');
    expect(text).toContain(file);
  });
});

describe('the environment of the process', () => {
  it('keeps no secret once the settings are loaded', () => {
    process.env.SSH_PASSWORD = SECRET;
    process.env.OTHER_API_TOKEN = SECRET;
    const loaded = loadHere({});
    expect(loaded.settings.sshPassword?.reveal()).toBe(SECRET);
    expect(JSON.stringify(process.env)).not.toContain(SECRET);
  });

  it('guarantee 21: is given to the command that prints the token without the secrets of our settings', () => {
    process.env.SSH_PASSWORD = SECRET;
    process.env.SSH_SUDO_PASSWORD = SECRET;
    const others = {
      VAULT_TOKEN: 'of-the-manager',
      PROXMOX_TOKEN_COMMAND: 'echo "$SSH_PASSWORD-$SSH_SUDO_PASSWORD-$VAULT_TOKEN"',
      PROXMOX_HOST: 'pve',
      PROXMOX_USER: 'mcp@pve',
      PROXMOX_TOKEN_NAME: 'claude',
    };
    Object.assign(process.env, others);
    try {
      expect(loadHere({}).token?.secret.reveal()).toBe('--of-the-manager');
    } finally {
      for (const name of Object.keys(others)) delete process.env[name];
    }
  });
});
