import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../src/demo/api/index.ts';
import { createWorld, type World } from '../../src/demo/world.ts';
import { ask, authorization } from './fidelity/wire.ts';

let clock: number;
let world: World;
let api: Api;

beforeEach(async () => {
  clock = Date.UTC(2026, 10, 20, 3, 0, 0);
  world = createWorld({ now: () => clock });
  api = await startApi(world);
});
afterEach(() => api.stop());

const get = (path: string) => ask(api, { path: `/api2/json${path}`, headers: authorization(api.token) });

/** Sends one request on an open connection and reads as much as the answer's Content-Length says. */
async function exchange(socket: TLSSocket, path: string): Promise<string> {
  const { Authorization } = authorization(api.token);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: pve1\r\nAuthorization: ${Authorization}\r\n\r\n`);
  let text = '';
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString('utf8');
    const [head = '', body] = text.split('\r\n\r\n');
    const length = /^Content-Length: (\d+)/m.exec(head)?.[1];
    if (body !== undefined && Buffer.byteLength(body) >= Number(length)) return text;
  }
}

describe('the connection', () => {
  it('shows the fingerprint of the certificate that it serves with', async () => {
    const nodes: { ssl_fingerprint: string }[] = JSON.parse((await get('/nodes')).text).data;
    const other = expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(nodes.map(({ ssl_fingerprint }) => ssl_fingerprint)).toEqual([api.fingerprint, other]);
    const stranger = await startApi(world);
    const answer = ask({ ...api, certificatePem: stranger.certificatePem }, { path: '/api2/json/version' });
    await expect(answer).rejects.toThrow(/certificate/);
    await stranger.stop();
  });

  it('gives 100 answers, says close with the last, and closes', async () => {
    const socket = connect({ host: api.host, port: api.port, ca: api.certificatePem });
    await once(socket, 'secureConnect');
    const answers: string[] = [];
    for (let i = 0; i < 100; i += 1) answers.push(await exchange(socket, '/api2/json/version'));
    const closing = answers.map((text) => /^Connection: close\r$/m.test(text));
    expect(closing.indexOf(true)).toBe(99);
    if (!socket.readableEnded) await once(socket, 'end');
  });

  it('stays open after an answer that says both close and Keep-Alive, and an error closes it', async () => {
    const socket = connect({ host: api.host, port: api.port, ca: api.certificatePem });
    await once(socket, 'secureConnect');
    const both = /^HTTP\/1.1 200 OK\r\n.*\r\nConnection: close\r\nConnection: Keep-Alive\r\n/s;
    expect(await exchange(socket, '/api2/json/cluster/status')).toMatch(both);
    expect(await exchange(socket, '/api2/json/version')).toMatch(/^Connection: Keep-Alive\r$/m);
    const ended = once(socket, 'end');
    expect(await exchange(socket, '/api2/json/nosuch')).toMatch(
      /^HTTP\/1.1 501 Method 'GET \/nosuch' not implemented\r$/m,
    );
    await ended;
    socket.destroy();
  });

  it('gzips the journal whatever the client accepts', async () => {
    world.changeUnit(world.nodes[0] ?? { services: [], journal: [] }, 'webzfs', 'restart');
    const { bytes, headers } = await get('/nodes/pve1/journal?unit=webzfs&lastentries=2');
    expect(headers).toContainEqual(['content-encoding', 'gzip']);
    const lines: string[] = JSON.parse(gunzipSync(bytes).toString('utf8')).data;
    expect(lines.slice(1, -1)).toEqual([
      'Nov 20 03:00:00 pve1 systemd[1]: Started webzfs.service - WebZFS - web interface for ZFS.',
      'Nov 20 03:00:00 pve1 webzfs[3314]: webzfs: ready',
    ]);
  });

  it('takes its time for a 401', async () => {
    const slow = await startApi(world, { delays: { authentication: 300 } });
    const before = performance.now();
    const { status, text } = await ask(slow, { path: '/api2/json/version' });
    expect([status, text]).toEqual([401, '']);
    expect(performance.now() - before).toBeGreaterThanOrEqual(295);
    await slow.stop();
  });

  it('refuses an expired token, and one from the second it expires', async () => {
    const expired = world.access.tokens.find(({ tokenid }) => tokenid === 'expired');
    if (expired === undefined) throw new Error('no expired token');
    const answer = await ask(api, { path: '/api2/json/version', headers: authorization(expired) });
    expect([answer.status, answer.reason]).toEqual([401, 'Authentication failed!']);
    expired.expire = clock / 1000 + 5;
    expect((await ask(api, { path: '/api2/json/version', headers: authorization(expired) })).status).toBe(200);
    clock += 5000;
    expect((await ask(api, { path: '/api2/json/version', headers: authorization(expired) })).status).toBe(401);
  });

  it('writes down what reached it', async () => {
    const body = 'memory=2048&onboot=1';
    const headers = { ...authorization(api.token), 'Content-Type': 'application/x-www-form-urlencoded' };
    await ask(api, { method: 'PUT', path: '/api2/json/nodes/pve1/lxc/400/config', headers, body });
    await ask(api, { path: '/api2/json/version' });
    expect(world.requests).toEqual([
      {
        method: 'PUT',
        path: '/nodes/pve1/lxc/400/config',
        params: { memory: '2048', onboot: '1' },
        who: 'root@pam!mcp',
      },
      { method: 'GET', path: '/version', params: {} },
    ]);
  });
});
