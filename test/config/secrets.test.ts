import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHORTEST_HIDDEN } from '../../src/config/load.ts';
import { keys, settingOf } from '../../src/config/settings.ts';
import { SHORTEST_REDACTED } from '../../src/present/redact.ts';
import { Home } from './home.ts';

const SECRETS = ['PROXMOX_TOKEN_VALUE', 'SSH_KEY_PASSPHRASE', 'SSH_PASSWORD', 'SSH_SUDO_PASSWORD'];

/** Values with a mark in them that nothing else contains, in forms that are right, wrong, cut or quoted. */
const marked = fc
  .tuple(
    fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('/', '~/', '1,', 'a@b!c=')),
    fc.constantFrom('#', ' ', '=', '!', "'", '', '\n'),
    fc.string({ maxLength: 8 }),
  )
  .map(([before, middle, after]) => `${before}QzXwVk${middle}${after}`);

describe('guarantee 21: secrets do not leave by way of the settings', () => {
  it('shows none in problems, sources or a dump of everything, 1,000 times', () => {
    const home = new Home();
    const names = keys.map((key) => settingOf(key).env);
    fc.assert(
      fc.property(fc.constantFrom(...names), marked, fc.boolean(), (name, value, inFile) => {
        home.settings(inFile ? `${name}=${value}\nPROXMOX_TOKEN_SECRET=${value}` : '');
        const loaded = home.load({ env: inFile ? {} : { [name]: value } });
        const told = JSON.stringify([loaded.problems, loaded.sources]);
        expect(told).not.toContain('QzXwVk');
        if (SECRETS.includes(name)) expect(inspect(loaded, { depth: 9, showHidden: true })).not.toContain('QzXwVk');
      }),
      { numRuns: 1000 },
    );
  });

  it('holds every secret for redaction, whatever its source', () => {
    const home = new Home();
    home.settings("SSH_PASSWORD='~/p#w'\nSSH_SUDO_PASSWORD= spaced \n");
    const { secrets, settings } = home.load({ env: { PROXMOX_TOKEN_VALUE: 'token', SSH_KEY_PASSPHRASE: ' ~  ' } });
    expect(secrets.map((secret) => secret.reveal()).sort()).toEqual([' ~  ', 'spaced', 'token', '~/p#w']);
    expect(`${settings.sshPassword}`).toBe('[secret]');
  });

  it('says when one is too short to be taken out of answers', () => {
    expect(SHORTEST_HIDDEN).toBe(SHORTEST_REDACTED);
    const { problems } = new Home().load({
      env: { SSH_PASSWORD: 'abc', SSH_SUDO_PASSWORD: 'abcd', MCP_TOOLSETS: 'ssh' },
    });
    expect(problems).toEqual([
      {
        cause:
          'SSH_PASSWORD (environment variable SSH_PASSWORD) is too short (under 4 characters) to be cut out of answers.',
        cure: 'Use a longer one.',
      },
    ]);
  });

  it('never takes one from a flag', () => {
    for (const key of keys.filter((each) => settingOf(each).secret)) {
      expect(new Home().load({ flags: { [key]: 'from-argv' } }).settings[key]).toBeUndefined();
    }
  });

  it('names what to remove from the environment before anything is started', () => {
    const kept = [
      'PATH',
      'SSH_AUTH_SOCK',
      'MONKEY',
      'TOKENIZERS',
      'MYTOKEN',
      'API_KEYS',
      'KEY',
      'PASSWORDS',
      'XACCESS_KEYX',
      'PROXMOX_HOST',
      'SSH_USER',
    ];
    const gone = [
      ...['PROXMOX_TOKEN_VALUE', 'PROXMOX_TOKEN_NAME', 'SSH_PASSWORD', 'SSH_KEY_PASSPHRASE', 'SSH_SUDO_PASSWORD'],
      ...[
        'ANTHROPIC_API_KEY',
        'X_APIKEY',
        'AWS_SECRET_ACCESS_KEY',
        'PRIVATE_KEY',
        'MY_PRIVATE_KEY_FILE',
        'GITHUB_TOKEN',
      ],
      ...['client_secret', 'PASSWD', 'DB_PASSPHRASE', 'AWS_CREDENTIAL', 'CREDENTIALS_X', 'TOKEN', 'ACCESS_KEY_ID'],
    ];
    const env = Object.fromEntries([...kept, ...gone].map((name) => [name, 'x']));
    expect([...new Home().load({ env }).scrub].sort()).toEqual(gone.sort());
  });
});
