import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ServerChannel, type Session } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostSpec } from '../../src/ssh/client.ts';
import { connect } from '../../src/ssh/connect.ts';
import { Lane } from '../../src/ssh/lane.ts';
import { type ChannelOptions, createPool, type Pool, type PoolOptions } from '../../src/ssh/pool.ts';
import { startProxy } from '../rig/proxy.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';

let folder: string;
let sshd: Sshd;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'psm-pool-'));
  chmodSync(folder, 0o777);
  sshd = await startSshd();
});

afterAll(async () => {
  await sshd?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
const newFile = () => join(folder, `file${++count}`);
const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);

const hostOf = (server: Sshd, more: Partial<HostSpec> = {}): HostSpec => ({
  name: 'pve1',
  address: server.host,
  port: server.port,
  user: 'psm-dash',
  keyPath: server.clientKeyPath,
  ...more,
});

/** A pool that knows the server's key on every port, so that a proxy may stand before it. */
function poolFor(server: Sshd, more: Partial<PoolOptions> = {}): Pool {
  const known = newFile();
  writeFileSync(known, `[127.0.0.1]:* ${server.hostKeyLine.split(' ').slice(1).join(' ')}\n`);
  return createPool({ knownHosts: [known], ownKnownHosts: newFile(), ...more });
}

interface Ended {
  readonly out: Buffer;
  readonly code: number | null | undefined;
}

/** Runs a command to its end; rejects with the reason when the connection is lost before. */
const run = (pool: Pool, host: HostSpec, command: string, options: ChannelOptions = {}, input = ''): Promise<Ended> =>
  pool.withChannel(
    host,
    command,
    (channel, link) =>
      new Promise((resolve, reject) => {
        const out: Buffer[] = [];
        let code: number | null | undefined;
        channel.on('data', (piece: Buffer) => out.push(piece));
        channel.stderr.resume();
        channel.on('exit', (status) => {
          code = status;
        });
        const lost = () => reject(link.lost.reason);
        link.lost.addEventListener('abort', lost, { once: true });
        channel.on('close', () => {
          link.lost.removeEventListener('abort', lost);
          resolve({ out: Buffer.concat(out), code });
        });
        channel.end(input);
      }),
    options,
  );

const text = async (ended: Promise<Ended>) => (await ended).out.toString();

/** A command that runs until it is let go. */
function held(pool: Pool, host: HostSpec) {
  const file = newFile();
  const over = run(pool, host, `echo up >>${file}; until [ -e ${file}.go ]; do sleep 0.05; done; echo done`);
  const started = vi.waitFor(() => expect(lines(file)).toEqual(['up']), { timeout: 10_000 });
  return { over, started, letGo: () => writeFileSync(`${file}.go`, '') };
}

async function withSshd(options: SshdOptions, act: (server: Sshd) => Promise<void>): Promise<void> {
  const server = await startSshd(options);
  try {
    await act(server);
  } finally {
    await server.stop();
  }
}

function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const logins = (server: Sshd, mark = 0) => server.log().slice(mark).split('Accepted publickey').length - 1;
const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

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
    await pool.close();
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
    expect(performance.now() - start).toBeLessThan(50);
    expect(await text(run(pool, hostOf(sshd), 'echo killer', { reserved: true }))).toBe('killer\n');
    for (const { letGo } of [first, ...others]) letGo();
    await Promise.all([first.over, ...others.map(({ over }) => over), ...queued]);
    expect(lines(file).toSorted()).toEqual(['0', '1', '2', '3', '4']);
    await pool.close();
  });

  it.each([1, 2, 4])(
    'on MaxSessions %i with a session held open: 100 answers (a tenth), and killing still finds a slot',
    (maxSessions) =>
      withSshd({ maxSessions }, async (server) => {
        const [pool, file] = [poolFor(server), newFile()];
        const session = held(pool, hostOf(server));
        await session.started;
        const all = numbers(100).map((i) => text(run(pool, hostOf(server), `echo ${i} >>${file}; echo ${i}`)));
        const kill = text(run(pool, hostOf(server), 'echo killer', { reserved: true }));
        expect(await Promise.all(all)).toEqual(numbers(100).map((i) => `${i}\n`));
        expect(await kill).toBe('killer\n');
        expect(
          lines(file)
            .map(Number)
            .toSorted((a, b) => a - b),
        ).toEqual(numbers(100));
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

  it('on a server that allows no session at all fail with the cure, within 3 s', () =>
    withSshd({ maxSessions: 0 }, async (server) => {
      const pool = poolFor(server);
      const start = performance.now();
      await expect(run(pool, hostOf(server), 'true')).rejects.toMatchObject({
        kind: 'remote-error',
        hint: expect.stringContaining('MaxSessions'),
      });
      expect(performance.now() - start).toBeLessThan(3_000);
      await pool.close();
    }));
});

describe('guarantee 2: a connection that dies', () => {
  it('in mid-command is told within 1 s, nothing is run again, and the next call reconnects within 5 s', () =>
    withSshd({}, async (server) => {
      const [pool, file] = [poolFor(server), newFile()];
      const commands = numbers(3).map((i) => run(pool, hostOf(server), `echo ${i} >>${file}; exec sleep 3`));
      const outcomes = Promise.allSettled(commands);
      await vi.waitFor(() => expect(lines(file)).toHaveLength(3));
      const start = performance.now();
      server.killSessions();
      for (const outcome of await outcomes) {
        const reason = { kind: 'unreachable', message: expect.stringContaining('The SSH connection to pve1 was lost') };
        expect(outcome).toMatchObject({ status: 'rejected', reason });
      }
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(pool.connection(hostOf(server))).toMatchObject({ state: 'idle', openChannels: 0 });
      expect(pool.connection(hostOf(server)).lastError).toContain('was lost');
      expect(await text(run(pool, hostOf(server), 'echo back'))).toBe('back\n');
      expect(performance.now() - start).toBeLessThan(5_000);
      expect(lines(file)).toHaveLength(3);
      await pool.close();
    }));

  it('while commands wait: those that were not sent run once, on the next connection', () =>
    withSshd({}, async (server) => {
      const [pool, file] = [poolFor(server), newFile()];
      const sessions = numbers(7).map(() => held(pool, hostOf(server)));
      const lost = Promise.allSettled(sessions.map(({ over }) => over));
      for (const { started } of sessions) await started;
      const waiting = numbers(50).map((i) => text(run(pool, hostOf(server), `echo ${i} >>${file}; echo ${i}`)));
      server.killSessions();
      expect((await lost).every(({ status }) => status === 'rejected')).toBe(true);
      expect(await Promise.all(waiting)).toEqual(numbers(50).map((i) => `${i}\n`));
      expect(lines(file)).toHaveLength(50);
      expect(logins(server)).toBe(2);
      for (const { letGo } of sessions) letGo();
      await pool.close();
    }));

  it('50 times over leaves the file descriptors flat', { timeout: 60_000 }, () =>
    withSshd({}, async (server) => {
      const pool = poolFor(server);
      const open = () => readdirSync('/proc/self/fd').length;
      const cycle = async () => {
        const session = held(pool, hostOf(server));
        await session.started;
        const lost = session.over.then(
          () => 'ended',
          () => 'lost',
        );
        server.killSessions();
        expect(await lost).toBe('lost');
        session.letGo();
        expect(await text(run(pool, hostOf(server), 'echo back'))).toBe('back\n');
      };
      await cycle();
      const before = open();
      for (const _ of numbers(50)) await cycle();
      expect(open()).toBeLessThanOrEqual(before);
      await pool.close();
    }),
  );

  it('in the network is told within 1 s too', async () => {
    const [pool, proxy] = [poolFor(sshd), await startProxy(sshd)];
    const session = held(pool, hostOf(sshd, { port: proxy.port }));
    await session.started;
    const start = performance.now();
    proxy.cut();
    await expect(session.over).rejects.toMatchObject({ kind: 'unreachable' });
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(await text(run(pool, hostOf(sshd, { port: proxy.port }), 'echo back'))).toBe('back\n');
    session.letGo();
    await pool.close();
    await proxy.stop();
  });

  it('and cannot be made again fails all that wait with one and the same failure', async () => {
    const pool = poolFor(sshd);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    const host = hostOf(sshd, { port });
    const outcomes = await Promise.allSettled(numbers(20).map(() => run(pool, host, 'true')));
    const reasons = new Set(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined)));
    expect([...reasons]).toMatchObject([{ kind: 'unreachable' }]);
    expect(pool.connection(host).lastError).toContain('nothing listens there');
    await pool.close();
  });
});

