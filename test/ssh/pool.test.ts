import { once, setMaxListeners } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as tcpConnect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { figure, grouped, tally } from '../figures.ts';
import { login, sshTo } from '../rig/login.ts';
import { startProxy } from '../rig/proxy.ts';
import { OPENSSH, type Sshd, startSshd } from '../rig/sshd.ts';
import {
  connections,
  held,
  hostOf,
  lines,
  logins,
  newFile,
  numbers,
  poolFor,
  run,
  text,
  whileThere,
  withSshd,
} from './commands.ts';
import { portOf, publicKey } from './connecting.ts';

let sshd: Sshd;

beforeAll(async () => {
  sshd = await startSshd();
});

afterAll(() => sshd?.stop());

describe('guarantee 1: commands at once', () => {
  it('1,000 on MaxSessions 10 give 1,000 exact answers, each run once, with at most 8 channels and one login', async () => {
    const [pool, file, mark] = [poolFor(sshd), newFile(), sshd.log().length];
    let most = 0;
    const one = async (i: number) => {
      const { out, code } = await run(pool, hostOf(sshd), `echo ${i} >>${file}; echo answer ${i}; exit ${i % 200}`);
      most = Math.max(most, pool.connection(hostOf(sshd)).openChannels);
      return `${out} ${code}`;
    };
    const answers = await Promise.all(numbers(1_000).map(one));
    expect(answers).toEqual(numbers(1_000).map((i) => `answer ${i}\n ${i % 200}`));
    expect(
      lines(file)
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(numbers(1_000));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
    expect(logins(sshd, mark)).toBe(1);
    figure(
      1,
      `${grouped(answers.length)} exact answers, ${grouped(lines(file).length)} runs, ${most} channels open at most`,
    );
    await pool.close();
  });

  it('as the tools run them, by 4 users at once, give 1,000 exact answers too', async () => {
    const ssh = sshTo(sshd);
    const users = ['psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash'].map((user) => login(sshd, user));
    const one = async (i: number) => {
      const script = i % 2 === 0 ? `echo ${i}; exit ${i % 200}` : `echo ${i}\nexit ${i % 200}`;
      const { stdout, exitCode } = await ssh.run(users[i % 4] as HostSpec, { script, timeoutMs: 60_000 });
      return `${stdout.text} ${exitCode}`;
    };
    expect(await Promise.all(numbers(1_000).map(one))).toEqual(numbers(1_000).map((i) => `${i}\n ${i % 200}`));
    await ssh.close();
  });

  it('beyond the queue get `busy` at once, and have not run', async () => {
    const [pool, file] = [poolFor(sshd, { maxQueue: 5 }), newFile()];
    const first = held(pool, hostOf(sshd));
    await first.started;
    const others = numbers(6).map(() => held(pool, hostOf(sshd)));
    const queued = numbers(5).map((i) => run(pool, hostOf(sshd), `echo ${i} >>${file}`));
    expect(pool.connection(hostOf(sshd))).toMatchObject({ state: 'connected', openChannels: 7, queued: 5 });
    const start = performance.now();
    const overflow = run(pool, hostOf(sshd), `echo never >>${file}`);
    await expect(overflow).rejects.toMatchObject({ kind: 'busy' });
    const ms = performance.now() - start;
    expect(ms).toBeLessThan(50);
    figure(1, `the overflow told as busy in ${ms.toFixed(1)} ms`);
    expect(await text(run(pool, hostOf(sshd), 'echo killer', { reserved: true }))).toBe('killer\n');
    for (const { letGo } of [first, ...others]) letGo();
    await Promise.all([first.over, ...others.map(({ over }) => over), ...queued]);
    expect(lines(file).toSorted()).toEqual(['0', '1', '2', '3', '4']);
    await pool.close();
  });

  it('wait in a queue that holds 1,024', async () => {
    const [pool, file] = [poolFor(sshd), newFile()];
    const sessions = numbers(7).map(() => held(pool, hostOf(sshd)));
    for (const { started } of sessions) await started;
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const options = { signal: controller.signal };
    const queued = numbers(1_024).map(() => run(pool, hostOf(sshd), `echo ran >>${file}`, options));
    const outcomes = Promise.allSettled(queued);
    await expect(run(pool, hostOf(sshd), `echo ran >>${file}`)).rejects.toMatchObject({ kind: 'busy' });
    expect(pool.connection(hostOf(sshd)).queued).toBe(1_024);
    controller.abort();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { kind: 'cancelled' } });
    for (const { letGo } of sessions) letGo();
    await Promise.all(sessions.map(({ over }) => over));
    expect(lines(file)).toEqual([]);
    await pool.close();
  });

  it.each([1, 2, 4])(
    'on MaxSessions %i with a session held open: 1,000 answers, and killing still finds a slot',
    { timeout: 60_000 },
    (maxSessions) =>
      withSshd({ maxSessions }, async (server) => {
        const [pool, file] = [poolFor(server), newFile()];
        const session = held(pool, hostOf(server));
        await session.started;
        const all = numbers(1_000).map((i) => text(run(pool, hostOf(server), `echo ${i} >>${file}; echo ${i}`)));
        const kill = text(run(pool, hostOf(server), 'echo killer', { reserved: true }));
        expect(await Promise.all(all)).toEqual(numbers(1_000).map((i) => `${i}\n`));
        expect(await kill).toBe('killer\n');
        expect(
          lines(file)
            .map(Number)
            .toSorted((a, b) => a - b),
        ).toEqual(numbers(1_000));
        tally(1, 'answers with MaxSessions 1, 2, 4 beside a session held open', all.length);
        session.letGo();
        expect(await text(session.over)).toBe('done\n');
        await pool.close();
      }),
  );

  it.each([1, 2])('on MaxSessions %i with every session taken: killing gets a connection of its own', (maxSessions) =>
    withSshd({ maxSessions }, async (server) => {
      const pool = poolFor(server);
      const sessions = numbers(maxSessions + 1).map(() => held(pool, hostOf(server)));
      for (const { started } of sessions) await started;
      const kills = numbers(3).map((i) => text(run(pool, hostOf(server), `echo ${i}`, { reserved: true })));
      expect(await Promise.all(kills)).toEqual(['0\n', '1\n', '2\n']);
      for (const { letGo } of sessions) letGo();
      for (const { over } of sessions) expect(await text(over)).toBe('done\n');
      await pool.close();
    }),
  );

  it('on a server that allows no session at all fail with the cure, all of them, within 3 s', () =>
    withSshd({ maxSessions: 0 }, async (server) => {
      const pool = poolFor(server);
      const start = performance.now();
      const outcomes = await Promise.allSettled(numbers(50).map(() => run(pool, hostOf(server), 'true')));
      const reason = { kind: 'remote-error', hint: expect.stringContaining('MaxSessions') };
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason });
      expect(performance.now() - start).toBeLessThan(3_000);
      await pool.close();
    }));
});

