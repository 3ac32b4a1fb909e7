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

  it('refuses the file of somebody else, whatever its mode, with a line that a shell takes', () => {
    const home = new Home();
    const path = home.write("it's/.env", 'PROXMOX_HOST=pve');
    chownSync(path, 12_345, 12_345);
    const { problems, settings } = home.load({ flags: { settingsFile: path }, uid: 7 });
    const word = `'${home.path}/it'\\''s/.env'`;
    expect(problems).toEqual([
      {
        cause: `The settings file ${path} belongs to another user (uid 12345), so it is not used.`,
        cure: `Run: chown 7 ${word} && chmod 600 ${word}`,
        blocks: ['pve', 'ssh'],
      },
    ]);
    expect(settings.proxmoxHost).toBeUndefined();
  });

  it('takes any where files have no owner', () => {
    const home = new Home();
    home.settings('PROXMOX_HOST=pve', 0o666);
    expect(home.load({ uid: undefined }).settings.proxmoxHost).toEqual([{ host: 'pve' }]);
  });

  it('refuses a folder', () => {
    const home = new Home();
    home.write('folder.env/x', '');
    const settingsFile = `${home.path}/folder.env`;
    const { problems } = home.load({
      flags: { settingsFile },
      stat: () => ({ mode: 0o600, uid: process.getuid?.() ?? 0 }),
    });
    expect(problems).toEqual([
      {
        cause: `The settings file ${settingsFile} cannot be used: it is a folder.`,
        cure: 'Name another one with --settings-file, or make it readable for this user alone (chmod 600).',
        blocks: ['pve', 'ssh'],
      },
    ]);
  });

  it.each([
    ['EACCES', 'this user may not read it'],
    ['EIO', 'EIO'],
    [undefined, 'it cannot be read'],
  ])('tells %s as "%s", of the usual file too', (code, why) => {
    const home = new Home();
    const stat = () => {
      throw Object.assign(new Error('x'), code === undefined ? {} : { code });
    };
    expect(home.load({ stat }).problems[0]?.cause).toBe(
      `The settings file ${home.settingsFile} cannot be used: ${why}.`,
    );
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

  it('knows the line of a name with a dot, after export and colon, and of no other name', () => {
    const { values } = read(new Home(), 'AxB=1\n  export  A.B: 2\nA.BC=3\nEXPORT_A.B=4\n');
    expect(values.get('A.B')).toEqual({ text: '2', line: 2 });
    const { values: commented } = read(new Home(), 'MCP_MODE=ask\n# MCP_MODE=x\nnot MCP_MODE=x\n');
    expect(commented.get('MCP_MODE')?.line).toBe(1);
    const { values: alone } = read(new Home(), 'X=a\r\rY=b\n\nZ=c');
    expect([...alone].map(([name, { line }]) => [name, line])).toEqual([
      ['X', 1],
      ['Y', 3],
      ['Z', 5],
    ]);
  });

  it('guesses a name within six letters, and of our own names only', () => {
    const { problems } = read(new Home(), 'SSH_AGENTTTTTTT=1\nSSH_AGENTTTTTTTT=1\nMY_SSH_HOST=1\nSSHHOST=1\n');
    expect(problems.map(({ cure }) => cure)).toEqual([
      'Did you mean SSH_AGENT?',
      'The names are listed in .env.example.',
    ]);
  });

  it.each([
    ['SSH_PASSWORD=ab#cd', true],
    ['SSH_PASSWORD=a#cd', true],
    ['SSH_PASSWORD: a b#', true],
    ['SSH_PASSWORD=#cd', false],
    ['SSH_PASSWORD=ab #cd', false],
    ['SSH_PASSWORD="ab#cd"', false],
    ['SSH_PASSWORD=`ab#cd`', false],
    ["SSH_PASSWORD='ab' # x#y", false],
    ['SSH_PASSWORD=abcd', false],
    ["SSH_PASSWORD='a=bb#c'", false],
    ['OTHER_PASSWORD=ab#cd', false],
  ])('of %s says that it is cut: %s', (line, told) => {
    const { problems, path } = read(new Home(), `${line}\n`);
    const problem = {
      cause: `SSH_PASSWORD (${path}:1) is cut at the # in it, because the value is not in quotes.`,
      cure: "Put the value in single quotes ('…'), or a space before the # if a comment begins there.",
    };
    expect(problems).toEqual(told ? [problem] : []);
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
