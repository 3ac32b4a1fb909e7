import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createPve } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import { Secret } from '../../src/secret.ts';
import { answer, type Behaviour, json, route } from '../rig/tls.ts';
import { anything, failureOf, readVersion, rigged, secret, version } from './rigged.ts';

const config = path`/nodes/${'pve1'}/lxc/${400}/config`;

describe('a request', () => {
  it('GET and DELETE carry their parameters in the query and have no body', async () => {
    const { rig, pve } = await rigged();
    await pve.get(path`/cluster/resources`, anything, { type: 'vm' });
    await pve.delete(path`/nodes/${'pve1'}/lxc/${101}`, { purge: true, force: false, skip: undefined });
    expect(rig.requests.map(({ method, target, body }) => `${method} ${target} ${body}`)).toEqual([
      'GET /api2/json/cluster/resources?type=vm ',
      'DELETE /api2/json/nodes/pve1/lxc/101?purge=1&force=0 ',
    ]);
    for (const { headers } of rig.requests) {
      expect(headers['content-length']).toBeUndefined();
      expect(headers['transfer-encoding']).toBeUndefined();
    }
  });

  it('POST and PUT carry a form of known length', async () => {
    const { rig, pve } = await rigged();
    await pve.put(config, { net1: 'name=eth1,bridge=vmbr0', description: 'grün 🎉' });
    await pve.post(path`/nodes/${'pve1'}/lxc/${400}/status/start`);
    const [put, post] = rig.requests;
    expect(put?.body).toBe('net1=name%3Deth1%2Cbridge%3Dvmbr0&description=gr%C3%BCn%20%F0%9F%8E%89');
    expect(put?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(put?.body.length),
      authorization: `PVEAPIToken=root@pam!mcp=${secret}`,
    });
    expect(put?.headers['transfer-encoding']).toBeUndefined();
    expect(post?.headers['content-length']).toBe('0');
  });
});

describe('an answer', () => {
  it('gives data: a UPID, null, or what the shape reads', async () => {
    const answers: unknown[] = ['UPID:x', null, { memory: '512', unknown: [1] }];
    const { pve } = await rigged(route(() => json({ data: answers.shift() })));
    expect(await pve.post(config)).toBe('UPID:x');
    expect(await pve.put(config)).toBeNull();
    expect(await pve.get(config, z.object({ memory: z.coerce.number() }))).toEqual({ memory: 512 });
  });

  it('of another shape names path and field', async () => {
    const { pve } = await rigged(json({ data: [{ vmid: 100 }, { vmid: 'x' }] }));
    const failure = await failureOf(pve.get(config, z.array(z.object({ vmid: z.number() }))));
    expect(failure.kind).toBe('remote-error');
    expect(failure.message).toContain('GET /nodes/pve1/lxc/400/config');
    expect(failure.message).toContain('data.1.vmid: Invalid input: expected number, received string');
    expect(failure.facts.field).toBe('data.1.vmid');
  });

  it('may come in pieces that split a character', async () => {
    const bytes = Buffer.from(JSON.stringify({ data: 'grün 🎉' }));
    const { pve } = await rigged((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
      for (const byte of bytes) socket.write(Buffer.from([byte]));
    });
    expect(await readVersion(pve)).toBe('grün 🎉');
  });

  it('may be compressed though nobody asked for it', async () => {
    const body = gzipSync(JSON.stringify({ data: ['line'] }));
    const { pve } = await rigged(answer(200, 'OK', body, 'Content-Encoding: gzip\r\n'));
    expect(await readVersion(pve)).toEqual(['line']);
  });

  it.each([
    ['33 MiB once unpacked', gzipSync(Buffer.alloc(33 * 1024 * 1024)), 'bigger than 32 MiB'],
    ['not compressed at all', Buffer.from('{"data":1}'), 'cannot be decompressed'],
  ])('that claims to be compressed and is %s is refused', async (_, body, says) => {
    const { pve } = await rigged(answer(200, 'OK', body, 'Content-Encoding: gzip\r\n'));
    const failure = await failureOf(readVersion(pve));
    expect(failure.kind).toBe('remote-error');
    expect(failure.message).toContain(says);
  });

  it('of 16 MiB is read', async () => {
    const { pve } = await rigged(json({ data: 'x'.repeat(16 * 1024 * 1024) }));
    expect(await readVersion(pve)).toHaveLength(16 * 1024 * 1024);
  });
});

