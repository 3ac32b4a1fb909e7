import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import { type Pveum, startPveum } from '../rig/pveum.ts';
import { startSshAgent } from '../rig/sshagent.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { startTerminal, type Terminal } from '../rig/terminal.ts';
import { DASH_PASSWORD, runAsRoot } from '../rig/users.ts';
import { bin } from './cli.ts';

/** Logs in with a password, which sudo wants too. */
const USER = 'psm-dash';

let sshd: Sshd;
let world: World;
let api: Api;
let pveum: Pveum;
let home: string;
let terminal: Terminal;

beforeAll(async () => {
  world = createWorld({ taskSpeed: 0 });
  api = await startApi(world);
  sshd = await startSshd({
    containers: {},
    extraConfig: [
      'AuthorizedKeysFile .ssh/authorized_keys',
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication no',
    ],
  });
  pveum = await startPveum(world, sshd.folder);
});
afterAll(async () => {
  await Promise.all([pveum.stop(), api.stop(), sshd.stop()]);
});
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'psm-terminal-')));
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  writeFileSync(join(home, '.claude.json'), '{"numStartups":1}');
});
afterEach(() => {
  terminal.stop();
  rmSync(home, { recursive: true, force: true });
  runAsRoot(['rm', '-rf', `/home/${USER}/.ssh`]);
});

const start = (...args: string[]) => startWith({}, ...args);
const startWith = (env: Record<string, string>, ...args: string[]) => {
  terminal = startTerminal([process.execPath, bin, ...args], { HOME: home, PATH: '/usr/bin:/bin', ...env });
};
const files = () =>
  Object.fromEntries(
    readdirSync(home, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('.local') && statSync(join(home, name)).isFile())
      .map((name) => [name, readFileSync(join(home, name), 'utf8')]),
  );

/** Every question of a set-up in its order, with what is typed as an answer. */
const questions = (): readonly (readonly [question: string, answer: string, ...keys: string[]])[] => [
  ['Name or address of the Proxmox VE host', '127.0.0.1', 'Enter'],
  ['Port of its API', String(api.port), 'Enter'],
  ['SSH login', USER, 'Enter'],
  ['SSH port', String(sshd.port), 'Enter'],
  ['Is that the fingerprint of your server?', 'y'],
  ['Is that its key?', 'y'],
  ['Make the key', '', 'Enter'],
  ['Put this key into authorized_keys', '', 'Enter'],
  ['password:', DASH_PASSWORD, 'Enter'],
];

