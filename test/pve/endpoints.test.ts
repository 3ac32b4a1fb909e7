import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createPve, type Pve } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import * as tls from '../rig/tls.ts';
import { anything, failureOf, fingerprintOf, readVersion, token } from './rigged.ts';

const start = path`/nodes/${'pve1'}/lxc/${400}/status/start`;

const writes = {
  POST: (pve: Pve) => pve.post(start, { timeout: 5 }),
  PUT: (pve: Pve) => pve.put(start, { timeout: 5 }),
  DELETE: (pve: Pve) => pve.delete(start, { timeout: 5 }),
} as const;
const calls = { GET: (pve: Pve) => pve.get(start, anything), ...writes } as const;

/** Each node of a cluster has a certificate of its own. */
let own: [tls.Identity, tls.Identity];
beforeAll(async () => {
  own = [await tls.identity({ name: 'pve1' }), await tls.identity({ name: 'pve2' })];
});

interface Pair {
  readonly one: tls.TlsRig;
  readonly two: tls.TlsRig;
  readonly pve: Pve;
}

/** Two endpoints of one cluster that say who they are, and a client that is to ask the first one first. */
async function pair(finished: (end: () => Promise<void>) => void = onTestFinished, timeoutMs = 5_000): Promise<Pair> {
  const [one, two] = [
    await tls.TlsRig.start(own[0], tls.json({ data: 'one' })),
    await tls.TlsRig.start(own[1], tls.json({ data: 'two' })),
  ];
  const pve = createPve({
    host: '127.0.0.1',
    port: one.port,
    others: [{ host: '127.0.0.1', port: two.port }],
    fingerprint: own.map(fingerprintOf).toReversed(),
    token,
    timeoutMs,
  });
  finished(async () => {
    await Promise.all([pve.close(), one.stop(), two.stop()]);
  });
  return { one, two, pve };
}

const sent = ({ one, two }: Pair): number[] => [one.requests.length, two.requests.length];
const nameOf = (rig: tls.TlsRig): string => `127.0.0.1:${rig.port}`;

/** The ways in which an endpoint can fail before a byte of a request is sent to it. */
const absent: Readonly<Record<string, (rig: tls.TlsRig) => void | Promise<void>>> = {
  'a refused connection': (rig) => rig.stop(),
  'a reset instead of TLS': (rig) => {
    rig.accept = 'reset';
  },
  'another protocol': (rig) => {
    rig.accept = 'plain';
  },
  'TLS silence': (rig) => {
    rig.accept = 'silence';
  },
};

describe('several endpoints', () => {
  it('asks the first, and tells which', async () => {
    const both = await pair();
    expect(await readVersion(both.pve)).toBe('one');
    expect(both.pve.endpoint).toBe(nameOf(both.one));
    expect(both.pve.endpoints).toEqual([nameOf(both.one), nameOf(both.two)]);
    expect(both.two.connections).toBe(0);
  });

  describe.each(Object.entries(absent))('%s', (_, fail) => {
    it.concurrent.for(Object.entries(calls))('%s is answered by the next one', async ([, call], context) => {
      const both = await pair(context.onTestFinished);
      await fail(both.one);
      const before = performance.now();
      context.expect(await call(both.pve)).toBe('two');
      context.expect(performance.now() - before).toBeLessThan(4_500);
      context.expect(sent(both)).toEqual([0, 1]);
      context.expect(both.pve.endpoint).toBe(nameOf(both.two));
    });
  });

  it('asks a name that does not exist no longer than it takes to know', async () => {
    const { two } = await pair();
    const at = { host: 'pve1.invalid', port: 8006, others: [{ host: '127.0.0.1', port: two.port }] };
    const pve = createPve({ ...at, fingerprint: fingerprintOf(own[1]), token });
    onTestFinished(() => pve.close());
    expect(await pve.post(start)).toBe('two');
  });

  it('goes on with the one that answered, and comes back when that one is gone', async () => {
    const both = await pair();
    const { one, two, pve } = both;
    one.accept = 'reset';
    expect(await readVersion(pve)).toBe('two');
    one.accept = 'tls';
    const connections = one.connections;
    expect([await readVersion(pve), await readVersion(pve)]).toEqual(['two', 'two']);
    expect(one.connections).toBe(connections);
    two.accept = 'reset';
    two.drop();
    expect(await readVersion(pve)).toBe('one');
    expect(pve.endpoint).toBe(nameOf(one));
  });

  it('tells what is wrong with each when none answers', async () => {
    const { one, two, pve } = await pair();
    const gone = nameOf(one);
    await one.stop();
    two.accept = 'plain';
    const failure = await failureOf(pve.post(start));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain(`${gone}: it refused the connection`);
    expect(failure.message).toContain(`${nameOf(two)}: it does not speak TLS`);
  });

  it('tells a refusal of the one that answered, by its name, and asks no other', async () => {
    const both = await pair();
    both.one.accept = 'reset';
    both.two.behave = tls.refusal(500, 'CT is locked (backup)');
    const failure = await failureOf(both.pve.post(start));
    expect(failure.kind).toBe('conflict');
    expect(failure.message).toContain(`${nameOf(both.two)} refused POST`);
    expect(sent(both)).toEqual([0, 1]);
  });

  it('sends a read that lost its connection to the next one at once', async () => {
    const both = await pair();
    both.one.behave = tls.truncate;
    expect(await readVersion(both.pve)).toBe('two');
    expect(sent(both)).toEqual([1, 1]);
  });

  it('leaves one that hangs at the next call', async () => {
    const both = await pair(onTestFinished, 400);
    both.one.behave = tls.silence;
    expect((await failureOf(readVersion(both.pve))).kind).toBe('timeout');
    expect(await readVersion(both.pve)).toBe('two');
  });

  it('asks nobody else when the caller gives up', async () => {
    const both = await pair();
    const abort = new AbortController();
    both.one.behave = () => abort.abort();
    const failure = await failureOf(both.pve.get(start, anything, {}, { signal: abort.signal }));
    expect(failure.kind).toBe('cancelled');
    expect(sent(both)).toEqual([1, 0]);
  });
});

