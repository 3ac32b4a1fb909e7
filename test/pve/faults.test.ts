import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FailureKind } from '../../src/failure.ts';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import { most, slowest } from '../figures.ts';
import * as tls from '../rig/tls.ts';
import { anything, failureOf, readVersion, rigged } from './rigged.ts';

/** Short where the server never ends its answer; else long enough for three sends. */
const hangingMs = 1_200;
const enoughMs = 10_000;
const start = path`/nodes/${'pve1'}/lxc/${400}/status/start`;

const calls = {
  GET: (pve: Pve) => pve.get(start, anything),
  POST: (pve: Pve) => pve.post(start, { timeout: 5 }),
  PUT: (pve: Pve) => pve.put(start, { timeout: 5 }),
  DELETE: (pve: Pve) => pve.delete(start, { timeout: 5 }),
} as const;

/** Where nothing can have been sent, a write is told as a read is; else its outcome is unknown. */
interface Fault {
  readonly behave?: tls.Behaviour;
  readonly accept?: tls.TlsRig['accept'];
  readonly read: FailureKind;
  readonly write: FailureKind;
  /** Requests that the server gets for one GET. */
  readonly reads: number;
  readonly writes: number;
  readonly hangs?: true;
}

const said = (status: number, kind: FailureKind): Fault => ({
  behave: tls.refusal(status, 'said by Proxmox VE'),
  read: kind,
  write: kind,
  reads: 1,
  writes: 1,
});
const unanswered = (behave: tls.Behaviour, read: FailureKind, reads: number): Fault => ({
  behave,
  read,
  write: 'outcome-unknown',
  reads,
  writes: 1,
});
const unheard = (accept: tls.TlsRig['accept'], kind: FailureKind): Fault => ({
  accept,
  read: kind,
  write: kind,
  reads: 0,
  writes: 0,
});

const faults: Readonly<Record<string, Fault>> = {
  '401 without a body': { ...said(401, 'authentication'), behave: tls.answer(401, 'Authentication failed!') },
  '403': said(403, 'permission'),
  '404': { ...said(404, 'not-found'), behave: tls.answer(404, 'Not Found', '<html>nginx</html>') },
  '500': said(500, 'remote-error'),
  '501': { ...said(501, 'not-found'), behave: tls.refusal(501, "Method 'GET /nosuch' not implemented") },
  '502 of a proxy': unanswered(tls.answer(502, 'Bad Gateway', '<html>'), 'unreachable', 1),
  '503 of a proxy': unanswered(tls.answer(503, 'Service Unavailable'), 'unreachable', 1),
  '504 of a proxy': unanswered(tls.answer(504, 'Gateway Timeout'), 'timeout', 1),
  '595 Connection refused': unanswered(tls.answer(595, 'Connection refused'), 'unreachable', 3),
  '596 Connection timed out': unanswered(tls.answer(596, 'Connection timed out'), 'timeout', 3),
  '597': unanswered(tls.answer(597, 'Error'), 'unreachable', 3),
  '598': unanswered(tls.answer(598, 'Error'), 'unreachable', 3),
  '599': unanswered(tls.answer(599, 'Error'), 'unreachable', 3),
  'a redirect': { ...said(301, 'remote-error'), behave: tls.answer(301, 'Moved Permanently') },
  'TLS silence': { ...unheard('silence', 'timeout'), hangs: true },
  'a reset instead of TLS': unheard('reset', 'unreachable'),
  'another protocol': unheard('plain', 'unreachable'),
  'TLS records that are none': unheard('records', 'unreachable'),
  'half a close in the TLS handshake': unheard('half', 'unreachable'),
  'no headers': { ...unanswered(tls.silence, 'timeout', 1), hangs: true },
  'a stalled body': { ...unanswered(tls.stall, 'timeout', 1), hangs: true },
  'a dripping body': { ...unanswered(tls.drip, 'timeout', 1), hangs: true },
  'a truncated body': unanswered(tls.truncate, 'unreachable', 3),
  'a body that is not JSON': unanswered(tls.answer(200, 'OK', '<html>log in</html>'), 'remote-error', 1),
  'JSON that is not an answer': unanswered(tls.answer(200, 'OK', '[1]'), 'remote-error', 1),
  'bytes that are not HTTP': unanswered(tls.garbage, 'remote-error', 1),
  'half a close': unanswered(tls.halfClose, 'unreachable', 3),
  'half a close below TLS': unanswered(tls.halfCloseBelow, 'unreachable', 3),
  'a reset': unanswered(tls.reset, 'unreachable', 3),
  'a bad record': unanswered(tls.badRecord, 'unreachable', 3),
  'a bad record in the body': unanswered(tls.badRecordInBody, 'unreachable', 3),
  'dripping headers': { ...unanswered(tls.dripHeaders, 'timeout', 1), hangs: true },
  'headers without end': unanswered(tls.floodHeaders, 'remote-error', 1),
  'hints without end': { ...unanswered(tls.continues, 'timeout', 1), hangs: true },
  'a chunk without a length': unanswered(tls.badChunk, 'remote-error', 1),
  'a body that is not compressed as it says': unanswered(tls.notGzip, 'remote-error', 1),
  '100 MiB': unanswered(tls.flood, 'remote-error', 1),
};

