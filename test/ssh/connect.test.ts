import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import type { HostSpec } from '../../src/ssh/client.ts';
import { type Connection, connect } from '../../src/ssh/connect.ts';
import type { ConnectOptions } from '../../src/ssh/layer.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

const DEADLINE = 1_200;

let folder: string;
let sshd: Sshd;
let hop: Sshd;
let strict: Sshd;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'psm-connect-'));
  sshd = await startSshd();
  const clientKey = readFileSync(`${sshd.clientKeyPath}.pub`, 'utf8').trim();
  hop = await startSshd({ authorizedKeys: [clientKey] });
  strict = await startSshd({ authorizedKeys: [clientKey], extraConfig: ['AllowTcpForwarding no'] });
});

afterAll(async () => {
  for (const server of [sshd, hop, strict]) await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const spec = (more: Partial<HostSpec> = {}): HostSpec => ({
  name: 'pve1',
  address: '127.0.0.1',
  port: sshd.port,
  user: 'psm-dash',
  keyPath: sshd.clientKeyPath,
  ...more,
});
const bastion = (server: Sshd) => spec({ name: 'bastion', port: server.port });

/** Any key of 127.0.0.1 on any port is ours here, so that a proxy may stand before a server. */
const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => {
  const file = join(folder, 'known_hosts');
  const keys = [sshd, hop, strict].map(({ hostKeyLine }) => hostKeyLine.split(' ').slice(1).join(' '));
  writeFileSync(file, keys.map((key) => `[127.0.0.1]:* ${key}\n`).join(''));
  return { knownHosts: [file], ownKnownHosts: join(folder, 'own'), ...more };
};

/** The failure of a connect, and how long it took. */
async function refusal(host: HostSpec, more: Partial<ConnectOptions> = {}) {
  const start = performance.now();
  const error = await connect(host, options(more)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error(`no Failure: ${error}`);
  return { kind: error.kind, message: error.message, hint: error.hint, ms: performance.now() - start };
}

const portOf = (server: Pick<Server, 'address'>): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

async function listening<T extends Server>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A server that does `act` with each connection; `over` is done when the client has closed its side. */
async function actor(act: (socket: Socket) => void) {
  let closed = () => {};
  const over = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const server = await listening(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('close', closed);
      socket.resume();
      act(socket);
    }),
  );
  return { port: portOf(server), over, stop: () => server.close() };
}

const lost = (connection: Connection): Promise<number> => {
  const start = performance.now();
  return new Promise((resolve) => {
    connection.lost.addEventListener('abort', () => resolve(performance.now() - start));
  });
};

const BANNER = 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n';

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
    const failure = await refusal(spec({ port: server.port }), { connectTimeoutMs: DEADLINE });
    expect(failure).toMatchObject({ kind, message: expect.stringContaining(words) });
    expect(failure.message).toContain(`pve1 (127.0.0.1:${server.port})`);
    expect(failure.ms).toBeLessThan(DEADLINE);
    await server.over;
    server.stop();
  });

  it('is a web server: told at once', async () => {
    const server = await listening(createHttpServer());
    const failure = await refusal(spec({ port: portOf(server) }));
    expect(failure.kind).toBe('misconfigured');
    expect(failure.message).toContain('answered, but not with SSH: "HTTP/1.1 400 Bad Request\\r\\n');
    expect(failure.ms).toBeLessThan(DEADLINE);
    server.close();
  });

  it('takes the default deadline when none is set', async () => {
    const server = await actor(() => {});
    const failure = await refusal(spec({ port: server.port }));
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
    const failure = await refusal(spec({ port: portOf(server) }), { connectTimeoutMs: DEADLINE });
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
    const frozen = await startSshd();
    const known = join(folder, 'known_frozen');
    writeFileSync(known, `${frozen.hostKeyLine}\n`);
    const host = spec({ port: frozen.port, keyPath: frozen.clientKeyPath });
    const connection = await connect(host, { knownHosts: [known], ownKnownHosts: join(folder, 'own') });
    frozen.killSessions('SIGSTOP');
    expect(await lost(connection)).toBeLessThan(20_000);
    expect(connection.lost.reason).toMatchObject({
      kind: 'unreachable',
      message: 'The SSH connection to pve1 was lost: it answered none of the keepalive messages.',
    });
    await frozen.stop();
  });

  it('when the network swallows everything, directly and through a hop', async () => {
    const proxies: FaultProxy[] = [await startProxy(sshd), await startProxy(hop)];
    const [direct, toHop] = proxies.map(({ port }) => port);
    const quick = options({ keepaliveMs: 100 });
    const connections = await Promise.all([
      connect(spec({ port: direct }), quick),
      connect(spec({ via: [spec({ name: 'bastion', port: toHop })] }), quick),
    ]);
    const noticed = Promise.all(connections.map(lost));
    for (const proxy of proxies) proxy.stall();
    for (const ms of await noticed) expect(ms).toBeLessThan(2_000);
    for (const proxy of proxies) await proxy.stop();
  });

  it('and one that answers slowly is not', async () => {
    const proxy = await startProxy(sshd);
    const connection = await connect(spec({ port: proxy.port }), options({ keepaliveMs: 300 }));
    proxy.latency(250);
    const first = await Promise.race([lost(connection), new Promise((resolve) => setTimeout(resolve, 3_000, 'alive'))]);
    expect(first).toBe('alive');
    await connection.close();
    await proxy.stop();
  });
});

