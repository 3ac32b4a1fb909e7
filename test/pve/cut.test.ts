import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { answer, json, TlsRig } from '../rig/tls.ts';
import { anyIdentity, anything, fingerprintOf, token } from './rigged.ts';

const start = path`/nodes/${'pve1'}/lxc/${400}/status/start`;
const calls = {
  GET: (pve: Pve) => pve.get(start, anything),
  POST: (pve: Pve) => pve.post(start, { timeout: 5 }),
  PUT: (pve: Pve) => pve.put(start, { timeout: 5 }),
  DELETE: (pve: Pve) => pve.delete(start, { timeout: 5 }),
} as const;
type Method = keyof typeof calls;
const methods = Object.keys(calls) as Method[];

/** Long enough for an answer to come in several pieces. */
const ANSWER = 'fine'.repeat(500);

let rig: TlsRig;
beforeAll(async () => {
  rig = await TlsRig.start(await anyIdentity());
});
afterAll(() => rig.stop());

/** One call by way of a proxy, how it ended, and the requests of that kind that came whole. */
async function through(method: Method, spoil: (proxy: FaultProxy) => void, timeoutMs = 5_000) {
  const proxy = await startProxy({ host: '127.0.0.1', port: rig.port });
  const fingerprint = fingerprintOf(await anyIdentity());
  const pve = createPve({ host: proxy.host, port: proxy.port, fingerprint, token, timeoutMs });
  rig.behave = json({ data: ANSWER });
  rig.requests.length = 0;
  spoil(proxy);
  const began = performance.now();
  const end = await calls[method](pve).catch((error: unknown) => error);
  const ms = performance.now() - began;
  proxy.flow();
  const again = await pve.get(path`/version`, anything).catch((error: unknown) => error);
  await pve.close();
  await proxy.stop();
  expect(again, 'the next call').toBe(ANSWER);
  const came = rig.requests.filter(({ target }) => target.includes('/start'));
  return { end, ms, came };
}

describe('guarantees 13 and 14: a network', () => {
  it('that cuts a connection after any number of bytes, either way: at most one write, a read comes through', async () => {
    const ends = new Map<string, number>();
    const bytes = fc.integer({ min: 0, max: 4_500 });
    const property = fc.asyncProperty(
      fc.constantFrom(...methods),
      fc.constantFrom('up', 'down'),
      bytes,
      async (method, way, n) => {
        const { end, came, ms } = await through(method, (proxy) => proxy.resetAfter(n, way));
        const told = end instanceof Failure ? end.kind : end === ANSWER ? 'answered' : `not a Failure: ${end}`;
        ends.set(`${method} ${told}`, (ends.get(`${method} ${told}`) ?? 0) + 1);
        expect(ms).toBeLessThan(2_000);
        if (method === 'GET') {
          expect(told).toBe('answered');
          expect(came.length).toBeLessThanOrEqual(2);
          return;
        }
        expect(['answered', 'outcome-unknown', 'unreachable']).toContain(told);
        expect(came.length).toBeLessThanOrEqual(told === 'unreachable' ? 0 : 1);
        if (told === 'answered') expect(came).toHaveLength(1);
      },
    );
    await fc.assert(property, { numRuns: 300, endOnFailure: true });
    for (const end of ['GET answered', 'POST answered', 'POST outcome-unknown', 'POST unreachable']) {
      expect([...ends.keys()]).toContain(end);
    }
  });

  it.each(methods)('that passes on one byte at a time: %s is answered exactly', async (method) => {
    const { end, came } = await through(method, (proxy) => proxy.slice(1));
    expect(end).toBe(ANSWER);
    expect(came).toHaveLength(1);
    expect(came[0]?.body).toBe(method === 'POST' || method === 'PUT' ? 'timeout=5' : '');
  });

  it.each(methods)('that says of either side that it has ended, while the other goes on: %s', async (method) => {
    for (const way of ['up', 'down'] as const) {
      const { end, came, ms } = await through(method, (proxy) => {
        rig.behave = (...request) => {
          proxy.halfClose(way);
          rig.behave = json({ data: ANSWER });
          rig.behave(...request);
        };
      });
      expect(ms).toBeLessThan(2_000);
      if (method === 'GET') expect(end).toBe(ANSWER);
      // An answer that is on its way may still come when the server was told that we have ended.
      else if (end !== ANSWER) expect(end).toMatchObject({ kind: 'outcome-unknown' });
      expect(came.length).toBeLessThanOrEqual(method === 'GET' ? 2 : 1);
    }
  });

  it.each(methods)('that stalls in the middle of an answer: %s settles at its deadline', async (method) => {
    const spoil = (proxy: FaultProxy) => {
      rig.behave = (...request) => {
        proxy.stall();
        rig.behave = json({ data: ANSWER });
        answer(200, 'OK', '{}')(...request);
      };
    };
    const { end, came, ms } = await through(method, spoil, 600);
    expect(end).toMatchObject({ kind: method === 'GET' ? 'timeout' : 'outcome-unknown' });
    expect(ms).toBeLessThan(1_400);
    expect(came).toHaveLength(1);
  });
});