describe('connections', () => {
  it('are kept: calls one after another use one', async () => {
    const { rig, pve } = await rigged();
    for (let i = 0; i < 20; i += 1) await readVersion(pve);
    expect(rig.connections).toBe(1);
  });

  it('are 4 at most, however many calls there are', async () => {
    let most = 0;
    const slow: Behaviour = (socket, request, raw) => {
      most = Math.max(most, rig.open.size);
      setTimeout(() => json({ data: null })(socket, request, raw), 10);
    };
    const { rig, pve } = await rigged(slow);
    await Promise.all(Array.from({ length: 40 }, () => readVersion(pve)));
    expect(rig.requests).toHaveLength(40);
    expect(most).toBe(4);
    expect(rig.connections).toBe(4);
  });

  it('are closed by us before the server would after 5 s', async () => {
    const { rig, pve } = await rigged();
    await readVersion(pve);
    const began = performance.now();
    await Promise.all([...rig.open].map((socket) => once(socket, 'close')));
    expect(performance.now() - began).toBeLessThan(4_500);
    expect(performance.now() - began).toBeGreaterThan(1_000);
  });

  it('that the server closes after 100 requests are replaced', async () => {
    const { rig, pve } = await rigged(
      route(() =>
        rig.requests.length % 10 === 0
          ? (socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{"data":null}')
          : json({ data: null }),
      ),
    );
    for (let i = 0; i < 50; i += 1) await readVersion(pve);
    expect(rig.requests).toHaveLength(50);
    expect(rig.connections).toBeGreaterThanOrEqual(5);
    expect(rig.connections).toBeLessThanOrEqual(8);
  });

  it("survive the two Connection headers of PVE's protected methods", async () => {
    const { pve } = await rigged(answer(200, 'OK', '{"data":1}', 'Connection: close\r\n'));
    for (let i = 0; i < 10; i += 1) expect(await readVersion(pve)).toBe(1);
  });

  it('are gone after close()', async () => {
    const { rig, pve } = await rigged();
    await Promise.all([readVersion(pve), readVersion(pve)]);
    await pve.close();
    await vi.waitUntil(() => rig.open.size === 0);
  });

  it('being made are given up by close()', async () => {
    const { rig, pve } = await rigged();
    rig.accept = 'silence';
    const call = failureOf(readVersion(pve));
    await vi.waitUntil(() => rig.open.size > 0);
    await pve.close();
    await vi.waitUntil(() => rig.open.size === 0);
    expect((await call).kind).toBe('unreachable');
  });
});

describe('what cannot work is told before anything connects', () => {
  it.each([
    ['a host with a scheme', { host: 'https://pve1' }, 'PROXMOX_HOST'],
    ['a host with its port', { host: 'pve1:8006' }, 'PROXMOX_HOST'],
    ['a CA that is none', { ca: 'ca.pem' }, 'PROXMOX_CA_FILE'],
    ['a secret with a line end', { token: { id: 'a@b!c', secret: new Secret(`${secret}\n`) } }, 'PROXMOX_TOKEN_VALUE'],
    ['an empty secret', { token: { id: '', secret: new Secret('') } }, 'PROXMOX_TOKEN_VALUE'],
  ])('%s', async (_, options, setting) => {
    const pve = createPve({ host: 'pve1', port: 8006, ...options });
    const failure = await failureOf(pve.get(version, anything));
    expect(failure.kind).toBe('misconfigured');
    expect(failure.hint).toContain(setting);
    expect(`${failure.message} ${failure.hint}`).not.toContain(secret);
    await pve.close();
  });
});

it('an IPv6 address is written in brackets', () => {
  expect(createPve({ host: '2001:db8::1', port: 8006 }).endpoint).toBe('[2001:db8::1]:8006');
});
