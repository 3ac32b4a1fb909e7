import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAbout, type KnownKey, knownName, parseKnownHosts, readKnownHosts } from '../../src/ssh/knownhosts.ts';

let folder: string;
let keys: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'psm-known-'));
  keys = Object.fromEntries(['ed25519', 'ecdsa', 'rsa'].map((type) => [type, publicKey(type)]));
});

afterAll(() => rmSync(folder, { recursive: true }));

function publicKey(type: string): string {
  const path = join(folder, type);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path]);
  return readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

/** Line numbers at which OpenSSH itself finds the name. */
function foundByOpenSsh(file: string, name: string): number[] {
  const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
  return [...stdout.matchAll(/found: line (\d+)/g)].map(([, line]) => Number(line));
}

const hashedCopy = (text: string): string => {
  const file = join(folder, 'hashed');
  writeFileSync(file, text);
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
};

describe('known_hosts files', () => {
  it('are read as OpenSSH reads them', () => {
    const plain = [
      '# a comment',
      '',
      `pve1,10.0.0.1 ${keys.ed25519} root@pve1`,
      `[pve1]:2222,[10.0.0.1]:2222 ${keys.ecdsa}`,
      `*.example.com,!bad.example.com ${keys.rsa}`,
      `pve? ${keys.rsa}`,
      `@revoked * ${keys.ecdsa}`,
      `fe80::1,[fe80::1]:2022 ${keys.ed25519}`,
      `  indented ${keys.ed25519}`,
      `[*.lab]:22* ${keys.ed25519}`,
      `a.b+c(d ${keys.ed25519}`,
    ].join('\n');
    const hashed = hashedCopy(`pve1 ${keys.ed25519}\n[pve1]:2222 ${keys.ecdsa}\nother ${keys.rsa}\n`);
    const file = join(folder, 'known_hosts');
    writeFileSync(file, `${plain}\n${hashed}`);
    const lines = parseKnownHosts(readFileSync(file, 'utf8'), file);
    const names = [
      ['pve1', 22],
      ['PVE1', 22],
      ['10.0.0.1', 22],
      ['pve1', 2222],
      ['10.0.0.1', 2222],
      ['pve2', 22],
      ['pve12', 22],
      ['good.example.com', 22],
      ['bad.example.com', 22],
      ['deep.good.example.com', 22],
      ['fe80::1', 22],
      ['fe80::1', 2022],
      ['indented', 22],
      ['other', 22],
      ['x.lab', 2201],
      ['x.lab', 2301],
      ['a.b+c(d', 22],
      ['axb+c(d', 22],
      ['nowhere', 22],
    ] as const;
    for (const [address, port] of names) {
      const name = knownName({ address, port });
      const ours = lines.filter((key) => isAbout(key, name)).map(({ line }) => line);
      expect(ours, name).toEqual(foundByOpenSsh(file, name));
    }
    expect(lines.filter(({ patterns }) => patterns[0]?.startsWith('|1|'))).toHaveLength(3);
  });

  it('are parsed to raw key blobs with their place; authorities and damaged lines are left out', () => {
    const text = [
      `pve1 ${keys.ed25519}`,
      `@cert-authority *.example.com ${keys.rsa}`,
      `@unheard-of pve1 ${keys.rsa}`,
      'pve1 ssh-ed25519 AAAA',
      `pve1 ssh-rsa ${keys.ed25519?.split(' ')[1]}`,
      'pve1 1024 35 1234567890',
      'pve1',
      `@revoked pve1 ${keys.ecdsa}`,
    ].join('\r\n');
    const parsed = parseKnownHosts(text, 'f');
    const told = parsed.map(({ blob, ...rest }: KnownKey) => ({ ...rest, blob: blob.toString('base64') }));
    const about = { file: 'f', patterns: ['pve1'] };
    expect(told).toEqual([
      { ...about, line: 1, revoked: false, keyType: 'ssh-ed25519', blob: keys.ed25519?.split(' ')[1] },
      { ...about, line: 8, revoked: true, keyType: 'ecdsa-sha2-nistp256', blob: keys.ecdsa?.split(' ')[1] },
    ]);
  });

  it('need not exist, and are refused when they exist and cannot be read', async () => {
    expect(await readKnownHosts([join(folder, 'none'), join(folder, 'none', 'deeper')])).toEqual([]);
    await expect(readKnownHosts([folder])).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining(`The known hosts file ${folder} cannot be read`),
    });
  });
});
