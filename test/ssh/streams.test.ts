import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import type { Command, HostSpec, Ssh, Streams } from '../../src/ssh/client.ts';
import { Reading } from '../../src/ssh/reading.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD } from '../rig/users.ts';

let server: Sshd;
let ssh: Ssh;
let host: HostSpec;

beforeAll(async () => {
  server = await startSshd();
  ssh = sshTo(server);
  host = login(server, 'psm-dash', { sudoPassword: new Secret(DASH_PASSWORD) });
});
afterAll(async () => {
  await ssh.close();
  await server.stop();
});

const run = (script: string, streams: Streams, more: Partial<Command> = {}) =>
  ssh.run(host, { script, timeoutMs: 20_000, ...more }, { streams });

const PIECE = Buffer.alloc(65_536, 'psm');
const MIB = 1024 * 1024;

/** `mib` MiB in pieces; `taken` tells how many bytes were pulled so far. */
function source(mib: number) {
  const progress = { taken: 0 };
  async function* pieces() {
    for (; progress.taken < mib * MIB; progress.taken += PIECE.length) yield PIECE;
  }
  return { progress, pieces: pieces() };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a command on streams', () => {
  it.each([{}, { sudo: true }])('reads and writes every byte, one way and the other (%o)', async (as) => {
    const [sent, got] = [createHash('sha256'), createHash('sha256')];
    async function* pieces() {
      for (let i = 0; i < 128; i++) {
        sent.update(PIECE);
        yield PIECE;
      }
    }
    const streams = { stdin: pieces(), stdout: (piece: Buffer) => void got.update(piece), toTheEnd: true as const };
    const result = await run('cat; exit 3', streams, as);
    expect(result).toMatchObject({ exitCode: 3, stdout: { text: '' } });
    expect(got.digest('hex')).toBe(sent.digest('hex'));
  });

  it('is read no faster than its pieces are taken', async () => {
    let bytes = 0;
    let most = 0;
    let open = 0;
    const stdout = async (piece: Buffer) => {
      most = Math.max(most, ++open);
      await pause(1);
      bytes += piece.length;
      open--;
    };
    await run(`head -c ${4 * MIB} /dev/zero`, { stdout, toTheEnd: true });
    expect({ bytes, most }).toEqual({ bytes: 4 * MIB, most: 1 });
  });

  it('is given its input no faster than it reads', async () => {
    const { progress, pieces } = source(64);
    const result = run('sleep 0.5; head -c 1 >/dev/null', { stdin: pieces });
    await expect(result).resolves.toMatchObject({ exitCode: 0 });
    // A channel's window is 2 MiB, and some pipes and buffers lie behind it.
    expect(progress.taken).toBeLessThan(8 * MIB);
  });

  it('tells of its pid, and its stderr apart', async () => {
    const heard: string[] = [];
    const pids: number[] = [];
    const streams: Streams = {
      stdout: (piece) => void heard.push(`out ${piece}`),
      stderr: (piece) => void heard.push(`err ${piece}`),
      running: (pid) => void pids.push(pid),
    };
    const { stderr } = await run('echo $$; echo bad >&2', streams);
    expect(heard.toSorted()).toEqual(['err bad\n', `out ${pids[0]}\n`]);
    expect(stderr.text).toBe('');
  });

  it('ends with all its processes when a stream breaks, and throws what the stream threw', async () => {
    const full = new Error('no space left');
    const stdout = () => {
      throw full;
    };
    const pids: number[] = [];
    const streams = { stdout, running: (pid: number) => void pids.push(pid) };
    await expect(run('setsid sleep 60 & echo up; sleep 60', streams)).rejects.toBe(full);
    const left = await ssh.run(host, { script: `ps -p ${pids[0]} -o pid= || echo gone`, timeoutMs: 9_000 });
    expect(left.stdout.text).toBe('gone\n');
    const broken = (async function* () {
      yield PIECE;
      throw full;
    })();
    await expect(run('cat >/dev/null; sleep 60', { stdin: broken })).rejects.toBe(full);
    const late = { stdout: () => pause(300).then(() => Promise.reject(full)), toTheEnd: true as const };
    await expect(run('echo last', late)).rejects.toBe(full);
  });

  it('has no limit when none is wanted', async () => {
    const result = await run('sleep 0.2; echo done', {}, { timeoutMs: Number.POSITIVE_INFINITY });
    expect(result.stdout.text).toBe('done\n');
  });
});

describe('a reading', () => {
  it('gets its arguments byte for byte, and nothing of them is run', async () => {
    const args = ['$(touch /tmp/never)', "it's", '', 'a\nb', '; exit 1', '-n'];
    const script = new Reading(`for each do printf '<%s>' "$each"; done`).script(args);
    const { stdout } = await ssh.run(host, { script, timeoutMs: 9_000 });
    expect(stdout.text).toBe(args.map((each) => `<${each}>`).join(''));
  });

  it('refuses what no shell can carry', () => {
    expect(() => new Reading('true').script(['a\0b'])).toThrow(/NUL/);
  });
});
