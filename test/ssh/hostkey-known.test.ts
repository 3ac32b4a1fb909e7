import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { acceptHostKey, hostKey, knowledgeOf, knownHostsLine } from '../../src/ssh/hostkey.ts';
import { type Named, parseKnownHosts } from '../../src/ssh/knownhosts.ts';

/** A key blob of that type (RFC 4253, 6.6) with a body of its own. */
function key(type: string, body: string) {
  const field = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    return Buffer.concat([length, Buffer.from(text, 'latin1')]);
  };
  return hostKey(Buffer.concat([field(type), field(body)]));
}

const ed1 = key('ssh-ed25519', 'one');
const ed2 = key('ssh-ed25519', 'two');
const rsa = key('ssh-rsa', 'three');
const p384 = key('ecdsa-sha2-nistp384', 'four');
const text = ({ keyType, blob }: typeof ed1) => `${keyType} ${blob.toString('base64')}`;

const HOST: Named = { address: 'pve1', port: 22 };
const OTHER_PORT: Named = { address: 'pve1', port: 2222 };
const known = (host: Named, ...lines: string[]) => knowledgeOf(host, parseKnownHosts(lines.join('\n'), 'f'));
const judged = (host: Named, offered: typeof ed1, ...lines: string[]) => {
  const { verdict, because } = known(host, ...lines).judge(offered);
  return [verdict, because.map(({ line }) => line)];
};

describe('guarantee 9: what known_hosts says of a key', () => {
  it('is unknown without a line for the host', () => {
    expect(judged(HOST, ed1)).toEqual(['unknown', []]);
    expect(judged(HOST, ed1, `pve2 ${text(ed1)}`)).toEqual(['unknown', []]);
  });

  it('is known by the lines that have it, and by those alone', () => {
    const lines = [`pve1 ${text(ed2)}`, `pve1 ${text(ed1)}`, `pve* ${text(ed1)}`, `pve2 ${text(ed1)}`];
    expect(judged(HOST, ed1, ...lines)).toEqual(['known', [2, 3]]);
  });

  it('is changed beside any other key of the host, and names all of them', () => {
    expect(judged(HOST, ed1, `pve1 ${text(ed2)}`, `pve1 ${text(rsa)}`)).toEqual(['changed', [1, 2]]);
  });

  it('is revoked wherever a line says so, however many others know it', () => {
    const lines = [`pve1 ${text(ed1)}`, `@revoked * ${text(ed1)}`];
    expect(judged(HOST, ed1, ...lines)).toEqual(['revoked', [2]]);
    expect(judged(OTHER_PORT, ed1, `[pve1]:2222 ${text(ed1)}`, `@revoked pve1 ${text(ed1)}`)).toEqual(['revoked', [2]]);
  });

  it('is not touched by a revocation of another key, which is known by no line then', () => {
    expect(judged(HOST, ed1, `@revoked pve1 ${text(ed2)}`)).toEqual(['unknown', []]);
    expect(judged(HOST, ed1, `@revoked pve1 ${text(ed2)}`, `pve1 ${text(ed1)}`)).toEqual(['known', [2]]);
    expect(known(HOST, `@revoked pve1 ${text(ed2)}`, `pve1 ${text(ed1)}`).keys.map(({ line }) => line)).toEqual([2]);
  });

  it('counts for another port by the bare address, as long as that port has no key of its own', () => {
    expect(judged(OTHER_PORT, ed1, `pve1 ${text(ed1)}`)).toEqual(['known', [1]]);
    expect(judged(OTHER_PORT, ed1, `pve1 ${text(ed2)}`)).toEqual(['unknown', []]);
    expect(judged(OTHER_PORT, ed1, `pve1 ${text(ed1)}`, `[pve1]:2222 ${text(ed2)}`)).toEqual(['changed', [2]]);
    expect(judged(OTHER_PORT, ed1, `pve1 ${text(ed1)}`, `@revoked [pve1]:2222 ${text(ed2)}`)).toEqual(['known', [1]]);
    expect(judged(HOST, ed1, `[pve1]:2222 ${text(ed1)}`)).toEqual(['unknown', []]);
    expect(known(OTHER_PORT, `pve1 ${text(ed1)}`, `[pve1]:2222 ${text(rsa)}`).keys.map(({ line }) => line)).toEqual([
      2,
    ]);
    expect(known(OTHER_PORT, `pve1 ${text(ed1)}`, `pve* ${text(rsa)}`).keys.map(({ line }) => line)).toEqual([1, 2]);
  });

  it('tells each line once, though it is about the port and the bare address', () => {
    expect(judged(OTHER_PORT, ed1, `pve1,[pve1]:2222 ${text(ed1)}`)).toEqual(['known', [1]]);
    expect(known(HOST, `pve1 ${text(ed1)}`).keys).toHaveLength(1);
    expect(judged(HOST, ed1, `@revoked pve1 ${text(ed1)}`)).toEqual(['revoked', [1]]);
  });
});

