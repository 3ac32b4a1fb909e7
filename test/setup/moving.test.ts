import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findOld } from '../../src/setup/moving.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'psm-old-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const write = (name: string, text: string) => {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), text);
};
const found = () => findOld({ home, platform: 'linux', cwd: home, env: {} });

describe('settings of other servers', () => {
  it('are read from the entries of gilby125/mcp-proxmox and of ssh-mcp', () => {
    const env = {
      PROXMOX_HOST: '192.168.2.123',
      PROXMOX_PORT: '8006',
      PROXMOX_USER: 'root@pam',
      PROXMOX_TOKEN_NAME: 'claude-mcp',
      PROXMOX_TOKEN_VALUE: 'a-b-c',
      PROXMOX_ALLOW_ELEVATED: 'true',
    };
    const args = [
      '-y',
      'ssh-mcp',
      '--',
      '--host=192.168.2.123',
      '--user=root',
      '--port=2222',
      '--key=~/.ssh/proxmox_mcp',
    ];
    const mcpServers = {
      proxmox: { command: 'node', args: ['/home/me/mcp-servers/proxmox/index.js'], env },
      'ssh-server': { command: 'npx', args },
      other: { command: 'node', args: ['ssh-mcp-like.js'], env: { HOST: 'x' } },
    };
    write('.claude.json', JSON.stringify({ mcpServers }));
    const [api, ssh, ...more] = found();
    expect(more).toEqual([]);
    expect(api).toMatchObject({
      entry: 'proxmox',
      host: '192.168.2.123',
      apiPort: 8006,
      token: { id: 'root@pam!claude-mcp' },
    });
    expect(api?.token?.secret.reveal()).toBe('a-b-c');
    expect(JSON.stringify(api)).not.toContain('a-b-c');
    expect(ssh).toEqual({
      label: 'tufantunc/ssh-mcp (ssh-server in ~/.claude.json)',
      ...{ entry: 'ssh-server', host: '192.168.2.123', sshPort: 2222, sshUser: 'root' },
      keyPath: join(home, '.ssh/proxmox_mcp'),
    });
  });

  it('are read from the default profile of ssh-mcp', () => {
    const profile = (name: string) =>
      `[[profiles]]\nname = "${name}"\nhost = "${name}.lan"\nport = 22\nuser = "deploy"\nauth = "key"\nkeyRef = "~/.ssh/id"\n`;
    write('.config/ssh-mcp/config.toml', `[defaults]\ndefaultProfile = "two"\n${profile('one')}${profile('two')}`);
    expect(found()).toMatchObject([
      { host: 'two.lan', sshPort: 22, sshUser: 'deploy', keyPath: join(home, '.ssh/id') },
    ]);
  });

  it.each([
    '',
    'not json',
    '[]',
    '{"mcpServers":[1,null,{"args":3}]}',
    '{"mcpServers":{"a":null,"b":{"env":{"PROXMOX_HOST":7}}}}',
  ])('are none in %j, and nothing is thrown', (text) => {
    write('.claude.json', text);
    write('.config/ssh-mcp/config.toml', text);
    for (const one of found()) expect(one.host).toBeUndefined();
  });

  it('are not those of this server', () => {
    const ours = { command: 'node', args: ['/opt/proxmox-ssh-mcp/bin/proxmox-ssh-mcp.js'], env: { PROXMOX_HOST: 'x' } };
    write('.claude.json', JSON.stringify({ mcpServers: { ours } }));
    expect(found()).toEqual([]);
  });
});