describe('connecting', () => {
  it('does not storm a server that takes one unfinished login at a time: 20 commands at once, one connection', () =>
    withSshd({ extraConfig: ['MaxStartups 1:100:1'] }, async (server) => {
      const pool = poolFor(server);
      const answers = await Promise.all(numbers(20).map((i) => text(run(pool, hostOf(server), `echo ${i}`))));
      expect(answers).toEqual(numbers(20).map((i) => `${i}\n`));
      expect(connections(server)).toBe(1);
      await pool.close();
    }));

  it('nor one behind a hop, nor the hop', () =>
    withSshd({ extraConfig: ['MaxStartups 1:100:1'] }, (server) =>
      withSshd({ extraConfig: ['MaxStartups 1:100:1'], authorizedKeys: [publicKey(server)] }, async (hop) => {
        const known = newFile();
        writeFileSync(known, `${server.hostKeyLine}\n${hop.hostKeyLine}\n`);
        const pool = createPool({ knownHosts: [known], ownKnownHosts: newFile() });
        const via = [hostOf(server, { name: 'hop', port: hop.port })];
        const answers = await Promise.all(
          numbers(20).map((i) => text(run(pool, hostOf(server, { via }), `echo ${i}`))),
        );
        expect(answers).toEqual(numbers(20).map((i) => `${i}\n`));
        expect([connections(server), connections(hop)]).toEqual([1, 1]);
        await pool.close();
      }),
    ));

  it('that is turned away for MaxStartups is told as `busy`, and goes on when there is room', () =>
    withSshd({ extraConfig: ['MaxStartups 1:100:1'] }, async (server) => {
      const [pool, other] = [poolFor(server), tcpConnect(server.port, server.host)];
      await once(other, 'data');
      await expect(run(pool, hostOf(server), 'true')).rejects.toMatchObject({ kind: 'busy' });
      other.destroy();
      await vi.waitFor(() => expect(server.sessionPids()).toEqual([]), 5_000);
      expect(await text(run(pool, hostOf(server), 'echo on'))).toBe('on\n');
      await pool.close();
    }));

  it('is refused once for 20 commands at once whose login is refused', async () => {
    // From 9.8 on (PerSourcePenalties) each refusal brings the address closer to being shut out.
    const penalties = OPENSSH >= 9.8 ? ['PerSourcePenalties authfail:5s min:60s'] : [];
    await withSshd({ extraConfig: penalties }, async (server) => {
      const pool = poolFor(server);
      const stranger = hostOf(server, { keyPath: sshd.clientKeyPath });
      const outcomes = await Promise.allSettled(numbers(20).map(() => run(pool, stranger, 'true')));
      for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { kind: 'authentication' } });
      expect(connections(server)).toBe(1);
      expect(await text(run(pool, hostOf(server), 'echo in'))).toBe('in\n');
      await pool.close();
    });
  });
});