it('the fingerprint of a key is what ssh-keygen shows', () => {
  const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
  const shown = execFileSync('ssh-keygen', ['-lf', '-'], { input: `${line}\n`, encoding: 'utf8' });
  const { keyType, fingerprint } = hostKey(Buffer.from(line.split(' ')[1] ?? '', 'base64'));
  expect([keyType, fingerprint]).toEqual(['ssh-ed25519', shown.split(' ')[1]]);
});

describe('the algorithms that a server is asked for', () => {
  const ALL = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ];
  const first = (...names: string[]) => [...names, ...ALL.filter((name) => !names.includes(name))];

  it('are all there are, those of known keys first and never that of a revoked one', () => {
    expect(known(HOST).algorithms).toEqual(ALL);
    expect(known(HOST, `pve1 ${text(rsa)}`).algorithms).toEqual(first('rsa-sha2-512', 'rsa-sha2-256'));
    expect(known(HOST, `pve1 ${text(p384)}`).algorithms).toEqual(first('ecdsa-sha2-nistp384'));
    expect(known(HOST, `@revoked pve1 ${text(rsa)}`).algorithms).toEqual(ALL);
    expect(known(OTHER_PORT, `pve1 ${text(rsa)}`).algorithms).toEqual(first('rsa-sha2-512', 'rsa-sha2-256'));
    for (const type of ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521']) {
      expect(known(HOST, `pve1 ${text(key(type, 'x'))}`).algorithms[0]).toBe(type);
    }
  });
});

describe('a key that is written down', () => {
  let file: string;
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'psm-accept-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    file = join(folder, 'a', 'own', 'known_hosts');
  });
  const written = () => readFileSync(file, 'utf8');

  it('is one line that OpenSSH finds the host by, in a file and folders that are for this user alone', () => {
    acceptHostKey(file, OTHER_PORT, ed1);
    expect(written()).toBe(`[pve1]:2222 ${text(ed1)}\n`);
    expect(knownHostsLine(HOST, ed1)).toBe(`pve1 ${text(ed1)}`);
    expect(execFileSync('ssh-keygen', ['-F', '[pve1]:2222', '-f', file], { encoding: 'utf8' })).toContain(': line 1');
    for (const [path, mode] of [
      [file, 0o600],
      [join(file, '..'), 0o700],
      [join(file, '../..'), 0o700],
    ] as const) {
      expect(statSync(path).mode & 0o777).toBe(mode);
    }
  });

  it('comes after what is there, on a line of its own, once, and leaves no file open', () => {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '# mine');
    const open = readdirSync('/proc/self/fd').length;
    acceptHostKey(file, HOST, ed1);
    acceptHostKey(file, HOST, ed1);
    acceptHostKey(file, HOST, ed2);
    expect(readdirSync('/proc/self/fd')).toHaveLength(open);
    expect(written()).toBe(`# mine\npve1 ${text(ed1)}\npve1 ${text(ed2)}\n`);
  });

  it.each(['*', 'a,b', '!a', '|1|x', '@revoked', 'a b', 'a\tb', 'a?', '#a', ''])('is not, for the name %j', (name) => {
    expect(() => acceptHostKey(file, { ...HOST, hostKeyAlias: name }, ed1)).toThrow(
      expect.objectContaining({
        kind: 'misconfigured',
        message: `The host key was not written to ${file}: "${name}" is no name for one host there.`,
        hint: 'Correct the address or the HostKeyAlias of the host.',
      }),
    );
    expect(written).toThrow('ENOENT');
  });

  it('is a failure with its cause where it cannot be', () => {
    mkdirSync(join(file, '../..'), { recursive: true });
    symlinkSync('/dev/full', join(file, '../../full'));
    expect(() => acceptHostKey(join(file, '../../full'), HOST, ed1)).toThrow(
      expect.objectContaining({
        kind: 'misconfigured',
        message: expect.stringMatching(/^The host key could not be written to .*full: ENOSPC.*\.$/),
        hint: 'Make that file and its folder writable for this user.',
        cause: expect.objectContaining({ code: 'ENOSPC' }),
      }),
    );
  });
});
