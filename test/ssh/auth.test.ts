import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { Secret } from '../../src/secret.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import { connect } from '../../src/ssh/connect.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD } from '../rig/users.ts';

const PASSPHRASE = 'the passphrase of a key';
const WRONG = 'not the password at all';

let folder: string;
let sshd: Sshd;
let pam: Sshd;
let both: Sshd;
const agents: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'psm-auth-'));
  keygen('locked', '-t', 'ed25519', '-N', PASSPHRASE, '-a', '2');
  for (const name of ['stranger', 'second', 'authority', 'another']) keygen(name, '-t', 'ed25519', '-N', '');
  for (const kind of ['ed25519', 'rsa'] as const) writePkcs8(kind);
  const authorizedKeys = ['locked', 'second', 'pkcs8-ed25519', 'pkcs8-rsa'].map(publicKey);
  sshd = await startSshd({ authorizedKeys, extraConfig: ['LogLevel DEBUG1'] });
  const interactive = [
    'UsePAM yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication yes',
    'LogLevel DEBUG1',
  ];
  pam = await startSshd({ extraConfig: interactive });
  both = await startSshd({ authorizedKeys, extraConfig: ['AuthenticationMethods publickey,password'] });
  const lines = [sshd, pam, both].map(({ hostKeyLine }) => hostKeyLine);
  writeFileSync(join(folder, 'known_hosts'), `${lines.join('\n')}\n`);
});

afterAll(async () => {
  for (const agent of agents) agent.kill();
  for (const server of [sshd, pam, both]) await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const keygen = (name: string, ...args: string[]) =>
  execFileSync('ssh-keygen', ['-q', '-C', name, '-f', path(name), ...args]);
const publicKey = (name: string) => readFileSync(`${path(name)}.pub`, 'utf8').trim();
const fingerprint = (name: string) =>
  execFileSync('ssh-keygen', ['-lf', `${path(name)}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';

function writePkcs8(kind: 'ed25519' | 'rsa'): void {
  const name = `pkcs8-${kind}`;
  const pair = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const;
  writeFileSync(path(name), pair.privateKey.export(encrypted), { mode: 0o600 });
  // ssh-keygen cannot read Ed25519 in PKCS#8, but the raw key is the tail of its SPKI form.
  const raw = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const head = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 ', 'latin1');
  const line =
    kind === 'rsa'
      ? execFileSync('ssh-keygen', ['-y', '-P', PASSPHRASE, '-f', path(name)], { encoding: 'utf8' })
      : `ssh-ed25519 ${Buffer.concat([head, raw]).toString('base64')}`;
  writeFileSync(`${path(name)}.pub`, line);
}

async function agent(...keys: string[]): Promise<string> {
  const socket = path(`agent${agents.length}`);
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  agents.push(child);
  await once(child.stdout, 'data');
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  for (const key of keys) execFileSync('ssh-add', ['-q', path(key)], { env, stdio: 'ignore' });
  return socket;
}

const spec = (server: Sshd, more: Partial<HostSpec>): HostSpec => ({
  name: 'pve1',
  address: server.host,
  port: server.port,
  user: 'psm-dash',
  ...more,
});
const options = () => ({ knownHosts: [path('known_hosts')], ownKnownHosts: path('own') });

async function logsIn(host: HostSpec): Promise<void> {
  await (await connect(host, options())).close();
}

/** The one failure of a login, which holds no secret in any part of it. */
async function refusal(host: HostSpec): Promise<Failure> {
  const error = await connect(host, options()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error(`no Failure: ${error}`);
  const whole = `${error.message} ${error.hint} ${error.stack} ${JSON.stringify(error.facts)} ${error.cause}`;
  for (const secret of [DASH_PASSWORD, WRONG, PASSPHRASE]) expect(whole).not.toContain(secret);
  return error;
}

/** How often a login method was asked for on the server while `act` ran. */
async function asked(server: Sshd, method: string, act: () => Promise<unknown>): Promise<number> {
  const mark = server.log().length;
  await act();
  return server.log().slice(mark).split(`service ssh-connection method ${method}`).length - 1;
}

describe('logging in', () => {
  it('with a key file', () => logsIn(spec(sshd, { keyPath: sshd.clientKeyPath })));

  it('with an encrypted key file and its passphrase', () =>
    logsIn(spec(sshd, { keyPath: path('locked'), keyPassphrase: new Secret(PASSPHRASE) })));

  it.each(['ed25519', 'rsa'])('with an encrypted PKCS#8 key file (%s)', (kind) =>
    logsIn(spec(sshd, { keyPath: path(`pkcs8-${kind}`), keyPassphrase: new Secret(PASSPHRASE) })),
  );

  it('with a password', () => logsIn(spec(sshd, { password: new Secret(DASH_PASSWORD) })));

  it('with a password that is asked for by keyboard-interactive', () =>
    logsIn(spec(pam, { password: new Secret(DASH_PASSWORD) })));

  it('with a key and a password where the server wants both', () =>
    logsIn(spec(both, { keyPath: path('second'), password: new Secret(DASH_PASSWORD) })));

  it('with an agent, past keys that the server does not know', async () =>
    logsIn(spec(sshd, { agent: await agent('stranger', 'second') })));

  it('with an agent that holds a certificate, which is passed over', async () => {
    keygen('certified', '-t', 'ed25519', '-N', '');
    execFileSync('ssh-keygen', ['-q', '-s', path('authority'), '-I', 'id', `${path('certified')}.pub`]);
    await logsIn(spec(sshd, { agent: await agent('certified', 'second') }));
  });

  it('with an encrypted key file without a passphrase, when the agent holds the key', async () => {
    const socket = await agent();
    const askpass = path('askpass');
    writeFileSync(askpass, `#!/bin/sh\necho '${PASSPHRASE}'\n`, { mode: 0o700 });
    const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    execFileSync('ssh-add', ['-q', path('locked')], { env, stdio: 'ignore' });
    await logsIn(spec(sshd, { keyPath: path('locked'), agent: socket }));
  });

  it('with the public key of a key that only the agent has', async () =>
    logsIn(spec(sshd, { keyPath: path('second.pub'), agent: await agent('stranger', 'second') })));

  it('with a password, when the agent is gone', () =>
    logsIn(spec(sshd, { agent: path('no-agent'), password: new Secret(DASH_PASSWORD) })));
});