describe('the pool', () => {
  it('opens nothing before it is needed, and one connection for many first commands', async () => {
    const [pool, mark] = [poolFor(sshd), sshd.log().length];
    expect(pool.connection(hostOf(sshd))).toEqual({
      state: 'idle',
      openChannels: 0,
      queued: 0,
      commandsLastMinute: 0,
      connectsLastMinute: 0,
    });
    expect(sshd.log().length).toBe(mark);
    await Promise.all(numbers(7).map(() => run(pool, hostOf(sshd), 'true')));
    await run(pool, hostOf(sshd, { name: 'the same by another name' }), 'true');
    expect(logins(sshd, mark)).toBe(1);
    expect(pool.connection(hostOf(sshd))).toMatchObject({ state: 'connected', hostKey: sshd.hostKeyFingerprint });
    await run(pool, hostOf(sshd, { user: 'psm-bash' }), 'true');
    expect(logins(sshd, mark)).toBe(2);
    await pool.close();
  });

  it('closes an idle connection, and never one with an open channel', async () => {
    const pool = poolFor(sshd, { idleMs: 150 });
    const session = held(pool, hostOf(sshd));
    await session.started;
    await run(pool, hostOf(sshd), 'sleep 0.5');
    expect(pool.connection(hostOf(sshd)).state).toBe('connected');
    session.letGo();
    expect(await text(session.over)).toBe('done\n');
    await vi.waitFor(() => expect(pool.connection(hostOf(sshd)).state).toBe('idle'));
    expect(await text(run(pool, hostOf(sshd), 'echo again'))).toBe('again\n');
    await pool.close();
  });

  it('gives no pty, and closes the channel when its user is done with it', async () => {
    const pool = poolFor(sshd);
    expect(await text(run(pool, hostOf(sshd), 'tty'))).toBe('not a tty\n');
    await expect(pool.withChannel(hostOf(sshd), 'cat', async () => Promise.reject(new Error('mine')))).rejects.toThrow(
      'mine',
    );
    await vi.waitFor(() => expect(pool.connection(hostOf(sshd)).openChannels).toBe(0));
    await pool.close();
  });

  it('never runs a command that was cancelled while it waited, and leaves the others alone', async () => {
    const [pool, file] = [poolFor(sshd, { maxChannels: 2 }), newFile()];
    const session = held(pool, hostOf(sshd));
    await session.started;
    const controller = new AbortController();
    const doomed = run(pool, hostOf(sshd), `echo doomed >>${file}`, { signal: controller.signal });
    const other = run(pool, hostOf(sshd), `echo other >>${file}`);
    controller.abort();
    await expect(doomed).rejects.toMatchObject({ kind: 'cancelled' });
    const dead = run(pool, hostOf(sshd), `echo dead >>${file}`, { signal: AbortSignal.abort() });
    await expect(dead).rejects.toMatchObject({ kind: 'cancelled' });
    session.letGo();
    await other;
    expect(lines(file)).toEqual(['other']);
    await pool.close();
  });

  it('ends everything within 300 ms, connections in the making included, and takes no more', async () => {
    const pool = poolFor(sshd, { maxChannels: 2 });
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const session = held(pool, hostOf(sshd));
    await session.started;
    const waiting = run(pool, hostOf(sshd), 'true');
    const making = run(pool, hostOf(sshd, { port: portOf(silent) }), 'true');
    const outcomes = Promise.allSettled([session.over, waiting, making]);
    const start = performance.now();
    await pool.close();
    expect(performance.now() - start).toBeLessThan(300);
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: { kind: 'unreachable' } },
      { status: 'rejected', reason: { kind: 'cancelled' } },
      { status: 'rejected', reason: { kind: 'cancelled' } },
    ]);
    await expect(run(pool, hostOf(sshd), 'true')).rejects.toMatchObject({ kind: 'cancelled' });
    session.letGo();
    silent.close();
  });
});

describe.concurrent('the pool, given time,', () => {
  it('hands a command to its user that was cancelled on its way, or tells that its outcome is unknown', () =>
    withSshd({}, async (server) => {
      const [pool, proxy] = [poolFor(server), await startProxy(server)];
      const host = hostOf(server, { port: proxy.port });
      await run(pool, host, 'true');
      proxy.stall();
      const early = new AbortController();
      const handed = text(run(pool, host, 'echo handed', { signal: early.signal }));
      early.abort();
      proxy.flow();
      expect(await handed).toBe('handed\n');
      proxy.stall();
      const late = new AbortController();
      const unknown = run(pool, host, 'true', { signal: late.signal });
      late.abort();
      await expect(unknown).rejects.toMatchObject({ kind: 'outcome-unknown' });
      await pool.close();
      await proxy.stop();
    }));

  it('goes on over a new connection when processes that cannot be ended keep their channels', () =>
    withSshd({}, async (server) => {
      const [pool, file] = [poolFor(server, { maxChannels: 4 }), newFile()];
      const stubborn = `trap '' HUP TERM PIPE; ${whileThere(file)}`;
      await Promise.all(numbers(3).map(() => pool.withChannel(hostOf(server), stubborn, async () => {})));
      expect(await text(run(pool, hostOf(server), 'echo on'))).toBe('on\n');
      expect(logins(server)).toBe(2);
      expect(pool.connection(hostOf(server))).toMatchObject({ state: 'connected', queued: 0 });
      rmSync(file);
      await pool.close();
    }));
});
