import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/ssh/connect.ts';
import type { ConnectOptions } from '../../src/ssh/layer.ts';
import { slowest } from '../figures.ts';
import { login, sshTo } from '../rig/login.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { runAsRoot } from '../rig/users.ts';
import { actor, BANNER, DEADLINE, hostAt, knowing, listening, lost, portOf, publicKey, refusal } from './connecting.ts';

let sshd: Sshd;
let hop: Sshd;
let known: ConnectOptions;
/** One for each test that freezes one, because starting them would hold up the tests that run beside it. */
let toFreeze: Sshd[];

beforeAll(async () => {
  sshd = await startSshd();
  hop = await startSshd({ authorizedKeys: [publicKey(sshd)] });
  known = knowing(sshd, hop);
  toFreeze = [];
  for (const _ of [1, 2, 3, 4]) toFreeze.push(await startSshd({ authorizedKeys: [publicKey(sshd)] }));
});

afterAll(async () => {
  for (const server of [sshd, hop, ...toFreeze]) await server?.stop();
});

describe.concurrent('guarantee 3: a port that is not an SSH server gives one clear failure by the deadline', () => {
  const later = (ms: number, act: () => void) => void setTimeout(act, ms);
  const cases: [string, (socket: Socket) => void, string, string][] = [
    ['says nothing', () => {}, 'timeout', 'took the connection and said nothing'],
    [
      'says half a banner',
      (s) => s.write('SSH-2.0-Open'),
      'timeout',
      'began an SSH greeting and did not finish it: "SSH-2.0-Open"',
    ],
    [
      'drips a banner',
      (s) =>
        [...'SSH-2'].forEach((c, i) => {
          later(i * 100, () => s.write(c));
        }),
      'timeout',
      'did not finish it: "SSH-2"',
    ],
    ['hangs up at its second byte', (s) => s.end('SS'), 'unreachable', 'did not finish it: "SS"'],
    ['hangs up in the banner', (s) => s.end('SSH-2.0-Open'), 'unreachable', 'did not finish it: "SSH-2.0-Open"'],
    [
      'talks garbage',
      (s) => s.write('\x16\x03\x01\x02\x00abc\r\n\\"\x07\xff', 'latin1'),
      'misconfigured',
      'not with SSH: "\\x16\\x03\\x01\\x02\\x00abc\\r\\n\\\\"\\x07\\xff"',
    ],
    [
      'talks garbage without end',
      (s) => s.write('x'.repeat(100_000)),
      'misconfigured',
      `not with SSH: "${'x'.repeat(80)}"…`,
    ],
    [
      'greets by mail',
      (s) => s.write('220 mail.example.com ESMTP\r\n'),
      'misconfigured',
      'not with SSH: "220 mail.example.com ESMTP\\r\\n"',
    ],
    ['hangs up at once', (s) => s.end(), 'unreachable', 'closed the connection before it said anything'],
    ['resets at once', (s) => s.resetAndDestroy(), 'unreachable', 'closed the connection before it said anything'],
    [
      'is full',
      (s) => s.end('Exceeded MaxStartups\r\n'),
      'busy',
      'turned the connection away: "Exceeded MaxStartups\\r\\n"',
    ],
    ['stops after the banner', (s) => s.write(BANNER), 'timeout', 'did not finish the SSH key exchange in time'],
    ['hangs up after the banner', (s) => s.end(BANNER), 'unreachable', 'broke off the SSH key exchange'],
    [
      'talks garbage after the banner',
      (s) => s.write(`${BANNER}${'\xff'.repeat(4000)}`, 'latin1'),
      'unreachable',
      'broke off the SSH key exchange',
    ],
  ];

  it.each(cases)('%s', async (_name, act, kind, words) => {
    const server = await actor(act);
    const failure = await refusal(hostAt(sshd, { port: server.port }), { ...known, connectTimeoutMs: DEADLINE });
    expect(failure).toMatchObject({ kind, message: expect.stringContaining(words) });
    expect(failure.message).toContain(`pve1 (127.0.0.1:${server.port})`);
    expect(failure.ms).toBeLessThan(DEADLINE);
    slowest(3, `by a deadline of ${DEADLINE / 1_000} s, what is no SSH server is told in`, failure.ms);
    await server.over;
    server.stop();
  });

  it('is a web server: told at once', async () => {
    const server = await listening(createHttpServer());
    const failure = await refusal(hostAt(sshd, { port: portOf(server) }), known);
    expect(failure.kind).toBe('misconfigured');
    expect(failure.message).toContain('answered, but not with SSH: "HTTP/1.1 400 Bad Request\\r\\n');
    expect(failure.ms).toBeLessThan(DEADLINE);
    server.close();
  });

  it('is a web server that stays on the line: told at once too', async () => {
    const server = await actor((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const failure = await refusal(hostAt(sshd, { port: server.port }), known);
    expect(failure).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('not with SSH: "HTTP/1.1'),
    });
    expect(failure.ms).toBeLessThan(DEADLINE);
    server.stop();
  });

  it('takes the default deadline when none is set', async () => {
    const server = await actor(() => {});
    const failure = await refusal(hostAt(sshd, { port: server.port }), known);
    expect(failure.ms).toBeGreaterThan(5_000);
    expect(failure.ms).toBeLessThan(15_000);
    server.stop();
  });

  it('does not answer the login', async () => {
    const hostKey = readFileSync(sshd.hostKeyPath);
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      client.on('authentication', () => {});
      client.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const failure = await refusal(hostAt(sshd, { port: portOf(server) }), { ...known, connectTimeoutMs: DEADLINE });
    expect(failure).toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('did not finish the SSH login in time'),
    });
    expect(failure.ms).toBeLessThan(2 * DEADLINE);
    server.close();
  });
});