describe.each(Object.entries(faults))('guarantees 13 and 14: %s', (_, fault) => {
  const title = '%s: one failure by the deadline, sent as often as may be, the next call works';
  it.concurrent.for(Object.entries(calls))(title, async ([method, call], { expect, onTestFinished }) => {
    const deadlineMs = fault.hangs ? hangingMs : enoughMs;
    const { rig, pve } = await rigged(fault.behave, { timeoutMs: deadlineMs }, onTestFinished);
    rig.accept = fault.accept ?? 'tls';
    const began = performance.now();
    const failure = await failureOf(call(pve));
    const ms = performance.now() - began;
    expect(ms).toBeLessThan(deadlineMs + 800);
    slowest(13, `by a deadline of ${deadlineMs / 1_000} s, the failure is told in`, ms);
    most(14, `${method}s for one call, in ${Object.keys(faults).length} kinds of fault:`, rig.requests.length);
    expect(failure.kind).toBe(method === 'GET' ? fault.read : fault.write);
    expect(rig.requests).toHaveLength(method === 'GET' ? fault.reads : fault.writes);
    expect(`${failure.message} ${failure.hint}`).not.toContain('undefined');

    rig.behave = tls.json({ data: 'fine' });
    rig.accept = 'tls';
    expect(await readVersion(pve)).toBe('fine');
    expect(rig.requests.slice(0, -1)).toHaveLength(method === 'GET' ? fault.reads : fault.writes);
  });
});

describe('guarantee 13: a place in the pool is given back', () => {
  const hanging = {
    'no headers': tls.silence,
    'a stalled body': tls.stall,
    'a dripping body': tls.drip,
    '100 MiB': tls.flood,
  };

  it.concurrent.for(Object.entries(hanging))('12 calls at once that end in %s', async ([, behave], context) => {
    const { rig, pve } = await rigged(behave, { timeoutMs: 1_500 }, context.onTestFinished);
    const failures = await Promise.all(Array.from({ length: 12 }, () => failureOf(readVersion(pve))));
    context.expect(failures).toHaveLength(12);
    rig.behave = tls.json({ data: 'fine' });
    context.expect(await Promise.all(Array.from({ length: 8 }, () => readVersion(pve)))).toEqual(Array(8).fill('fine'));
    context.expect(rig.open.size).toBeLessThanOrEqual(4);
  });
});

