import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { connect } from '../../src/ssh/connect.ts';
import type { ConnectOptions } from '../../src/ssh/layer.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { tally } from '../figures.ts';
import { newKey, type Sshd, startSshd } from '../rig/sshd.ts';

const NAMES = ['first', 'second', 'target'] as const;

let folder: string;
/** The way to the target: by the first hop and the second. */
let way: Sshd[];
let file: string;
let options: ConnectOptions;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'psm-hops-'));
  newKey(folder, 'other');
  newKey(folder, 'login');
  const authorizedKeys = [readFileSync(join(folder, 'login.pub'), 'utf8').trim()];
  way = [];
  for (const _ of NAMES) way.push(await startSshd({ authorizedKeys, extraConfig: ['LogLevel DEBUG1'] }));
});
afterAll(async () => {
  for (const server of way) await server.stop();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  file = join(mkdtempSync(join(folder, 'room-')), 'known_hosts');
  options = { knownHosts: [file], ownKnownHosts: `${file}.own` };
});

const spec = (at: number, more: Partial<HostSpec> = {}): HostSpec => ({
  name: NAMES[at] ?? '',
  address: '127.0.0.1',
  port: way[at]?.port ?? 0,
  user: 'psm-dash',
  keyPath: join(folder, 'login'),
  ...more,
});
const target = () => spec(2, { via: [spec(0), spec(1)] });
const other = () => readFileSync(join(folder, 'other.pub'), 'utf8').split(' ').slice(0, 2).join(' ');

/** Writes known_hosts, its names hashed by OpenSSH itself, which leaves lines with a marker as they are. */
function know(lines: readonly string[]): void {
  writeFileSync(file, lines.map((line) => `${line.replace('@revoked ', '')}\n`).join(''));
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
  const hashed = readFileSync(file, 'utf8').split('\n');
  const marked = lines.map((line, i) => `${line.startsWith('@') ? '@revoked ' : ''}${hashed[i]}\n`).join('');
  expect(marked).not.toContain('127.0.0.1');
  writeFileSync(file, marked);
}

const verdicts = {
  unknown: { lines: () => [], said: 'is not known' },
  changed: { lines: (line: string) => [`${line.split(' ')[0]} ${other()}`], said: 'has changed' },
  revoked: { lines: (line: string) => [line, `@revoked ${line}`], said: 'is revoked' },
};

/** What sshd wrote since its log was that long, once every connection since then has ended. */
async function logSince(server: Sshd, mark: number): Promise<string> {
  const count = (text: RegExp) => server.log().slice(mark).match(text)?.length ?? 0;
  await vi.waitFor(() => {
    expect(count(/\n?Connection from /g)).toBe(count(/Connection closed by|Disconnected from|Connection reset by/g));
  });
  return server.log().slice(mark);
}

describe.each(Object.entries(verdicts))('guarantee 9: a key that is %s, among hashed ones,', (_, { lines, said }) => {
  it.each([
    ['the first hop', 0],
    ['the second hop', 1],
    ['the target behind two hops', 2],
  ])('is refused at %s before authentication, and nobody behind it is talked to', async (_, at) => {
    know(way.flatMap(({ hostKeyLine }, i) => (i === at ? lines(hostKeyLine) : [hostKeyLine])));
    const marks = way.map((server) => server.log().length);
    const failure = await connect(target(), options).catch((thrown) => thrown);
    expect(failure).toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining(`The SSH host key of ${NAMES[at]} (127.0.0.1:${way[at]?.port}) ${said}`),
      hint: expect.stringContaining(`proxmox-ssh-mcp trust ${NAMES[at]}`),
    });
    expect(failure.message).toContain(way[at]?.hostKeyFingerprint);
    const logs = await Promise.all(way.map((server, i) => logSince(server, marks[i] ?? 0)));
    const reached = logs.map((log) => (log === '' ? 'nobody' : /Accepted publickey/.test(log) ? 'login' : 'greeting'));
    expect(reached).toEqual(NAMES.map((_, i) => (i < at ? 'login' : i === at ? 'greeting' : 'nobody')));
    expect(logs[at]).not.toMatch(/userauth-request|Failed/);
    tally(9, 'refusals before authentication', 1);
    expect(existsSync(`${file}.own`)).toBe(false);
  });
});

describe('guarantee 9: a way of two hops', () => {
  it('is gone when every key on it is known by a hashed name', async () => {
    know(way.map(({ hostKeyLine }) => hostKeyLine));
    const connection = await connect(target(), options);
    expect(connection.hostKey).toBe(way[2]?.hostKeyFingerprint);
    await connection.close();
  });

  it('is opened by accepting new keys, which writes down one line for each, and only then', async () => {
    know([]);
    const pool = createPool({ ...options, acceptNew: true });
    const ssh = createSsh(pool);
    const runs = Array.from({ length: 20 }, () => ssh.run(target(), { script: 'echo there', timeoutMs: 9_000 }));
    for (const { stdout } of await Promise.all(runs)) expect(stdout.text).toBe('there\n');
    await ssh.close();
    const written = readFileSync(`${file}.own`, 'utf8').trim().split('\n');
    expect(written).toEqual(way.map(({ hostKeyLine }) => hostKeyLine));
  });

  it('accepts no changed and no revoked key as a new one', async () => {
    for (const { lines } of [verdicts.changed, verdicts.revoked]) {
      know(way.flatMap(({ hostKeyLine }, i) => (i === 1 ? lines(hostKeyLine) : [hostKeyLine])));
      await expect(connect(target(), { ...options, acceptNew: true })).rejects.toMatchObject({ kind: 'untrusted' });
      expect(existsSync(`${file}.own`)).toBe(false);
    }
  });

  it('is cured of a changed key, whose name is hashed, by the command that is told', async () => {
    know(way.flatMap(({ hostKeyLine }, i) => (i === 1 ? verdicts.changed.lines(hostKeyLine) : [hostKeyLine])));
    const { hint } = await connect(target(), options).catch((thrown) => thrown);
    const [, remove = ''] = /(ssh-keygen -R .*) && proxmox-ssh-mcp trust second/.exec(hint) ?? [];
    execFileSync('sh', ['-c', remove], { stdio: 'ignore' });
    await expect(connect(target(), options)).rejects.toMatchObject({
      message: expect.stringContaining('is not known'),
    });
    const connection = await connect(target(), { ...options, acceptNew: true });
    await connection.close();
  });
});