describe('a host that cannot be reached', () => {
  it('because nothing listens', async () => {
    const server = await listening(createServer());
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    const failure = await refusal(spec({ port }));
    expect(failure).toMatchObject({
      kind: 'unreachable',
      message: `pve1 refused the connection to 127.0.0.1:${port}: nothing listens there.`,
    });
    expect(failure.ms).toBeLessThan(1_000);
  });

  it('because its name means nothing', async () => {
    const failure = await refusal(spec({ address: 'no-such-host.invalid' }));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('The address of pve1, no-such-host.invalid, could not be resolved');
  });

  it('because the hop reaches nothing there', async () => {
    const server = await listening(createServer());
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    const failure = await refusal(spec({ port, via: [bastion(hop)] }));
    expect(failure).toMatchObject({
      kind: 'unreachable',
      message: `bastion could not connect to pve1 at 127.0.0.1:${port}: Connection refused.`,
    });
  });

  it('because the hop forwards nothing', async () => {
    const failure = await refusal(spec({ via: [bastion(strict)] }));
    expect(failure).toMatchObject({
      kind: 'permission',
      message: expect.stringContaining('bastion does not allow a connection through it to pve1'),
    });
    expect(failure.hint).toContain('AllowTcpForwarding yes');
  });

  it('because the hop never answers the request', async () => {
    const server = new ssh2.Server({ hostKeys: [readFileSync(hop.hostKeyPath)] }, (client) => {
      client.on('authentication', (login) => login.accept());
      client.on('tcpip', () => {});
      client.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const via = [spec({ name: 'bastion', port: portOf(server) })];
    const failure = await refusal(spec({ via }), { connectTimeoutMs: DEADLINE });
    expect(failure).toMatchObject({ kind: 'timeout', message: expect.stringContaining('bastion did not reach pve1') });
    expect(failure.ms).toBeLessThan(DEADLINE + 200);
    server.close();
  });

  it('because no algorithm is shared', async () => {
    const old = await startSshd({ extraConfig: ['KexAlgorithms diffie-hellman-group14-sha1'] });
    const failure = await refusal(spec({ port: old.port }), { acceptNew: true });
    expect(failure).toMatchObject({ kind: 'misconfigured', message: expect.stringContaining('no SSH algorithm') });
    await old.stop();
  });
});

describe('a connection', () => {
  it('goes through two hops, and is lost when the first one is', async () => {
    const proxy = await startProxy(hop);
    const via = [spec({ name: 'first', port: proxy.port }), bastion(sshd)];
    const connection = await connect(spec({ via }), options());
    expect(connection.hostKey).toBe(sshd.hostKeyFingerprint);
    const noticed = lost(connection);
    proxy.cut();
    expect(await noticed).toBeLessThan(1_000);
    expect(connection.lost.reason.message).toMatch(/^The SSH connection to pve1 was lost/);
    await proxy.stop();
  });

  it('is given up when the caller gives up, at any stage, and leaves no socket behind', async () => {
    const silent = await actor((socket) => socket.write(BANNER));
    for (const act of [(abort: () => void) => abort(), (abort: () => void) => void setTimeout(abort, 100)]) {
      const controller = new AbortController();
      const attempt = refusal(spec({ port: silent.port }), { signal: controller.signal });
      act(() => controller.abort());
      const failure = await attempt;
      expect(failure.kind).toBe('cancelled');
      expect(failure.ms).toBeLessThan(400);
    }
    await silent.over;
    silent.stop();
  });

  it('says goodbye when it is closed, and may be closed twice', async () => {
    const mark = sshd.log().length;
    const connection = await connect(spec(), options());
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect(connection.lost.aborted).toBe(true);
    await vi.waitFor(() => expect(sshd.log().slice(mark)).toContain('Received disconnect'));
  });

  it('hangs up on a peer that does not take the goodbye', async () => {
    const proxy = await startProxy(sshd);
    const connection = await connect(spec({ port: proxy.port }), options());
    proxy.stall();
    const start = performance.now();
    await connection.close();
    expect(performance.now() - start).toBeLessThan(250);
    await proxy.stop();
  });
});