describe('guarantee 2: nothing is sent twice', () => {
  /** A server that does `act` with the command of each connection in turn, and counts the commands. */
  async function scripted(act: (connection: number, session: Session, hangUp: () => void) => void) {
    let connections = 0;
    const server = new ssh2.Server({ hostKeys: [readFileSync(sshd.hostKeyPath)] }, (client) => {
      const number = ++connections;
      client.on('error', () => {});
      client.on('authentication', (login) => login.accept());
      client.on('session', (accept) => act(number, accept(), () => client.end()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, port: portOf(server) };
  }
  const answer = (channel: ServerChannel) => {
    channel.write('ran');
    channel.exit(0);
    channel.end();
  };

  it('when the connection is lost after the command went out: the outcome is unknown', async () => {
    let commands = 0;
    const { server, port } = await scripted((_connection, session, hangUp) => {
      session.on('exec', () => {
        commands++;
        hangUp();
      });
    });
    const pool = poolFor(sshd);
    await expect(run(pool, hostOf(sshd, { port }), 'true')).rejects.toMatchObject({ kind: 'outcome-unknown' });
    expect(commands).toBe(1);
    await pool.close();
    server.close();
  });

  it('when the server refuses the command: it is told, and the next one gets a new connection', async () => {
    const { server, port } = await scripted((connection, session) => {
      session.on('exec', (accept, reject) => (connection === 1 ? reject() : answer(accept())));
    });
    const pool = poolFor(sshd);
    await expect(run(pool, hostOf(sshd, { port }), 'true')).rejects.toMatchObject({ kind: 'remote-error' });
    expect(await text(run(pool, hostOf(sshd, { port }), 'true'))).toBe('ran');
    await pool.close();
    server.close();
  });

  it('but a command that never went out goes to the next connection, or is given up after three', async () => {
    const pool = poolFor(sshd);
    const host = hostOf(sshd);
    const connection = await connect(host, { knownHosts: [], ownKnownHosts: newFile(), acceptNew: true });
    const seen: string[] = [];
    const lane = new Lane(connection, 8, false, {
      changed: () => seen.push('changed'),
      again: () => seen.push('again'),
    });
    const order = { hostName: 'pve1', command: 'true', reserved: false, losses: 0 };
    const start = () => Promise.reject(new Error('never'));
    connection.client.destroy();
    const run1 = () => lane.run({ ...order, start, fail: () => seen.push('failed') });
    run1();
    order.losses = 2;
    run1();
    expect(seen).toEqual(['again', 'failed', 'changed']);
    expect(lane).toMatchObject({ open: 0, retired: true });
    await pool.close();
  });
});

describe('guarantee 8: rekeying every 1 MiB', () => {
  it(
    'under 6 parallel streams, down and up, is byte-exact; the host key is checked and written once',
    { timeout: 60_000 },
    () =>
      withSshd({ extraConfig: ['RekeyLimit 1M', 'LogLevel DEBUG1'] }, async (server) => {
        const ownKnownHosts = newFile();
        const pool = createPool({ knownHosts: [], ownKnownHosts, acceptNew: true });
        expect(await text(run(pool, hostOf(server), 'echo connected'))).toBe('connected\n');
        expect(lines(ownKnownHosts)).toHaveLength(1);
        // From here on another check would not know the host, and another acceptance would write the file again.
        rmSync(ownKnownHosts);
        const size = 6_000_000;
        const bytes = (i: number) => Buffer.alloc(size, `stream ${i} of six `);
        const sha = (data: Buffer) => createHash('sha256').update(data).digest('hex');
        const down = numbers(3).map(async (i) => {
          const { out } = await run(pool, hostOf(server), `yes 'stream ${i} of six ' | tr -d '\\n' | head -c ${size}`);
          expect(sha(out)).toBe(sha(bytes(i)));
        });
        const up = numbers(3).map(async (i) => {
          const printed = await text(run(pool, hostOf(server), 'sha256sum', {}, bytes(i).toString()));
          expect(printed.slice(0, 64)).toBe(sha(bytes(i)));
        });
        await Promise.all([...down, ...up]);
        expect(server.log().match(/rekeying/g)?.length).toBeGreaterThan(20);
        expect(logins(server)).toBe(1);
        expect(existsSync(ownKnownHosts)).toBe(false);
        await pool.close();
      }),
  );
});

describe('the pool', () => {
  it('opens nothing before it is needed, and one connection for many first commands', async () => {
    const [pool, mark] = [poolFor(sshd), sshd.log().length];
    expect(pool.connection(hostOf(sshd))).toEqual({ state: 'idle', openChannels: 0, queued: 0 });
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

  it('hands a command to its user that was cancelled on its way, or tells that its outcome is unknown', async () => {
    const [pool, proxy] = [poolFor(sshd), await startProxy(sshd)];
    const host = hostOf(sshd, { port: proxy.port });
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
  });

  it('goes on over a new connection when processes that cannot be ended keep their channels', async () => {
    const [pool, file, mark] = [poolFor(sshd, { maxChannels: 4 }), newFile(), sshd.log().length];
    const stubborn = `trap '' HUP TERM PIPE; until [ -e ${file}.go ]; do sleep 0.1; done`;
    await Promise.all(numbers(3).map(() => pool.withChannel(hostOf(sshd), stubborn, async () => {})));
    expect(await text(run(pool, hostOf(sshd), 'echo on'))).toBe('on\n');
    expect(logins(sshd, mark)).toBe(2);
    expect(pool.connection(hostOf(sshd))).toMatchObject({ state: 'connected', queued: 0 });
    writeFileSync(`${file}.go`, '');
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
