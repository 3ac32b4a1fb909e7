import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { httpToken } from '../../src/config/httptoken.ts';
import { tlsFiles } from '../../src/config/tlsfiles.ts';
import { runAsRoot } from '../rig/users.ts';
import { Home } from './home.ts';

const us = process.getuid?.();
const TOKEN = 'A'.repeat(32);

/** Cause and cure of what is wrong. */
function failing(act: () => unknown): readonly [kind: string, message: string, hint: string] {
  try {
    act();
  } catch (error) {
    const { kind, message, hint } = error as { kind: string; message: string; hint: string };
    return [kind, message, hint];
  }
  throw new Error('it did not fail');
}

describe('the token of HTTP clients', () => {
  it('is made once, of 256 random bits, in a file and a folder of its owner alone', () => {
    const file = join(new Home().path, 'new', 'folder', 'http-token');
    const token = httpToken(file, us).reveal();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(readFileSync(file, 'utf8')).toBe(`${token}\n`);
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(httpToken(file, us).reveal()).toBe(token);
    expect(httpToken(join(dirname(file), 'other'), us).reveal()).not.toBe(token);
  });

  it('leaves no file open, right or wrong', () => {
    const home = new Home();
    const files = [home.write('right', TOKEN), home.write('wrong', 'x')];
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    httpToken(files[0] ?? '', us);
    failing(() => httpToken(files[1] ?? '', us));
    expect(descriptors()).toBe(before);
  });

  it.each([TOKEN, 'z-_9'.repeat(64), `  ${TOKEN}\n\n`])('may be %j', (text) => {
    expect(httpToken(new Home().write('token', text), us).reveal()).toBe(text.trim());
  });

  it.each(['', 'A'.repeat(31), 'A'.repeat(257), `${TOKEN} ${TOKEN}`, `${TOKEN}!`, `ä${TOKEN}`])('is not %j', (text) => {
    const file = new Home().write('token', text);
    expect(failing(() => httpToken(file, us))).toEqual([
      'misconfigured',
      `The token file ${file} cannot be used: it holds no token.`,
      'Remove it; a new one is made at the next start.',
    ]);
  });

  it('is not what others can read or own, where files have owners', () => {
    const file = new Home().write('token', TOKEN);
    const told = (why: string) => [
      'misconfigured',
      `The token file ${file} cannot be used: ${why}.`,
      'Remove it, because its token is known; a new one is made at the next start.',
    ];
    for (const mode of [0o640, 0o604, 0o610, 0o602]) {
      chmodSync(file, mode);
      expect(failing(() => httpToken(file, us))).toEqual(told('other users can read it'));
    }
    expect(httpToken(file, undefined).reveal()).toBe(TOKEN);
    chmodSync(file, 0o600);
    chownSync(file, 12_345, 12_345);
    expect(failing(() => httpToken(file, us))).toEqual(told('it belongs to another user'));
  });

  it('is not behind a link, in a folder or in a pipe', () => {
    const home = new Home();
    symlinkSync(home.write('real', TOKEN), join(home.path, 'link'));
    mkdirSync(join(home.path, 'folder'));
    runAsRoot(['mkfifo', '-m', '600', join(home.path, 'pipe')]);
    const why = (name: string) => failing(() => httpToken(join(home.path, name), us))[1].replace(/^.*used: /, '');
    expect([why('link'), why('folder'), why('pipe')]).toEqual([
      'it is a symbolic link.',
      'it is no file.',
      'it is no file.',
    ]);
    expect(failing(() => httpToken(join(home.path, 'folder'), us))[2]).toBe(
      'Remove it; a new one is made at the next start.',
    );
    expect(failing(() => httpToken(join(home.path, 'real', 'token'), us))[2]).toBe(
      'Make its folder writable for this user, or remove what stands in its place.',
    );
  });
});

describe('certificate and key of the HTTP server', () => {
  const files = (home: Home, env: Record<string, string>, given: { uid?: number } = { uid: us }) =>
    tlsFiles(home.load({ env }), home.around(given));

  it('are none, or both', () => {
    const home = new Home();
    const [cert, key] = [home.write('cert.pem', 'CERT'), home.write('key.pem', 'KEY', 0o640)];
    expect(files(home, {})).toBeUndefined();
    expect(files(home, { MCP_TLS_CERT: cert, MCP_TLS_KEY: key })).toEqual({ cert: 'CERT', key: 'KEY' });
    for (const env of [{ MCP_TLS_CERT: cert }, { MCP_TLS_KEY: key }] as Record<string, string>[]) {
      expect(failing(() => files(home, env))).toEqual([
        'misconfigured',
        'Of MCP_TLS_CERT and MCP_TLS_KEY only one is set.',
        'Set both, or neither.',
      ]);
    }
  });

  it('can be read, and the key not by everybody', () => {
    const home = new Home();
    const [cert, key] = [home.write('cert.pem', 'CERT'), home.write('key.pem', 'KEY', 0o604)];
    const env = { MCP_TLS_CERT: cert, MCP_TLS_KEY: key };
    expect(failing(() => files(home, env))).toEqual([
      'misconfigured',
      `MCP_TLS_KEY (${key}) can be read by every user of this machine.`,
      `Run: chmod o= '${key}'`,
    ]);
    expect(files(home, env, { uid: undefined })).toEqual({ cert: 'CERT', key: 'KEY' });
    for (const [name, file] of [
      ['MCP_TLS_CERT', cert],
      ['MCP_TLS_KEY', key],
    ] as const) {
      chmodSync(key, 0o600);
      rmSync(file);
      expect(failing(() => files(home, env))).toEqual([
        'misconfigured',
        `${name} (${file}) cannot be used: there is no such file.`,
        'Name a PEM file that this user can read.',
      ]);
      writeFileSync(file, 'NEW');
    }
  });
});
