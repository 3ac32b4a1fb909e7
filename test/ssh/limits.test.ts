import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostLimits } from '../../src/ssh/client.ts';
import { Rate } from '../../src/ssh/rate.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { held, hostOf, lines, logins, newFile, numbers, poolFor, run, text, withSshd } from './commands.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd?.stop());

const limited = (server: Sshd, limits: HostLimits) => hostOf(server, { limits });

describe('commands a minute', () => {
  it('beyond the limit are told `busy` at once, with the seconds to wait, and have not run', async () => {
    const [pool, file, host] = [poolFor(sshd), newFile(), limited(sshd, { commandsPerMinute: 3 })];
    await Promise.all(numbers(3).map((i) => run(pool, host, `echo ${i} >>${file}`)));
    const start = performance.now();
    await expect(run(pool, host, `echo never >>${file}`)).rejects.toMatchObject({
      kind: 'busy',
      message: 'pve1 may get 3 commands a minute, and had them: this one was not sent.',
      hint: expect.stringMatching(/^Call again in (5\d|60) s; /),
    });
    expect(performance.now() - start).toBeLessThan(100);
    expect(await text(run(pool, host, 'echo killer', { reserved: true }))).toBe('killer\n');
    expect(lines(file).toSorted()).toEqual(['0', '1', '2']);
    expect(pool.connection(host)).toMatchObject({ commandsLastMinute: 3, connectsLastMinute: 1 });
    await pool.close();
  });

  it('go by what the operator set last', async () => {
    const pool = poolFor(sshd);
    await run(pool, limited(sshd, { commandsPerMinute: 1 }), 'true');
    await expect(run(pool, limited(sshd, { commandsPerMinute: 1 }), 'true')).rejects.toMatchObject({ kind: 'busy' });
    expect(await text(run(pool, limited(sshd, { commandsPerMinute: 2 }), 'echo on'))).toBe('on\n');
    expect(await text(run(pool, hostOf(sshd), 'echo free'))).toBe('free\n');
    await pool.close();
  });
});

describe('commands at once', () => {
  it('wait beyond the limit, in their order, while killing does not', async () => {
    const [pool, file, host] = [poolFor(sshd), newFile(), limited(sshd, { concurrent: 2 })];
    const both = numbers(2).map(() => held(pool, host));
    for (const { started } of both) await started;
    const others = numbers(4).map((i) => run(pool, host, `echo ${i} >>${file}`));
    expect(pool.connection(host)).toMatchObject({ openChannels: 2, queued: 4 });
    expect(await text(run(pool, host, 'echo killer', { reserved: true }))).toBe('killer\n');
    expect(lines(file)).toEqual([]);
    both[0]?.letGo();
    await Promise.all(others);
    expect(lines(file)).toEqual(['0', '1', '2', '3']);
    expect(pool.connection(host)).toMatchObject({ queued: 0 });
    both[1]?.letGo();
    await Promise.all(both.map(({ over }) => over));
    await pool.close();
  });

  it('are no more than the limit among 40, each run once', async () => {
    const [pool, file, host] = [poolFor(sshd), newFile(), limited(sshd, { concurrent: 3 })];
    const one = (i: number) => run(pool, host, `echo + >>${file}; echo ${i}; sleep 0.02; echo - >>${file}`);
    const answers = await Promise.all(numbers(40).map((i) => text(one(i))));
    expect(answers).toEqual(numbers(40).map((i) => `${i}\n`));
    let running = 0;
    const counts = lines(file).map((sign) => {
      running += sign === '+' ? 1 : -1;
      return running;
    });
    expect(Math.max(...counts)).toBe(3);
    await pool.close();
  });
});

describe('connections a minute', () => {
  it('beyond the limit are told `busy`, and nobody knocks', () =>
    withSshd({}, async (server) => {
      const [pool, host] = [poolFor(server), limited(server, { connectsPerMinute: 2 })];
      for (const _ of numbers(2)) {
        await run(pool, host, 'true');
        server.killSessions();
        await vi.waitFor(() => expect(pool.connection(host).state).toBe('idle'));
      }
      const mark = server.log().length;
      await expect(run(pool, host, 'true')).rejects.toMatchObject({
        kind: 'busy',
        message: 'pve1 may get 2 connections a minute, and had them: this one was not sent.',
      });
      expect(server.log().slice(mark)).not.toContain('Connection from');
      expect(pool.connection(host)).toMatchObject({
        connectsLastMinute: 2,
        lastError: expect.stringContaining('may get'),
      });
      await pool.close();
    }));

  it('may be as many as it takes where something has to be ended', () =>
    withSshd({ maxSessions: 1 }, async (server) => {
      const [pool, host] = [poolFor(server), limited(server, { connectsPerMinute: 1 })];
      const session = held(pool, host);
      await session.started;
      expect(await text(run(pool, host, 'echo killer', { reserved: true }))).toBe('killer\n');
      expect(logins(server)).toBe(2);
      expect(pool.connection(host)).toMatchObject({ connectsLastMinute: 2, sessionsGranted: 1 });
      server.killSessions();
      await expect(session.over).rejects.toMatchObject({ kind: 'unreachable' });
      await vi.waitFor(() => expect(pool.connection(host).state).toBe('idle'));
      expect(await text(run(pool, host, 'echo killer', { reserved: true }))).toBe('killer\n');
      await pool.close();
    }));

  it('count at every hop, for all that goes through it', () =>
    withSshd({}, async (inner) => {
      const pool = poolFor(sshd);
      const known = join(inner.folder, 'known');
      appendFileSync(known, `${sshd.hostKeyLine}\n${inner.hostKeyLine}\n`);
      appendFileSync(join(inner.folder, 'authorized_keys'), readFileSync(`${sshd.clientKeyPath}.pub`));
      const through = poolFor(sshd, { knownHosts: [known] });
      const gate = hostOf(sshd, { name: 'gate', limits: { connectsPerMinute: 1 } });
      const behind = hostOf(inner, { name: 'behind', keyPath: sshd.clientKeyPath, via: [gate] });
      expect(await text(run(through, behind, 'echo in'))).toBe('in\n');
      await expect(run(through, { ...behind, user: 'psm-bash' }, 'true')).rejects.toMatchObject({
        kind: 'busy',
        message: expect.stringContaining('gate may get 1 connection a minute'),
      });
      await expect(run(through, gate, 'true')).rejects.toMatchObject({ kind: 'busy' });
      await Promise.all([pool.close(), through.close()]);
    }));

  it('are 60 unless the operator says otherwise', async () => {
    const pool = poolFor(sshd);
    const host = hostOf(sshd, { port: 1, address: '127.0.0.1' });
    const ends = [];
    for (const _ of numbers(61)) ends.push(await run(pool, host, 'true').catch(({ kind }: { kind: string }) => kind));
    expect(ends).toEqual([...numbers(60).map(() => 'unreachable'), 'busy']);
    await pool.close();
  });
});

describe('a rate', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('forgets what began more than 60 s ago, and tells how long to wait', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const rate = new Rate();
    expect([rate.take(2), vi.advanceTimersByTime(10_000) && rate.take(2)]).toEqual([undefined, undefined]);
    expect([rate.count, rate.take(2)]).toEqual([2, 50_000]);
    expect(rate.take(1)).toBe(60_000);
    vi.advanceTimersByTime(50_000);
    expect([rate.count, rate.take(2), rate.count]).toEqual([1, undefined, 2]);
    expect(rate.take()).toBeUndefined();
    expect(rate.count).toBe(3);
  });
});
