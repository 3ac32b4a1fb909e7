import { chownSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnvFile } from '../../src/config/envfile.ts';
import { Home } from './home.ts';

const read = (home: Home, text: string) => {
  const path = home.settings(text);
  return { path, ...readEnvFile(path, true, home.around()) };
};

describe('who may read the settings file', () => {
  it.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])('refuses mode %o with the chmod line', (mode) => {
    const home = new Home();
    const path = home.settings('PROXMOX_HOST=pve', mode);
    const { settings, problems, settingsFile } = home.load();
    expect(settings.proxmoxHost).toBeUndefined();
    expect(settingsFile).toBeUndefined();
    expect(problems).toEqual([
      {
        cause: `The settings file ${path} is open to other users (mode ${mode.toString(8)}), so it is not used.`,
        cure: `Run: chmod 600 '${path}'`,
        blocks: ['pve', 'ssh'],
      },
    ]);
  });

  it.each([0o600, 0o400, 0o700])('takes mode %o', (mode) => {
    const home = new Home();
    home.settings('PROXMOX_HOST=pve', mode);
    expect(home.load().settings.proxmoxHost).toEqual([{ host: 'pve' }]);
  });

  it('refuses the file of somebody else', () => {
    const home = new Home();
    const path = home.settings('PROXMOX_HOST=pve');
    chownSync(path, 12_345, 12_345);
    expect(home.load().problems).toMatchObject([
      {
        cause: expect.stringContaining('belongs to another user (uid 12345)'),
        cure: expect.stringContaining('chown '),
      },
    ]);
  });

  it('refuses a folder', () => {
    const home = new Home();
    home.write('folder.env/x', '');
    const { problems } = home.load({ flags: { settingsFile: `${home.path}/folder.env` } });
    expect(problems).toMatchObject([{ blocks: ['pve', 'ssh'] }]);
  });
});

describe('what the settings file says', () => {
  it('knows the line of each value, the last one counting', () => {
    const { values } = read(
      new Home(),
      '\uFEFFMCP_MODE=ask\r\n\r\nexport SSH_USER=me\n# MCP_MODE=x\nMCP_MODE = guarded\n',
    );
    expect(Object.fromEntries(values)).toEqual({
      MCP_MODE: { text: 'guarded', line: 5 },
      SSH_USER: { text: 'me', line: 3 },
    });
  });

  it('warns of unknown names of ours with the nearest known one', () => {
    const { problems, path } = read(new Home(), 'PROXMOX_TOKEN_VALEU=s3cret\nMCP_COLOUR_OF_THE_SKY=1\nOTHER=1\n');
    expect(problems).toEqual([
      {
        cause: `PROXMOX_TOKEN_VALEU (${path}:1) is not a setting, so it has no effect.`,
        cure: 'Did you mean PROXMOX_TOKEN_VALUE?',
      },
      {
        cause: `MCP_COLOUR_OF_THE_SKY (${path}:2) is not a setting, so it has no effect.`,
        cure: 'The names are listed in .env.example.',
      },
    ]);
  });

  it('warns of a password that a # cuts, and of no other #', () => {
    const { problems, path } = read(new Home(), `SSH_PASSWORD=ab#cd\nSSH_USER=me # mine\nSSH_SUDO_PASSWORD='a#b'\n`);
    expect(problems.map(({ cause }) => cause)).toEqual([
      `SSH_PASSWORD (${path}:1) is cut at the # in it, because the value is not in quotes.`,
    ]);
    expect(JSON.stringify(problems)).not.toContain('ab#');
  });

  it('survives any text, and points into it', () => {
    const home = new Home();
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^(PROXMOX|SSH|MCP)_[A-Z]{1,12}[=: ]{1,3}['"`#$\\{}a-z ]{0,12}$/),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const text = lines.join('\n');
        const { values, problems } = read(home, text);
        const count = text.split(/\r\n?|\n/).length;
        for (const { line: at } of values.values()) expect(at).toBeLessThanOrEqual(count);
        for (const { cause, cure } of problems) expect(`${cause} ${cure}`).not.toMatch(/undefined|\n/);
      }),
      { numRuns: 1000 },
    );
  });
});