describe('with IdentitiesOnly', () => {
  const only = async (more: Partial<HostSpec>, ...keys: string[]) =>
    spec(sshd, { identitiesOnly: true, agent: await agent(...keys), ...more });

  it.each(['second.pub', 'second'])('the agent is asked for the key of %s alone', async (keyPath) => {
    const host = await only({ keyPath: path(keyPath) }, 'stranger', 'another', 'second');
    expect(await asked(sshd, 'publickey', () => logsIn(host))).toBeLessThanOrEqual(2);
  });

  it('an encrypted key is taken from the agent, by what its file tells without the passphrase', async () => {
    const socket = await agent('stranger');
    const askpass = path('askpass-only');
    writeFileSync(askpass, `#!/bin/sh\necho '${PASSPHRASE}'\n`, { mode: 0o700 });
    const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    execFileSync('ssh-add', ['-q', path('locked')], { env, stdio: 'ignore' });
    const host = spec(sshd, { keyPath: path('locked'), agent: socket, identitiesOnly: true });
    expect(await asked(sshd, 'publickey', () => logsIn(host))).toBeLessThanOrEqual(2);
  });

  it('no other key of the agent is offered, and the failure says so', async () => {
    const host = await only({ keyPath: path('stranger.pub') }, 'second', 'another');
    const count = await asked(sshd, 'publickey', async () => {
      expect((await refusal(host)).message).toContain(
        'the agent holds 2 usable keys, of which IdentitiesOnly leaves 0',
      );
    });
    expect(count).toBe(0);
  });

  it('nothing is offered without a key of its own', async () => {
    expect((await refusal(await only({}, 'second'))).message).toContain('IdentitiesOnly leaves 0');
  });
});

describe('a login that is refused', () => {
  it('tells the key that was tried, and the line that puts it on the host', async () => {
    const failure = await refusal(spec(sshd, { keyPath: path('stranger') }));
    expect(failure.kind).toBe('authentication');
    expect(failure.message).toBe(
      `pve1 did not let psm-dash@127.0.0.1:${sshd.port} log in. ` +
        `Refused: key ${path('stranger')} (ssh-ed25519 ${fingerprint('stranger')}). ` +
        'The server takes publickey, password, keyboard-interactive.',
    );
    expect(failure.hint).toContain(`ssh-copy-id -i '${path('stranger')}' -p ${sshd.port} psm-dash@127.0.0.1`);
  });

  it('sends a wrong password once', async () => {
    const count = await asked(sshd, 'password', async () => {
      const failure = await refusal(spec(sshd, { password: new Secret(WRONG) }));
      expect(failure).toMatchObject({
        kind: 'authentication',
        message: expect.stringContaining('Refused: the password.'),
      });
    });
    expect(count).toBe(1);
  });

  it('sends a wrong password once by keyboard-interactive', async () => {
    const count = await asked(pam, 'keyboard-interactive', async () => {
      const failure = await refusal(spec(pam, { password: new Secret(WRONG) }));
      expect(failure.message).toContain('Refused: the password by keyboard-interactive.');
    });
    expect(count).toBe(1);
  });

  it('makes 5 attempts at most, one of them with the password, and says how many keys the agent holds', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `many${i}`);
    for (const name of names) keygen(name, '-t', 'ed25519', '-N', '');
    const host = spec(sshd, { keyPath: path('stranger'), agent: await agent(...names), password: new Secret(WRONG) });
    const count = await asked(sshd, 'publickey', async () => {
      const failure = await refusal(host);
      expect(failure.message).toContain('the agent holds 9 usable keys, of which the first 2 are tried');
      expect(failure.message).toContain(`agent key ssh-ed25519 ${fingerprint('many1')}, the password.`);
    });
    expect(count).toBe(3);
  });

  it('says when there is nothing that the server takes', async () => {
    const failure = await refusal(spec(sshd, {}));
    expect(failure.kind).toBe('authentication');
    expect(failure.message).toContain('Nothing that it takes could be tried.');
    expect(failure.hint).toContain('Configure a key file, an agent or a password');
  });

  it('says that the agent gave no keys', async () => {
    const failure = await refusal(spec(sshd, { agent: path('no-agent') }));
    expect(failure.message).toContain(`the agent at ${path('no-agent')} gave no keys`);
  });

  it('is told before the host is talked to when the key file cannot be used', async () => {
    const mark = sshd.log().length;
    expect(await refusal(spec(sshd, { keyPath: path('locked') }))).toMatchObject({ kind: 'misconfigured' });
    const wrong = spec(sshd, { keyPath: path('locked'), keyPassphrase: new Secret(WRONG) });
    expect(await refusal(wrong)).toMatchObject({ kind: 'misconfigured' });
    expect(sshd.log().slice(mark)).not.toContain('Connection from');
  });
});
