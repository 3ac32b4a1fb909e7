import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect } from '../../src/ssh/connect.ts';
import type { ConnectOptions } from '../../src/ssh/layer.ts';
import { startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { actor, BANNER, DEADLINE, deadPort, hostAt, knowing, lost, portOf, publicKey, refusal } from './connecting.ts';

let sshd: Sshd;
let hop: Sshd;
let strict: Sshd;
let known: ConnectOptions;

beforeAll(async () => {
  sshd = await startSshd();
  const authorizedKeys = [publicKey(sshd)];
  hop = await startSshd({ authorizedKeys });
  strict = await startSshd({ authorizedKeys, extraConfig: ['AllowTcpForwarding no'] });
  known = knowing(sshd, hop, strict);
});

afterAll(async () => {
  for (const server of [sshd, hop, strict]) await server?.stop();
});

const bastion = (server: Sshd) => hostAt(sshd, { name: 'bastion', port: server.port });

describe('a host that cannot be reached', () => {
  it('because nothing listens', async () => {
    const port = await deadPort();
    const failure = await refusal(hostAt(sshd, { port }), known);
    expect(failure).toMatchObject({
      kind: 'unreachable',
      message: `pve1 refused the connection to 127.0.0.1:${port}: nothing listens there.`,
    });
    expect(failure.ms).toBeLessThan(1_000);
  });

  it('because its name means nothing', async () => {
    const failure = await refusal(hostAt(sshd, { address: 'no-such-host.invalid' }), known);
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('The address of pve1, no-such-host.invalid, could not be resolved');
  });

  it('because the hop reaches nothing there', async () => {
    const port = await deadPort();
    const failure = await refusal(hostAt(sshd, { port, via: [bastion(hop)] }), known);
    expect(failure).toMatchObject({
      kind: 'unreachable',
      message: `bastion could not connect to pve1 at 127.0.0.1:${port}: Connection refused.`,
    });
  });

  it('because the hop forwards nothing', async () => {
    const failure = await refusal(hostAt(sshd, { via: [bastion(strict)] }), known);
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
    const via = [hostAt(sshd, { name: 'bastion', port: portOf(server) })];
    const failure = await refusal(hostAt(sshd, { via }), { ...known, connectTimeoutMs: DEADLINE });
    expect(failure).toMatchObject({ kind: 'timeout', message: expect.stringContaining('bastion did not reach pve1') });
    expect(failure.ms).toBeLessThan(DEADLINE + 200);
    server.close();
  });

  it('because no algorithm is shared', async () => {
    const old = await startSshd({ extraConfig: ['KexAlgorithms diffie-hellman-group14-sha1'] });
    const failure = await refusal(hostAt(sshd, { port: old.port }), { ...known, acceptNew: true });
    expect(failure).toMatchObject({ kind: 'misconfigured', message: expect.stringContaining('no SSH algorithm') });
    await old.stop();
  });
});

describe('a connection', () => {
  it('goes through two hops, and is lost when the first one is', async () => {
    const proxy = await startProxy(hop);
    const via = [hostAt(sshd, { name: 'first', port: proxy.port }), bastion(sshd)];
    const connection = await connect(hostAt(sshd, { via }), known);
    expect(connection.hostKey).toBe(sshd.hostKeyFingerprint);
    const noticed = lost(connection);
    proxy.cut();
    expect(await noticed).toBeLessThan(1_000);
    expect(connection.lost.reason.message).toMatch(/^The SSH connection to pve1 was lost/);
    await proxy.stop();
  });

  it('leaves its hop when the target hangs up', async () => {
    const target = await startSshd();
    const via = [hostAt(target, { name: 'bastion', port: hop.port, keyPath: sshd.clientKeyPath })];
    const connection = await connect(hostAt(target, { via }), knowing(hop, target));
    const noticed = lost(connection);
    expect(hop.sessionPids()).not.toEqual([]);
    target.killSessions();
    await noticed;
    await vi.waitFor(() => expect(hop.sessionPids()).toEqual([]));
    await target.stop();
  });

  it('is given up when the caller gives up, at any stage, and leaves no socket behind', async () => {
    const silent = await actor((socket) => socket.write(BANNER));
    for (const act of [(abort: () => void) => abort(), (abort: () => void) => void setTimeout(abort, 100)]) {
      const controller = new AbortController();
      const attempt = refusal(hostAt(sshd, { port: silent.port }), { ...known, signal: controller.signal });
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
    const connection = await connect(hostAt(sshd), known);
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect(connection.lost.aborted).toBe(true);
    await vi.waitFor(() => expect(sshd.log().slice(mark)).toContain('Received disconnect'));
  });

  it('hangs up on a peer that does not take the goodbye', async () => {
    const proxy = await startProxy(sshd);
    const connection = await connect(hostAt(sshd, { port: proxy.port }), known);
    proxy.stall();
    const start = performance.now();
    await connection.close();
    expect(performance.now() - start).toBeLessThan(250);
    await proxy.stop();
  });
});