describe('guarantee 13: nobody there', () => {
  const client = (host: string, port: number): Pve => {
    const pve = createPve({ host, port, fingerprint: 'ab'.repeat(32), timeoutMs: 3_000 });
    onTestFinished(() => pve.close());
    return pve;
  };

  it('a refused connection', async () => {
    const { rig } = await rigged();
    const { port } = rig;
    await rig.stop();
    const pve = client('127.0.0.1', port);
    const [read, write] = [await failureOf(readVersion(pve)), await failureOf(pve.post(start))];
    expect([read.kind, write.kind]).toEqual(['unreachable', 'unreachable']);
    expect(read.message).toContain(`127.0.0.1:${port}: it refused the connection`);
  });

  it('a name that does not exist', async () => {
    const pve = client('pve1.invalid', 8006);
    const [read, write] = [await failureOf(readVersion(pve)), await failureOf(pve.delete(start))];
    expect([read.kind, write.kind]).toEqual(['unreachable', 'unreachable']);
    expect(read.message).toContain('name cannot be resolved');
    expect(read.hint).toContain('PROXMOX_HOST');
  });
});

describe('guarantee 14: a kept connection that the server closes under a request', () => {
  /** Answers the first request of each connection and resets at the second. */
  function resetsReused(): tls.Behaviour {
    const known = new WeakSet<object>();
    return (socket, request, raw) => {
      if (known.has(socket)) return tls.reset(socket, request, raw);
      known.add(socket);
      return tls.json({ data: 'fine' })(socket, request, raw);
    };
  }

  it('a read is sent again over a new one', async () => {
    const { rig, pve } = await rigged(resetsReused());
    await readVersion(pve);
    expect(await readVersion(pve)).toBe('fine');
    expect(rig.requests).toHaveLength(3);
    expect(rig.connections).toBe(2);
  });

  it('a write is not, and its outcome is unknown', async () => {
    const { rig, pve } = await rigged(resetsReused());
    await readVersion(pve);
    const failure = await failureOf(pve.post(start));
    expect(failure.kind).toBe('outcome-unknown');
    expect(failure.message).toContain('Whether it took effect is unknown');
    expect(failure.hint).toContain('CT 400 on pve1');
    expect(rig.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });
});

describe('guarantee 13: cancelled', () => {
  it('before it leaves: cancelled, nothing sent', async () => {
    const { rig, pve } = await rigged();
    const failure = await failureOf(pve.post(start, {}, { signal: AbortSignal.abort() }));
    expect(failure.kind).toBe('cancelled');
    expect(rig.connections).toBe(0);
  });

  it.each([
    ['GET', 'cancelled'],
    ['POST', 'outcome-unknown'],
  ] as const)('a %s that left is %s at once', async (method, kind) => {
    const abort = new AbortController();
    const { rig, pve } = await rigged(() => abort.abort());
    const options = { signal: abort.signal };
    const call = method === 'GET' ? pve.get(start, anything, {}, options) : pve.post(start, {}, options);
    expect((await failureOf(call)).kind).toBe(kind);
    expect(rig.requests).toHaveLength(1);
    rig.behave = tls.json({ data: 'fine' });
    expect(await readVersion(pve)).toBe('fine');
  });

  it('between two tries of a GET: cancelled at once, and not tried again', async () => {
    const abort = new AbortController();
    const { rig, pve } = await rigged(tls.reset);
    const failing = failureOf(pve.get(start, anything, {}, { signal: abort.signal }));
    await vi.waitFor(() => expect(rig.requests).toHaveLength(1));
    setTimeout(() => abort.abort(), 30);
    expect((await failing).kind).toBe('cancelled');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(rig.requests).toHaveLength(1);
  });

  it('by closing the client: a write that left is outcome-unknown, later calls fail at once', async () => {
    const { pve } = await rigged(() => void pve.close());
    expect((await failureOf(pve.post(start))).kind).toBe('outcome-unknown');
    expect((await failureOf(readVersion(pve))).message).toContain('has been closed');
  });
});