describe('setup on a terminal', { timeout: 180_000 }, () => {
  it('asks for all it needs, has the password typed into ssh itself, and goes on without what it cannot have', async () => {
    start('setup');
    for (const [question, answer, ...keys] of questions()) {
      await terminal.expect(question);
      terminal.type(answer, ...keys);
    }
    await terminal.expect('The server has it now.');
    await terminal.expect('Where is the API token to come from?');
    // sudo has a password that nobody typed, so the token is given by hand.
    terminal.type('', 'Down', 'Enter');
    await terminal.expect('User of the token');
    terminal.type('mcp@pve', 'Enter');
    await terminal.expect('Name of the token');
    terminal.type('auditor', 'Enter');
    await terminal.expect('Its secret');
    const secret = world.access.tokens.find(({ tokenid }) => tokenid === 'auditor')?.value ?? '';
    terminal.type(secret, 'Enter');
    await terminal.expect('How much may the AI do?');
    terminal.type('', 'Down', 'Enter');
    await terminal.expect('Which tools shall there be?');
    terminal.type('', 'Enter');
    await terminal.expect('Write the settings to');
    terminal.type('', 'Enter');
    await terminal.expect('Register it as proxmox-ssh-mcp in Claude Code?');
    terminal.type('', 'Enter');
    expect(await terminal.ended()).toBe(0);
    await terminal.expect('It works.');
    expect(terminal.screen()).not.toContain(secret);
    expect(terminal.screen()).not.toContain(DASH_PASSWORD);
    expect(files()['.config/proxmox-ssh-mcp/.env']).toContain('MCP_MODE=read-only');
    expect(JSON.stringify(files())).not.toContain(JSON.stringify(DASH_PASSWORD).slice(1, -1));
  });

  it('says that the password was wrong, goes on, and leaves nothing on the server', async () => {
    const before = files();
    start('setup');
    for (const [question, answer, ...keys] of questions().slice(0, -1)) {
      await terminal.expect(question);
      terminal.type(answer, ...keys);
    }
    for (let i = 0; i < 3; i++) {
      await terminal.expect('password:');
      terminal.type('not this', 'Enter');
    }
    await terminal.expect('Permission denied (publickey,password).');
    await terminal.expect('The key could not be put there.');
    await terminal.expect(/By hand: ssh-copy-id -i \S+proxmox_mcp\.pub -p \d+ psm-dash@127\.0\.0\.1/);
    await terminal.expect('The API works without SSH');
    await terminal.expect('User of the token');
    terminal.type('', 'C-c');
    expect(await terminal.ended()).toBe(1);
    expect(terminal.screen()).toMatch(
      /Stopped\. Run the same again to go on.*it is taken away by: node \S+ uninstall/s,
    );
    const done = execFileSync(process.execPath, [bin, 'uninstall', '--yes'], {
      env: { HOME: home, PATH: '/usr/bin:/bin' },
      encoding: 'utf8',
    });
    expect(done).not.toContain('Took the key out');
    expect(files()).toEqual(before);
    expect(existsSync(`/home/${USER}/.ssh`)).toBe(false);
  });

  it('has a passphrase typed into ssh-keygen and ssh-add, and logs in by the agent', async () => {
    const passphrase = 'of the key 7';
    const agent = await startSshAgent(join(home, 'agent'));
    try {
      startWith({ SSH_AUTH_SOCK: agent.socket }, 'setup');
      for (const [question, answer, ...keys] of questions()) {
        await terminal.expect(question);
        terminal.type(answer, ...keys);
        if (question !== 'Make the key') continue;
        await terminal.expect('Protect it with a passphrase');
        terminal.type('y');
        for (const prompt of ['Enter passphrase', 'Enter same passphrase again', 'Enter passphrase for']) {
          await terminal.expect(prompt);
          terminal.type(passphrase, 'Enter');
        }
      }
      await terminal.expect('lets us in without a password.');
      terminal.type('', 'C-c');
      await terminal.expect('Where is the API token to come from?');
      expect(terminal.screen()).not.toContain(passphrase);
      expect(JSON.stringify(files())).not.toContain(passphrase);
      expect(await terminal.ended()).toBe(1);
    } finally {
      await agent.stop();
    }
  });

  it('stopped at any question leaves what was whole before it, and uninstall takes that away', async () => {
    const before = files();
    for (let stop = 0; stop < questions().length; stop++) {
      start('setup');
      for (const [i, [question, answer, ...keys]] of questions().entries()) {
        await terminal.expect(question);
        if (i === stop) break;
        terminal.type(answer, ...keys);
      }
      terminal.type('', 'C-c');
      const code = await terminal.ended();
      expect(code, `stopped at ${questions()[stop]?.[0]}`).not.toBe(0);
      const settings = join(home, '.config/proxmox-ssh-mcp/.env');
      expect(existsSync(settings)).toBe(false);
      expect(files()['.claude.json']).toBe(before['.claude.json']);
      terminal.stop();
      execFileSync(process.execPath, [bin, 'uninstall', '--yes'], {
        env: { HOME: home, PATH: '/usr/bin:/bin' },
        stdio: 'pipe',
      });
      expect(files(), `after it was stopped at ${questions()[stop]?.[0]}`).toEqual(before);
    }
    start('--version');
    expect(await terminal.ended()).toBe(0);
  });
});
