import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { createWorld } from '../../src/demo/world.ts';
import { type Session, startSession } from '../rig/keychain.ts';
import { readTree } from '../rig/tree.ts';
import { cli } from './cli.ts';

const ACCOUNT = 'mcp@pve!auditor';
const world = createWorld({ taskSpeed: 0 });
const secret = world.access.tokens.find(({ tokenid }) => tokenid === 'auditor')?.value ?? '';

let api: Api;
let home: string;
let session: Session | undefined;
beforeAll(async () => {
  api = await startApi(world);
});
afterAll(() => api.stop());
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'psm-keychain-')));
  mkdirSync(join(home, '.config'));
  writeFileSync(join(home, 'secret'), secret);
});
afterEach(async () => {
  await session?.stop();
  session = undefined;
  rmSync(home, { recursive: true, force: true });
});

/** The keychain of this user, unlocked or not. */
async function enter(locked: boolean): Promise<Readonly<Record<string, string>>> {
  await session?.stop();
  session = await startSession(join(home, '.desktop'), locked);
  return session.env;
}

const setup = (env: Readonly<Record<string, string>>, ...more: string[]) => {
  const place = ['--host', '127.0.0.1', '--api-port', String(api.port), '--ssh-port', '1'];
  const token = ['--token-file', join(home, 'secret'), '--token-user', 'mcp@pve', '--token-name', 'auditor'];
  const rest = ['--fingerprint', api.fingerprint, '--toolsets', 'pve', '--mode', 'read-only'];
  return cli(['setup', '--yes', ...place, ...token, ...rest, ...more], { home, env });
};
const settings = () => readFileSync(join(home, '.config/proxmox-ssh-mcp/.env'), 'utf8');
const files = () => readTree(home, (name) => /^\.(local|cache|desktop)/.test(name));

/** What the keychain has, asked without a program of ours. */
const kept = (env: Readonly<Record<string, string>>): string =>
  execFileSync(
    process.execPath,
    [
      '-e',
      `const { Entry } = require('@napi-rs/keyring');
      const options = { linux: { store: 'secret-service' } };
      console.log(new Entry('proxmox-ssh-mcp', '${ACCOUNT}', options).getPassword());`,
    ],
    { cwd: resolve(import.meta.dirname, '../..'), env: { ...env, PATH: '/usr/bin:/bin' }, encoding: 'utf8' },
  ).trim();

describe('the secret of a further cluster', { timeout: 90_000 }, () => {
  const put = (env: Readonly<Record<string, string>>, name: string, input: string) =>
    cli(['cluster-secret', name], { home, env, input });
  const describeIt = (token: object) => {
    mkdirSync(join(home, '.config/proxmox-ssh-mcp'), { recursive: true });
    const clusters = { attic: { host: '127.0.0.1', port: api.port, fingerprint: api.fingerprint, token } };
    writeFileSync(join(home, '.config/proxmox-ssh-mcp/hosts.json'), JSON.stringify({ clusters }), { mode: 0o600 });
  };

  it('is kept, used, and taken away by uninstall', async () => {
    const env = await enter(false);
    describeIt({ id: ACCOUNT, keychain: true });
    const { code, stdout } = await put(env, 'attic', `${secret}\n`);
    expect([code, stdout]).toEqual([0, `The secret is in the keychain, as attic/${ACCOUNT}.\n`]);
    const { stdout: told } = await cli(['doctor'], { home, env });
    expect(told).toContain(`attic: API token: ${ACCOUNT} is accepted`);
    const gone = await cli(['uninstall', '--yes'], { home, env });
    expect(gone.stdout).toContain(`✓ Deleted the secret of attic/${ACCOUNT} from the keychain.`);
    expect((await cli(['doctor'], { home, env })).stdout).toContain(
      'proxmox-ssh-mcp cluster-secret attic puts it there',
    );
  });

  it('has to be one, of a cluster that says so', async () => {
    const env = await enter(false);
    describeIt({ id: ACCOUNT, variable: 'ATTIC' });
    const wrong = async (name: string, text: string) => {
      const { code, stderr } = await put(env, name, text);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await wrong('attic', secret)).toContain(
      'The token of attic is said to be elsewhere. Write "keychain": true',
    );
    expect(await wrong('cellar', secret)).toContain('has no cluster cellar. It describes attic.');
    describeIt({ id: ACCOUNT, keychain: true });
    expect(await wrong('attic', `${ACCOUNT}=${secret}`)).toContain('That is no secret of a token.');
    expect(await wrong('attic', '')).toContain('That is no secret of a token.');
    expect(kept(env)).toBe('null');
  });
});

describe('the keychain', { timeout: 90_000 }, () => {
  it('keeps the secret, gives it to the server at every start, and has it no more after uninstall', async () => {
    const env = await enter(false);
    const before = files();
    const { code, stdout, stderr } = await setup(env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('keychain') });
    expect(stdout).toContain('✓ The secret is in the keychain.');
    expect(stdout).toMatch(/The server starts .* and answers: Cluster homelab/);
    expect(settings()).toContain('PROXMOX_TOKEN_KEYCHAIN=yes');
    expect(JSON.stringify({ ...files(), secret: '' }) + stdout).not.toContain(secret);
    expect(kept(env)).toBe(secret);
    const gone = await cli(['uninstall', '--yes'], { home, env });
    expect(gone.stdout).toContain(`✓ Deleted the secret of ${ACCOUNT} from the keychain.`);
    expect(gone.code).toBe(0);
    expect(kept(env)).toBe('null');
    expect(files()).toEqual(before);
  });

  it('that is locked, or that is not there, is told with its cure, and nothing is lost', async () => {
    const open = await enter(false);
    await setup(open, '--secret-store', 'keychain');
    const locked = await enter(true);
    const told = await cli(['doctor'], { home, env: locked });
    expect(told.stdout).toMatch(
      /PROXMOX_TOKEN_KEYCHAIN .* gives no secret: The keychain of this system is locked\.\n +Unlock the keychain/,
    );
    expect(told.code).toBe(1);
    const none = await cli(['doctor'], { home });
    expect(none.stdout).toMatch(/The keychain of this system cannot be used: .*DBus/);
    const stays = await cli(['uninstall', '--yes'], { home, env: locked });
    expect(stays.stderr).toMatch(/The keychain of this system is locked\.\n +Unlock it\./);
    expect(stays.code).toBe(1);
    const again = await enter(false);
    expect(kept(again)).toBe(secret);
    expect((await cli(['uninstall', '--yes'], { home, env: again })).code).toBe(0);
    expect(kept(again)).toBe('null');
  });

  it('that does not work is not used, and when it was asked for that is told', async () => {
    expect((await setup({})).stderr).not.toContain('keychain');
    expect(settings()).toContain(`PROXMOX_TOKEN_VALUE=${secret}`);
    await cli(['uninstall', '--yes'], { home });
    const { stderr } = await setup({}, '--secret-store', 'keychain');
    expect(stderr).toMatch(/The keychain of this system cannot be used: .*\n.*desktop session.* settings file keeps/);
    expect(settings()).toContain(`PROXMOX_TOKEN_VALUE=${secret}`);
  });
});
