import { X509Certificate } from 'node:crypto';
import { get } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countFailures } from '../../src/mcp/http/limits.ts';
import { placeOf } from '../../src/mcp/http/place.ts';
import { identity } from '../rig/tls.ts';
import { ask, openRig, ping, type Rig, type RigOptions, TOKEN } from './http-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.stop());

/** A rig of its own for one test. */
async function withRig<T>(options: RigOptions, act: (own: Rig) => Promise<T>): Promise<T> {
  const own = await openRig(options);
  try {
    return await act(own);
  } finally {
    await own.stop();
  }
}

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
});

describe('who is let in', () => {
  it('the right token, under every name of this machine', async () => {
    for (const host of [`127.0.0.1:${rig.port}`, 'localhost', `localhost:${rig.port}`, '[::1]:9', 'LOCALHOST']) {
      expect((await ask(rig, { headers: { host }, body: initialize })).status, host).toBe(200);
    }
    const origin = 'http://localhost:5173';
    expect((await ask(rig, { headers: { origin }, body: initialize })).status).toBe(200);
    expect((await ask(rig, { headers: { authorization: `bearer  ${TOKEN}` }, body: initialize })).status).toBe(200);
  });

  it.each([
    'evil.com',
    'evil.com:80',
    '127.0.0.1.evil.com',
    'localhost.evil.com',
    '10.0.0.1',
    '[::2]',
    ' ',
    'a b',
    '@',
  ])('nobody by the host name "%s"', async (host) => {
    const { status, body } = await ask(rig, { headers: { host } });
    expect([400, 403]).toContain(status);
    expect(body).not.toContain('"result"');
  });

  it.each([
    'null',
    'http://evil.com',
    'https://127.0.0.1.evil.com',
    'file://',
    'chrome-extension://abc',
    'localhost',
    '*',
  ])('no page of the origin %s', async (origin) => {
    expect((await ask(rig, { headers: { origin }, body: initialize })).status).toBe(403);
    expect((await ask(rig, { method: 'GET', path: '/health', headers: { origin } })).status).toBe(403);
    expect(JSON.stringify(await ask(rig, { method: 'OPTIONS', headers: { origin } }))).not.toMatch(/access-control/i);
  });

  it('nobody without a token or with another one, and says where the right one is', async () => {
    const wrong = ['', 'Bearer', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, `Bearer ${TOKEN} x`];
    for (const authorization of wrong) {
      const { status, headers, body } = await ask(rig, { headers: { authorization } });
      expect(status, authorization).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(JSON.parse(body).error.message).toContain('in which file');
    }
    expect((await ask(rig, { path: `/mcp?token=${TOKEN}`, headers: { authorization: '' } })).status).toBe(401);
    expect(rig.told.filter((line) => line.includes('127.0.0.1'))).toHaveLength(1);
    expect(rig.told.join()).not.toContain(TOKEN);
  });
});

