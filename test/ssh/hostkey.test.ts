import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { connect } from '../../src/ssh/connect.ts';
import { acceptHostKey, hostKey, knowledgeOf } from '../../src/ssh/hostkey.ts';
import { HostKeyCheck } from '../../src/ssh/keycheck.ts';
import { parseKnownHosts } from '../../src/ssh/knownhosts.ts';
import { scanHostKey } from '../../src/ssh/scan.ts';
import { tally } from '../figures.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

const TYPES = ['ed25519', 'ecdsa', 'rsa'] as const;
type Type = (typeof TYPES)[number];

let folder: string;
let target: Sshd;
let hop: Sshd;
let room: string;
let options: { knownHosts: string[]; ownKnownHosts: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'psm-hostkey-'));
  for (const type of [...TYPES, 'other']) {
    const real = type === 'other' ? 'ed25519' : type;
    execFileSync('ssh-keygen', ['-q', '-t', real, '-N', '', '-C', '', '-f', join(folder, type)]);
  }
  const config = [...TYPES.map((type) => `HostKey ${join(folder, type)}`), 'LogLevel DEBUG1'];
  target = await startSshd({ extraConfig: config });
  hop = await startSshd({
    extraConfig: ['LogLevel DEBUG1'],
    authorizedKeys: [readFileSync(`${target.clientKeyPath}.pub`, 'utf8').trim()],
  });
});

afterAll(async () => {
  await target?.stop();
  await hop?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  room = mkdtempSync(join(folder, 'room-'));
  options = { knownHosts: [join(room, 'user')], ownKnownHosts: join(room, 'own', 'known_hosts') };
});

const publicKey = (type: Type | 'other') => readFileSync(join(folder, `${type}.pub`), 'utf8').trim();
const fingerprint = (type: Type | 'other') => {
  const printed = execFileSync('ssh-keygen', ['-lf', join(folder, `${type}.pub`)], { encoding: 'utf8' });
  return printed.split(' ')[1] ?? '';
};
const spec = (sshd: Sshd, more: Partial<HostSpec> = {}): HostSpec => ({
  name: sshd === target ? 'pve1' : 'bastion',
  address: sshd.host,
  port: sshd.port,
  user: 'psm-dash',
  keyPath: target.clientKeyPath,
  ...more,
});
const know = (...lines: string[]) => writeFileSync(join(room, 'user'), `${lines.join('\n')}\n`);
const at = (sshd: Sshd, key: string, marker = '') => `${marker}[${sshd.host}]:${sshd.port} ${key}`;
const ofHop = () => hop.hostKeyLine.split(' ').slice(1).join(' ');

/** What sshd wrote since `mark` was taken, once every connection since then has ended. */
async function logSince(sshd: Sshd, mark: number): Promise<string> {
  const fresh = () => sshd.log().slice(mark);
  const count = (text: RegExp) => fresh().match(text)?.length ?? 0;
  await vi.waitFor(() => {
    expect(count(/\n?Connection from /g)).toBe(count(/Connection closed by|Disconnected from|Connection reset by/g));
  });
  return fresh();
}

const REFUSALS = [
  {
    verdict: 'unknown',
    lines: (_sshd: Sshd, _key: string) => [] as string[],
    hint: 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, then run: proxmox-ssh-mcp trust',
  },
  { verdict: 'changed', lines: (sshd: Sshd) => [at(sshd, publicKey('other'))], hint: 'ssh-keygen -R' },
  {
    verdict: 'revoked',
    lines: (sshd: Sshd, key: string) => [at(sshd, key), `@revoked * ${key}`],
    hint: 'Give the host a new key',
  },
] as const;

