import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figure, slowest } from '../figures.ts';
import { startSshd } from '../rig/sshd.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';
import { initialize, type RawSession, startRaw } from './raw.ts';
import { alive, newMark, realHost, until } from './real-host.ts';

let dc: Datacentre;
let sshd: Awaited<ReturnType<typeof startSshd>>;
beforeAll(async () => {
  [dc, sshd] = await Promise.all([startDatacentre(), startSshd()]);
});
afterAll(() => Promise.all([dc.stop(), sshd.stop()]));

/** A session whose SSH host is a real sshd on this machine. */
async function session(): Promise<RawSession> {
  const raw = startRaw(await dc.launch(await realHost(dc, sshd)));
  await initialize(raw);
  return raw;
}

const ways: Record<string, (raw: RawSession) => void> = {
  'end of stdin': ({ child }) => child.stdin?.end(),
  SIGINT: ({ child }) => child.kill('SIGINT'),
  SIGTERM: ({ child }) => child.kill('SIGTERM'),
};

describe.each(Object.entries(ways))('guarantee 25: %s', (_, end) => {
  it('idle: gone within 400 ms, with exit code 0', async () => {
    const raw = await session();
    await raw.request('tools/list');
    const began = performance.now();
    end(raw);
    expect(await raw.gone).toEqual({ code: 0, signal: null });
    const ms = performance.now() - began;
    expect(ms).toBeLessThan(400);
    slowest(25, 'idle, gone in', ms);
  });

  it('busy: gone within 2 s, the remote processes ended, no orphan', async () => {
    const raw = await session();
    const mark = newMark();
    raw.send('tools/call', {
      name: 'ssh_exec',
      arguments: {
        target: 'real',
        script: `sleep ${mark} & setsid sleep ${mark} & trap '' TERM; sleep ${mark}; sleep 5`,
      },
    });
    await until(() => alive(mark).length >= 3);
    const began = performance.now();
    end(raw);
    expect((await raw.gone).code).toBe(0);
    const ms = performance.now() - began;
    expect(ms).toBeLessThan(2000);
    slowest(25, 'busy, gone in', ms);
    await until(() => alive(mark).length === 0);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('guarantee 25: a job that no call waits for', () => {
  it.each(Object.entries(ways))('%s: gone within 2 s, the remote processes ended', async (_, end) => {
    const raw = await session();
    const mark = newMark();
    const script = `setsid sleep ${mark} & trap '' TERM; sleep ${mark}; sleep 5`;
    const args = { target: 'real', script, wait_s: 0 };
    const { result } = await raw.request('tools/call', { name: 'ssh_exec', arguments: args });
    expect(result?.structuredContent).toMatchObject({ state: 'running' });
    await until(() => alive(mark).length >= 2);
    const began = performance.now();
    end(raw);
    expect((await raw.gone).code).toBe(0);
    const ms = performance.now() - began;
    expect(ms).toBeLessThan(2000);
    slowest(25, 'busy, gone in', ms);
    await until(() => alive(mark).length === 0);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('guarantee 26, its first half', () => {
  it('listens on no socket', async () => {
    const raw = await session();
    await raw.request('tools/list');
    const inodes = new Set(
      ['tcp', 'tcp6'].flatMap((table) =>
        readFileSync(`/proc/${raw.child.pid}/net/${table}`, 'utf8')
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
          .filter((fields) => fields[3] === '0A')
          .map((fields) => `socket:[${fields[9]}]`),
      ),
    );
    const own = readdirSync(`/proc/${raw.child.pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${raw.child.pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(own.filter((link) => inodes.has(link))).toEqual([]);
    figure(26, `${own.filter((link) => inodes.has(link)).length} of ${own.length} descriptors in stdio mode listen`);
    raw.child.stdin?.end();
    await raw.gone;
  });
});