describe('what there is', () => {
  it('GET /health for everybody: status and version, nothing else', async () => {
    const { status, body } = await ask(rig, { method: 'GET', path: '/health', headers: { authorization: '' } });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ status: 'ok', version: '1.2.3' });
    expect((await ask(rig, { method: 'HEAD', path: '/health' })).body).toBe('');
  });

  it('nothing at another path, and no other method', async () => {
    for (const path of ['/', '/mcp/', '/MCP', '/mcp/../mcp', '/sse', 'http://evil.com/mcp', '/health/x', '*'])
      expect((await ask(rig, { path })).status, path).toBe(404);
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'HEAD', 'BREW']) {
      const { status, headers } = await ask(rig, { method });
      expect([400, 405], method).toContain(status);
      if (status === 405) expect(headers.allow).toBe('GET, POST, DELETE');
    }
    expect((await ask(rig, { path: '/health' })).status).toBe(405);
  });

  it('nothing by another way: each is refused, and the connection closed', async () =>
    withRig({}, async (own) => {
      const token = `Authorization: Bearer ${TOKEN}\r\n`;
      const local = 'Host: localhost\r\n';
      const health = `GET /health HTTP/1.1\r\n${local}\r\n`;
      const ways: readonly (readonly [status: string, request: string])[] = [
        ['401', `GET /mcp HTTP/1.1\r\n${local}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
        ['401', `GET /mcp HTTP/1.1\r\n${local}Authorization: Bearer x\r\n${token}\r\n`],
        ['401', `GET /mcp HTTP/1.1\r\n${local}\r\n${health}`],
        ['401', `POST /mcp HTTP/1.1\r\n${local}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`],
        [
          '400',
          `POST /mcp HTTP/1.1\r\n${local}${token}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        ],
        ['400', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
        ['400', 'GET /health HTTP/1.1\r\n\r\n'],
        ['403', 'GET /health HTTP/1.0\r\n\r\n'],
        ['403', `GET /health HTTP/1.1\r\nHost: evil.com\r\n${local}\r\n`],
        ['403', `GET /health HTTP/1.1\r\n${local}Origin: http://localhost\r\nOrigin: http://evil.com\r\n\r\n`],
        ['404', `GET http://localhost/health HTTP/1.1\r\n${local}\r\n`],
        ['', `CONNECT 169.254.169.254:80 HTTP/1.1\r\n${local}\r\n`],
      ];
      for (const [status, bytes] of ways) {
        const reply = await own.raw(bytes);
        expect(/^HTTP\/1\.1 (?:100 Continue\r\n\r\nHTTP\/1\.1 )?(\d+)/.exec(reply)?.[1] ?? '', bytes).toBe(status);
        expect(reply, bytes).not.toContain('"status":"ok"');
      }
    }));

  it('no session that was not begun, and no call before it is', async () => {
    const foreign = { 'mcp-session-id': '6d0d2a62-9f54-4f2b-8f0a-0f5a5ff6a001' };
    expect((await ask(rig, { headers: foreign })).status).toBe(404);
    expect((await ask(rig, { method: 'GET', headers: foreign })).status).toBe(404);
    for (const method of ['POST', 'GET', 'DELETE']) expect((await ask(rig, { method })).status).toBe(400);
  });

  it('an answer to garbage', async () => {
    for (const body of ['', '{', 'null', '[]', '5', '{"jsonrpc":"1.0"}', '\u0000', '[{"jsonrpc":"2.0","id":1}]']) {
      const { status } = await ask(rig, { body });
      expect(status, body).toBeGreaterThanOrEqual(400);
      expect(status, body).toBeLessThan(500);
    }
    expect((await ask(rig, { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });

  it('when the server is ending: no new connection, and 503 on one where a request is under way', async () =>
    withRig({}, async (own) => {
      const request = 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n';
      const reply = await own.raw(request + request.slice(0, 20), () => {
        own.end();
        return request.slice(20);
      });
      expect(reply).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 503 /s);
      await expect(ask(own)).rejects.toThrow('ECONNREFUSED');
    }));
});

describe('how much', () => {
  it('wrong tokens are answered shortly after a while; the right one is let in all the same', async () =>
    withRig({ limits: { failures: 3 } }, async (own) => {
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++) statuses.push((await ask(own, { headers: { authorization: 'Bearer x' } })).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429, 429]);
      expect((await ask(own, { headers: { authorization: '' } })).headers['retry-after']).toBe('60');
      expect((await ask(own, { body: initialize })).status).toBe(200);
    }));

  it('wrong tokens from many addresses are told of a few times', async () =>
    withRig({}, async (own) => {
      const answers = Array.from({ length: 30 }, (_, i) =>
        own.raw('GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n', undefined, `127.0.9.${i + 1}`),
      );
      for (const answer of await Promise.all(answers)) expect(answer).toContain('HTTP/1.1 401');
      expect(own.told).toHaveLength(10);
    }));

  it('they are forgotten in time, and no more than 1000 addresses are remembered', () => {
    const count = countFailures(60_000);
    for (let i = 0; i < 1000; i++) count(`10.0.0.${i}`);
    expect(count('10.0.0.0')).toBe(2);
    count('a new one');
    expect(count('10.0.0.999')).toBe(2);
    expect(count('10.0.0.0')).toBe(1);
    const brief = countFailures(0);
    expect([brief('a'), brief('a')]).toEqual([1, 1]);
  });

  it('requests with the token: a burst, then so many in a second', async () =>
    withRig({ limits: { burst: 5, perSecond: 0.001 } }, async (own) => {
      const all = await Promise.all(Array.from({ length: 12 }, () => ask(own, { body: initialize })));
      const passed = all.filter(({ status }) => status === 200);
      const held = all.filter(({ status }) => status === 429);
      expect([passed.length, held.length]).toEqual([5, 7]);
      expect(held[0]?.headers['retry-after']).toBe('1');
    }));

  it('a body that is too large: 413, whether its length is told or not; without a token it is not even read', async () =>
    withRig({ limits: { bodyBytes: 1000 } }, async (own) => {
      const body = JSON.stringify({ ...JSON.parse(ping), params: { text: 'x'.repeat(2000) } });
      expect((await ask(own, { body })).status).toBe(413);
      const told = { 'content-length': '99999999999' };
      expect((await ask(own, { headers: told, body: '{' })).status).toBe(413);
      const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const headers = { 'content-length': '', 'transfer-encoding': 'chunked' };
      expect((await ask(own, { headers, body: chunked })).status).toBe(413);
      expect((await ask(own, { headers: { ...told, authorization: '' }, body: '{' })).status).toBe(401);
    }));

  it('half a request, nothing at all, or a body that does not come: closed in time', async () =>
    withRig({ limits: { headersMs: 300, requestMs: 600 } }, async (own) => {
      const head = `POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\n`;
      const began = performance.now();
      const replies = await Promise.all([
        own.raw(''),
        own.raw('POST /mc'),
        own.raw(head),
        own.raw(`${head}content-type: application/json\r\ncontent-length: 50\r\n\r\n{"jsonrpc"`),
      ]);
      expect(performance.now() - began).toBeLessThan(5000);
      for (const reply of replies) expect(reply).toMatch(/^$|^HTTP\/1\.1 408 /);
    }));

  it('headers without end: 431', async () => {
    const reply = await rig.raw(`GET /mcp HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(reply).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('more connections than there may be: closed at once, and room again when one has gone', async () =>
    withRig({ limits: { connections: 2, headersMs: 1000 } }, async (own) => {
      const held = [own.raw('GET'), own.raw('GET')];
      await expect.poll(() => own.raw('GET /health HTTP/1.0\r\n\r\n').catch(() => '')).toBe('');
      await Promise.all(held);
      expect((await ask(own, { method: 'GET', path: '/health' })).status).toBe(200);
    }));

  it('sessions: the one that was not used for longest makes room', async () => {
    const begin = async () => String((await ask(rig, { body: initialize })).headers['mcp-session-id']);
    const use = async (id: string) => (await ask(rig, { headers: { 'mcp-session-id': id } })).status;
    const [first, second] = [await begin(), await begin()];
    for (let i = 0; i < 62; i++) await begin();
    expect(await use(first)).toBe(200);
    await begin();
    expect([await use(first), await use(second)]).toEqual([200, 404]);
    await ask(rig, { method: 'DELETE', headers: { 'mcp-session-id': first } });
    expect(await use(first)).toBe(404);
  });
});

describe('TLS', () => {
  it('lets in under the names of its certificate and those of this machine, and no other', async () => {
    const own = await identity({ address: '198.51.100.7' });
    const { isOurs } = placeOf('127.0.0.1:0', { tls: own, understood: false });
    expect(['198.51.100.7', 'localhost', '[::1]'].every(isOurs)).toBe(true);
    expect(['198.51.100.8', 'evil.com', '', '[2001:db8::1]'].some(isOurs)).toBe(false);
  });

  it('speaks it', async () => {
    const { key, cert } = await identity();
    await withRig({ tls: { key, cert } }, async (own) => {
      expect(own.url).toMatch(/^https:/);
      const status = await new Promise((resolve, reject) => {
        const request = get(own.url.replace('/mcp', '/health'), { ca: cert, agent: false }, (res) => {
          expect(new X509Certificate(cert).subject).toContain('rig.test');
          res.resume();
          resolve(res.statusCode);
        });
        request.on('error', reject);
      });
      expect(status).toBe(200);
    });
  });

  it('is needed beyond this machine, and the word of the operator too', async () => {
    const tls = await identity();
    expect(placeOf('0.0.0.0:0', { tls, understood: true })).toMatchObject({ host: '0.0.0.0' });
    for (const host of ['0.0.0.0', '192.0.2.1', '[::]', '[2001:db8::1]', '[::ffff:192.0.2.1]', '126.255.255.255']) {
      expect(() => placeOf(`${host}:1`, { tls, understood: false }), host).toThrow('from other machines');
      expect(() => placeOf(`${host}:1`, { understood: true }), host).toThrow('from other machines');
    }
    for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', 'localhost'])
      expect(placeOf(`${host}:1`, { understood: false }).port, host).toBe(1);
  });
});