describe.each(REFUSALS)('guarantee 9: a host key that is $verdict', ({ verdict, lines, hint }) => {
  const texts = { unknown: 'is not known', changed: 'has changed', revoked: 'is revoked' };

  it.each([false, true])('is refused before authentication on the target (acceptNew %s)', async (acceptNew) => {
    know(...lines(target, publicKey('ed25519')));
    const mark = target.log().length;
    const attempt = connect(spec(target), { ...options, acceptNew });
    if (verdict === 'unknown' && acceptNew) return (await attempt).close();
    const failure = await attempt.then(
      () => undefined,
      (error) => error,
    );
    expect(failure).toMatchObject({ kind: 'untrusted', hint: expect.stringContaining(hint) });
    expect(failure.hint).toContain('trust pve1');
    expect(failure.message).toContain(texts[verdict]);
    expect(failure.message).toContain(`ssh-ed25519 ${fingerprint('ed25519')} was offered`);
    if (verdict === 'changed') expect(failure.message).toContain(`${fingerprint('other')} (${room}/user:1)`);
    if (verdict === 'revoked') expect(failure.message).toContain(`${fingerprint('ed25519')} (${room}/user:2)`);
    expect(await logSince(target, mark)).not.toMatch(/userauth-request|Accepted|Failed/);
    expect(existsSync(options.ownKnownHosts)).toBe(false);
    tally(9, 'refusals before authentication', 1);
  });

  it('is refused before authentication on a hop, and the target hears nothing', async () => {
    know(...lines(hop, ofHop()), at(target, publicKey('ed25519')));
    const marks = [target.log().length, hop.log().length] as const;
    await expect(connect(spec(target, { via: [spec(hop)] }), options)).rejects.toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining(`The SSH host key of bastion (127.0.0.1:${hop.port}) ${texts[verdict]}`),
      hint: expect.stringContaining('trust bastion'),
    });
    expect(await logSince(hop, marks[1])).not.toMatch(/userauth-request|Accepted|Failed/);
    expect(await logSince(target, marks[0])).toBe('');
  });

  it('is refused before authentication on a target behind a hop that is known', async () => {
    know(...lines(target, publicKey('ed25519')), hop.hostKeyLine);
    const marks = [target.log().length, hop.log().length] as const;
    await expect(connect(spec(target, { via: [spec(hop)] }), options)).rejects.toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining(`The SSH host key of pve1 (127.0.0.1:${target.port}) ${texts[verdict]}`),
    });
    expect(await logSince(hop, marks[1])).toMatch(/Accepted publickey/);
    expect(await logSince(target, marks[0])).not.toMatch(/userauth-request|Accepted|Failed/);
  });

  it('is told by a scan that says nothing of the user', async () => {
    know(...lines(target, publicKey('ed25519')));
    const mark = target.log().length;
    const scan = await scanHostKey(spec(target), options);
    const key = publicKey('ed25519');
    expect(scan).toMatchObject({
      verdict,
      keyType: 'ssh-ed25519',
      fingerprint: fingerprint('ed25519'),
      line: at(target, key),
    });
    const log = await logSince(target, mark);
    expect(log).not.toContain('userauth-request');
    expect(log).not.toContain('psm-dash');
  });
});

describe('guarantee 9: a host key that is known', () => {
  it.each(TYPES)('as %s only is asked for and accepted, whatever other keys the host has', async (type) => {
    know(at(target, publicKey(type)));
    const mark = target.log().length;
    const connection = await connect(spec(target), options);
    expect(connection.hostKey).toBe(fingerprint(type));
    await connection.close();
    // What shows, in the tests above, that nothing was attempted.
    expect(await logSince(target, mark)).toMatch(/userauth-request.*Accepted publickey/s);
  });

  it('is accepted when it is one of several of its type, and on every hop', async () => {
    know(at(target, publicKey('other')), at(target, publicKey('ed25519')), hop.hostKeyLine);
    const connection = await connect(spec(target, { via: [spec(hop)] }), options);
    expect(connection.hostKey).toBe(fingerprint('ed25519'));
    await connection.close();
  });

  it('by the bare address is accepted on another port too, as ssh does', async () => {
    know(`127.0.0.1 ${publicKey('ed25519')}`);
    await (await connect(spec(target), options)).close();
  });
});

describe('a host with a HostKeyAlias', () => {
  const aliased = (more: Partial<HostSpec> = {}) => spec(target, { hostKeyAlias: 'Behind.NAT', ...more });
  const place = { address: '127.0.0.1', port: 2222, hostKeyAlias: 'Behind.NAT' };

  it('is looked up by it alone, in lower case and without its port', async () => {
    know(`behind.nat ${publicKey('ed25519')}`, at(target, publicKey('other')), `127.0.0.1 ${publicKey('other')}`);
    await (await connect(aliased(), options)).close();
    know(at(target, publicKey('ed25519')), `127.0.0.1 ${publicKey('ed25519')}`);
    await expect(connect(aliased(), options)).rejects.toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining('is not known'),
    });
  });

  it('is refused when the key under its alias is another one, with the line that forgets that', async () => {
    know(`behind.nat ${publicKey('other')}`);
    await expect(connect(aliased(), options)).rejects.toMatchObject({
      message: expect.stringContaining(`known is ssh-ed25519 ${fingerprint('other')} (${room}/user:1)`),
      hint: expect.stringContaining(`ssh-keygen -R 'behind.nat' -f '${room}/user'`),
    });
  });

  it('is written down under it, as ssh does', async () => {
    const scan = await scanHostKey(aliased(), options);
    expect(scan).toMatchObject({ verdict: 'unknown', line: `behind.nat ${publicKey('ed25519')}` });
    acceptHostKey(options.ownKnownHosts, aliased(), scan);
    expect(readFileSync(options.ownKnownHosts, 'utf8')).toBe(`${scan.line}\n`);
    await (await connect(aliased(), options)).close();
    const ssh = [
      '-o',
      'BatchMode=yes',
      '-o',
      'HostKeyAlias=Behind.NAT',
      '-o',
      `UserKnownHostsFile=${options.ownKnownHosts}`,
    ];
    const login = ['-i', target.clientKeyPath, '-p', String(target.port), 'psm-dash@127.0.0.1', 'echo in'];
    expect(execFileSync('ssh', ['-F', 'none', ...ssh, ...login], { encoding: 'utf8', stdio: 'pipe' })).toBe('in\n');
  });

  it.each(['*', 'a,b', '!a', '|1|x', '@revoked', 'a b', '#a'])(
    'is not written down under %j, which is no one host',
    (hostKeyAlias) => {
      const key = hostKey(Buffer.from(publicKey('rsa').split(' ')[1] ?? '', 'base64'));
      expect(() => acceptHostKey(options.ownKnownHosts, { ...place, hostKeyAlias }, key)).toThrow(
        'is no name for one host',
      );
      expect(existsSync(options.ownKnownHosts)).toBe(false);
    },
  );
});

