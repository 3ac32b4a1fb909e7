import { describe, expect, it } from 'vitest';
import type { Surroundings } from '../../src/config/load.ts';
import { Home } from './home.ts';

const TOKEN = { PROXMOX_HOST: 'pve', PROXMOX_USER: 'mcp@pve', PROXMOX_TOKEN_NAME: 'claude' };

const load = (env: Record<string, string>, given: Partial<Surroundings>) =>
  new Home().load({ env: { ...TOKEN, ...env }, ...given });

describe('the secret of a token', () => {
  it('is what a command prints, which is run only when nothing else has it', () => {
    const ran: string[] = [];
    const run = (command: string) => {
      ran.push(command);
      return 'a-b-c';
    };
    const loaded = load({ PROXMOX_TOKEN_COMMAND: 'pass show pve' }, { run });
    expect(loaded.problems).toEqual([]);
    expect(loaded.token).toMatchObject({ id: 'mcp@pve!claude' });
    expect(loaded.token?.secret.reveal()).toBe('a-b-c');
    expect(loaded.secrets.map((secret) => secret.reveal())).toEqual(['a-b-c']);
    load({ PROXMOX_TOKEN_COMMAND: 'pass show pve', PROXMOX_TOKEN_VALUE: 'd-e-f' }, { run });
    load({}, { run });
    expect(ran).toEqual(['pass show pve']);
  });

  it('is what the keychain has for it', () => {
    const keychain = (account: string) => (account === 'mcp@pve!claude' ? 'k-e-y' : undefined);
    expect(load({ PROXMOX_TOKEN_KEYCHAIN: 'yes' }, { keychain }).token?.secret.reveal()).toBe('k-e-y');
  });

  it('is told by where it is from, and the keychain before a command', () => {
    const { sources, token } = load(
      { PROXMOX_TOKEN_KEYCHAIN: 'yes', PROXMOX_TOKEN_COMMAND: 'pass', PROXMOX_TOKEN_NAME: 'mcp@pve!xy' },
      { keychain: (account) => `of-${account.replace('!', '-')}`, run: () => 'by-command' },
    );
    expect(token?.secret.reveal()).toBe('of-mcp@pve-xy');
    expect(sources.proxmoxTokenValue).toBe('PROXMOX_TOKEN_KEYCHAIN (environment variable PROXMOX_TOKEN_KEYCHAIN)');
  });

  const fails = (message: string) => () => {
    throw new Error(message);
  };
  it.each([
    [
      { PROXMOX_TOKEN_COMMAND: 'pass' },
      { run: fails('pass v1.2: not found.') },
      /: PROXMOX_TOKEN_COMMAND \(environment variable PROXMOX_TOKEN_COMMAND\) gives no secret: pass v1\.2: not found\.$/,
    ],
    [{ PROXMOX_TOKEN_COMMAND: 'pass' }, { run: () => 'two words' }, /\) gives no secret of a token\.$/],
    [{ PROXMOX_TOKEN_KEYCHAIN: 'yes' }, { keychain: () => 'two words' }, /\) gives no secret of a token\.$/],
    [
      { PROXMOX_TOKEN_KEYCHAIN: 'yes' },
      { keychain: fails('locked') },
      /PROXMOX_TOKEN_KEYCHAIN .*gives no secret: locked\./,
    ],
    [{ PROXMOX_TOKEN_KEYCHAIN: 'yes' }, { keychain: () => undefined }, /has none for mcp@pve!claude/],
  ])('that cannot be had from %o is a problem with its cure, and no crash', (env, given, cause) => {
    const { problems, token } = load(env, given);
    expect(token).toBeUndefined();
    expect(problems[0]).toMatchObject({ cause: expect.stringMatching(cause), blocks: ['pve'] });
    expect(problems[0]?.cause).toMatch(
      /^PROXMOX_TOKEN_VALUE cannot be had: PROXMOX_TOKEN_(KEYCHAIN|COMMAND) \(.*[^.]\.$/,
    );
    expect(problems[0]?.cure).toBe(
      'PROXMOX_TOKEN_KEYCHAIN' in env
        ? 'Unlock the keychain, and start the server again; or keep the secret elsewhere: "proxmox-ssh-mcp setup".'
        : 'Run the command by hand: it has to print the secret, and nothing else, without a question.',
    );
    expect(problems).toHaveLength(1);
  });
});