describe('guarantee 12: a certificate that is not trusted, at one of several endpoints', () => {
  it.each(Object.entries(calls))('%s is told, and not sent to another one', async (_, call) => {
    const both = await pair();
    both.one.identity = await tls.identity();
    const failure = await failureOf(call(both.pve));
    expect(failure.kind).toBe('untrusted');
    expect(failure.message).toContain(nameOf(both.one));
    expect(failure.message).toContain(own.map(fingerprintOf).toReversed().join(' or '));
    expect(both.one.bytes).toBe(0);
    expect(both.two.connections).toBe(0);
  });

  it('is told too where the first one does not answer', async () => {
    const both = await pair();
    both.one.accept = 'reset';
    both.two.identity = await tls.identity();
    expect((await failureOf(calls.GET(both.pve))).message).toContain(nameOf(both.two));
    expect(both.two.bytes).toBe(0);
  });
});

describe('guarantee 14: a write leaves at most once over all endpoints', () => {
  const unheard: Readonly<Record<string, tls.Behaviour>> = {
    'a reset': tls.reset,
    'half a close': tls.halfClose,
    'a truncated body': tls.truncate,
    'a stalled body': tls.stall,
    'no answer': tls.silence,
    'bytes that are not HTTP': tls.garbage,
    '595 Connection refused': tls.answer(595, 'Connection refused'),
    '502 of a proxy': tls.answer(502, 'Bad Gateway'),
  };

  describe.each(Object.entries(unheard))('%s', (_, behave) => {
    it.concurrent.for(Object.entries(writes))('%s: outcome unknown', async ([, call], context) => {
      const both = await pair(context.onTestFinished, 700);
      both.one.behave = behave;
      const failure = await failureOf(call(both.pve));
      context.expect(failure.kind).toBe('outcome-unknown');
      context.expect(failure.message).toContain(`was sent to ${nameOf(both.one)}`);
      context.expect(sent(both)).toEqual([1, 0]);
    });

    it.concurrent.for(Object.entries(writes))('%s at the second, the first being away', async ([, call], context) => {
      const both = await pair(context.onTestFinished, 700);
      both.one.accept = 'reset';
      both.two.behave = behave;
      const failure = await failureOf(call(both.pve));
      context.expect(failure.kind).toBe('outcome-unknown');
      context.expect(failure.message).toContain(`was sent to ${nameOf(both.two)}`);
      context.expect(sent(both)).toEqual([0, 1]);
    });
  });

  it('100 writes while both come and go at random: none twice', async () => {
    const { one, two, pve } = await pair(onTestFinished, 2_000);
    const moods: readonly (() => void)[] = [
      () => Object.assign(one, { accept: 'reset' }),
      () => Object.assign(two, { accept: 'reset' }),
      () => Object.assign(one, { accept: 'tls', behave: tls.json({ data: 1 }) }),
      () => Object.assign(two, { accept: 'tls', behave: tls.reset }),
      () => Object.assign(one, { behave: tls.truncate }),
      () => Object.assign(two, { accept: 'tls', behave: tls.json({ data: 2 }) }),
      () => one.drop(),
      () => two.drop(),
    ];
    const ends = new Map<number, string>();
    for (let id = 0, dice = 20; id < 100; id += 1, dice = (dice * 1103515245 + 12345) % 2 ** 31) {
      moods[(dice >> 16) % moods.length]?.();
      const end = await pve.post(start, { id }).then(
        () => 'answered',
        (error: { readonly kind: string }) => error.kind,
      );
      ends.set(id, end);
    }
    const seen = [...one.requests, ...two.requests].map(({ body }) => Number(/id=(\d+)/.exec(body)?.[1]));
    expect(new Set(seen).size).toBe(seen.length);
    for (const [id, end] of ends) {
      expect(['answered', 'outcome-unknown', 'unreachable']).toContain(end);
      if (seen.includes(id)) expect(end).not.toBe('unreachable');
      else expect(end).not.toBe('answered');
    }
    expect(new Set(ends.values()).size).toBe(3);
  });
});