describe('accepting new host keys', () => {
  it('writes to our own file only, once for many connections, for this user only', async () => {
    know('# mine');
    const made = await Promise.all(
      Array.from({ length: 5 }, () => connect(spec(target), { ...options, acceptNew: true })),
    );
    for (const connection of made) await connection.close();
    expect(readFileSync(options.ownKnownHosts, 'utf8')).toBe(`${at(target, publicKey('ed25519'))}\n`);
    expect(readFileSync(join(room, 'user'), 'utf8')).toBe('# mine\n');
    expect(statSync(options.ownKnownHosts).mode & 0o777).toBe(0o600);
    expect(statSync(join(room, 'own')).mode & 0o777).toBe(0o700);
    await (await connect(spec(target), options)).close();
  });

  it('refuses the host when the key cannot be written down', async () => {
    writeFileSync(join(room, 'own'), 'a file where the folder should be');
    const mark = target.log().length;
    await expect(connect(spec(target), { ...options, acceptNew: true })).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('could not be written'),
    });
    expect(await logSince(target, mark)).not.toMatch(/userauth-request/);
  });

  it('by hand follows a scan, and mends a missing line end', async () => {
    const scan = await scanHostKey(spec(target), options);
    mkdirSync(join(room, 'own'));
    writeFileSync(options.ownKnownHosts, `other ${publicKey('other')}`);
    acceptHostKey(options.ownKnownHosts, spec(target), scan);
    acceptHostKey(options.ownKnownHosts, spec(target), scan);
    expect(readFileSync(options.ownKnownHosts, 'utf8')).toBe(`other ${publicKey('other')}\n${scan.line}\n`);
    expect(await scanHostKey(spec(target), options)).toMatchObject({ verdict: 'known' });
  });

  it('scans through hops, which are verified as always', async () => {
    await expect(scanHostKey(spec(target, { via: [spec(hop)] }), options)).rejects.toMatchObject({ kind: 'untrusted' });
    know(hop.hostKeyLine);
    const scan = await scanHostKey(spec(target, { via: [spec(hop)] }), options);
    expect(scan).toMatchObject({ verdict: 'unknown', fingerprint: fingerprint('ed25519') });
  });
});

describe('the check of one connection', () => {
  const place = { name: 'pve1', address: '10.0.0.1', port: 22 };
  const blob = (type: Type | 'other') => Buffer.from(publicKey(type).split(' ')[1] ?? '', 'base64');

  it('answers every rekey alike, writes once, and refuses another key in mid-connection even if that one is known', () => {
    const known = parseKnownHosts(`10.0.0.1 ${publicKey('other')}\n10.0.0.1 ${publicKey('ecdsa')}`, 'f');
    const check = new HostKeyCheck(place, knowledgeOf(place, known), { ownKnownHosts: options.ownKnownHosts });
    for (let rekey = 0; rekey < 3; rekey++) expect(check.verify(blob('other'))).toBe(true);
    expect(check.failure).toBeUndefined();
    expect(check.verify(blob('ecdsa'))).toBe(false);
    expect(check.failure).toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining('changed while connected'),
    });
    expect(check.accepted?.fingerprint).toBe(fingerprint('other'));
  });

  it('writes a new key down only when the server has proved that it holds it', () => {
    const policy = { ownKnownHosts: options.ownKnownHosts, acceptNew: true };
    const check = new HostKeyCheck(place, knowledgeOf(place, []), policy);
    expect(check.verify(blob('rsa'))).toBe(true);
    expect(existsSync(options.ownKnownHosts)).toBe(false);
    check.proved();
    rmSync(options.ownKnownHosts);
    check.proved();
    expect(existsSync(options.ownKnownHosts)).toBe(false);
  });

  it('calls a host with keys of other types only changed, not unknown', () => {
    const known = parseKnownHosts(`10.0.0.1 ${publicKey('rsa')}`, 'f');
    expect(knowledgeOf(place, known).judge(hostKey(blob('ed25519'))).verdict).toBe('changed');
    expect(knowledgeOf(place, known).algorithms.slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
  });
});