describe.concurrent('guarantee 3: a peer that falls silent is noticed', () => {
  it('when its sshd is frozen, within 20 s by default', { timeout: 40_000 }, async () => {
    const frozen = toFreeze[0] as Sshd;
    const connection = await connect(hostAt(frozen), knowing(frozen));
    frozen.killSessions('SIGSTOP');
    const noticed = await lost(connection);
    expect(noticed).toBeLessThan(20_000);
    slowest(3, 'a frozen peer is noticed in', noticed);
    expect(connection.lost.reason).toMatchObject({
      kind: 'unreachable',
      message: 'The SSH connection to pve1 was lost: nothing has come from it for 15 s.',
    });
  });

  it('in mid-command, within 20 s by default: told as unknown; what waited runs once, on a new connection', {
    timeout: 40_000,
  }, async () => {
    const frozen = toFreeze[1] as Sshd;
    const ssh = sshTo(frozen);
    const host = login(frozen, 'psm-bash');
    const file = join(frozen.folder, 'ran');
    runAsRoot(['install', '-m', '666', '/dev/null', file]);
    const sessions: Promise<unknown>[] = [];
    const session = () =>
      new Promise<void>((begun) => {
        const command = { script: 'echo begun; sleep 60', timeoutMs: 60_000 };
        sessions.push(ssh.run(host, command, { onOutput: () => begun() }).catch((error) => error));
      });
    await Promise.all(Array.from({ length: 7 }, session));
    const waiting = [1, 2, 3].map((i) => ssh.run(host, { script: `echo ${i} >>${file}`, timeoutMs: 60_000 }));
    const start = performance.now();
    frozen.killSessions('SIGSTOP');
    for (const error of await Promise.all(sessions)) {
      expect(error).toMatchObject({
        kind: 'outcome-unknown',
        facts: { remote_process: 'unknown', stdout: { text: 'begun\n' } },
      });
    }
    expect(performance.now() - start).toBeLessThan(20_000);
    await Promise.all(waiting);
    expect(performance.now() - start).toBeLessThan(25_000);
    expect(readFileSync(file, 'utf8').split('\n').toSorted()).toEqual(['', '1', '2', '3']);
    await ssh.close();
  });

  it('before it said a word: a frozen listener, whose kernel takes connections, is told by the deadline', async () => {
    const frozen = toFreeze[2] as Sshd;
    runAsRoot(['kill', '-STOP', String(frozen.pid)]);
    const failure = await refusal(hostAt(frozen), { ...knowing(frozen), connectTimeoutMs: DEADLINE });
    expect(failure).toMatchObject({ kind: 'timeout', message: expect.stringContaining('said nothing') });
    expect(failure.ms).toBeLessThan(DEADLINE);
  });

  it('at a hop, within 20 s by default, while the target is well', { timeout: 40_000 }, async () => {
    const frozen = toFreeze[3] as Sshd;
    const via = [hostAt(sshd, { name: 'bastion', port: frozen.port })];
    const connection = await connect(hostAt(sshd, { via }), knowing(frozen, sshd));
    frozen.killSessions('SIGSTOP');
    const noticed = await lost(connection);
    expect(noticed).toBeLessThan(20_000);
    slowest(3, 'a frozen peer is noticed in', noticed);
  });

  it('when the network swallows everything, directly and through a hop', async () => {
    const proxies: FaultProxy[] = [await startProxy(sshd), await startProxy(hop)];
    const [direct, toHop] = proxies.map(({ port }) => port);
    const quick = { ...known, keepaliveMs: 100 };
    const connections = await Promise.all([
      connect(hostAt(sshd, { port: direct }), quick),
      connect(hostAt(sshd, { via: [hostAt(sshd, { name: 'bastion', port: toHop })] }), quick),
    ]);
    const noticed = Promise.all(connections.map(lost));
    for (const proxy of proxies) proxy.stall();
    for (const ms of await noticed) expect(ms).toBeLessThan(2_000);
    for (const proxy of proxies) await proxy.stop();
  });

  it('and one that is heard of is not, though its answers wait behind a second of data', async () => {
    const proxy = await startProxy(sshd);
    const connection = await connect(hostAt(sshd, { port: proxy.port }), { ...known, keepaliveMs: 100 });
    proxy.throttle(400_000);
    const bytes = await new Promise<number>((resolve) => {
      let count = 0;
      connection.client.exec('head -c 800000 /dev/zero', (_error, channel) => {
        channel.on('data', (piece: Buffer) => {
          count += piece.length;
        });
        channel.on('close', () => resolve(count));
      });
    });
    expect(bytes).toBe(800_000);
    expect(connection.lost.aborted).toBe(false);
    await connection.close();
    await proxy.stop();
  });

  it('and one that answers slowly is not', async () => {
    const proxy = await startProxy(sshd);
    const connection = await connect(hostAt(sshd, { port: proxy.port }), { ...known, keepaliveMs: 300 });
    proxy.latency(250);
    const first = await Promise.race([lost(connection), new Promise((resolve) => setTimeout(resolve, 3_000, 'alive'))]);
    expect(first).toBe('alive');
    await connection.close();
    await proxy.stop();
  });
});
