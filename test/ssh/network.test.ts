import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import type { HostSpec, Ssh } from '../../src/ssh/client.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { counted } from '../counts.ts';
import { figure, listed } from '../figures.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { hostOf, lines, newFile, numbers, poolFor, whileThere } from './commands.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const LONG = { timeoutMs: 20_000 };

/** The product's SSH by way of a proxy; it begins as many connections as it likes. */
async function through<T>(use: (ssh: Ssh, host: HostSpec, proxy: FaultProxy) => Promise<T>): Promise<T> {
  const proxy = await startProxy(sshd);
  const ssh = createSsh(poolFor(sshd));
  try {
    return await use(ssh, hostOf(sshd, { port: proxy.port, limits: { connectsPerMinute: 1_000 } }), proxy);
  } finally {
    await ssh.close();
    await proxy.stop();
  }
}

/** How a command ended: `exact`, or the kind of its failure. */
const ended = (answer: Promise<string>, wanted: string): Promise<string> =>
  answer.then(
    (text) => (text === wanted ? 'exact' : `not exact: ${text}`),
    (error) => (error instanceof Failure ? error.kind : `not a Failure: ${error}`),
  );

const say = async (ssh: Ssh, host: HostSpec, script: string): Promise<string> =>
  (await ssh.run(host, { script, ...LONG })).stdout.text;

describe('guarantees 2 and 3: a connection that is reset', () => {
  const RESETS = counted(400, 40);

  it(`after any number of bytes, either way: exact or a failure, never twice, ${RESETS} times`, {
    timeout: 240_000,
  }, async () => {
    const seen: Record<string, number> = {};
    let slowest = 0;
    const bytes = fc.integer({ min: 0, max: 7_000 });
    const property = fc.asyncProperty(fc.constantFrom('up', 'down'), bytes, (way, n) =>
      through(async (ssh, host, proxy) => {
        proxy.resetAfter(n, way);
        const file = newFile();
        const began = performance.now();
        const end = await ended(say(ssh, host, `echo ran >>${file}; echo answer`), 'answer\n');
        slowest = Math.max(slowest, performance.now() - began);
        proxy.resetAfter(Number.POSITIVE_INFINITY, way);
        proxy.cut();
        await vi.waitFor(() => expect(ssh.connection(host).state).toBe('idle'), 5_000);
        expect(await say(ssh, host, 'echo again')).toBe('again\n');
        const ran = lines(file).length;
        expect(['exact', 'unreachable', 'outcome-unknown']).toContain(end);
        if (end === 'exact') expect(ran).toBe(1);
        else expect(ran, end).toBeLessThanOrEqual(end === 'unreachable' ? 0 : 1);
        seen[end] = (seen[end] ?? 0) + 1;
      }),
    );
    await fc.assert(property, { numRuns: RESETS, endOnFailure: true });
    expect(Object.keys(seen).sort()).toEqual(['exact', 'outcome-unknown', 'unreachable']);
    expect(slowest).toBeLessThan(5_000);
    figure(2, `${RESETS} resets after any number of bytes: ${listed(seen)}; none ran twice`);
  });
});

describe('guarantee 2: one way of a connection that ends', () => {
  it.each(['up', 'down'] as const)('%s, in mid-command: told within 1 s, and the next call reconnects', (way) =>
    through(async (ssh, host, proxy) => {
      const [file, hold] = [newFile(), newFile()];
      const answer = say(ssh, host, `echo up >>${file}; ${whileThere(hold)}; echo done`);
      const end = ended(answer, 'done\n');
      await vi.waitFor(() => expect(lines(file)).toEqual(['up']), 5_000);
      const began = performance.now();
      proxy.halfClose(way);
      expect(await end).toBe('outcome-unknown');
      expect(performance.now() - began).toBeLessThan(1_000);
      await expect(answer).rejects.toMatchObject({ message: expect.stringContaining('lost') });
      expect(await say(ssh, host, 'echo again')).toBe('again\n');
      expect(lines(file)).toEqual(['up']);
      rmSync(hold);
    }),
  );
});

describe('guarantee 3: one way of a connection that ends in the handshake', () => {
  it.each(['up', 'down'] as const)('%s: one failure at once, or an answer', (way) =>
    through(async (ssh, host, proxy) => {
      proxy.latency(20);
      for (const ms of [5, 30, 60, 90, 120, 150]) {
        const timer = setTimeout(() => proxy.halfClose(way), ms);
        const began = performance.now();
        const end = await ended(say(ssh, host, 'echo there'), 'there\n');
        clearTimeout(timer);
        expect(['exact', 'unreachable', 'outcome-unknown']).toContain(end);
        expect(performance.now() - began).toBeLessThan(3_000);
        proxy.cut();
        await vi.waitFor(() => expect(ssh.connection(host).state).toBe('idle'), 5_000);
      }
      proxy.latency(0);
      expect(await say(ssh, host, 'echo there')).toBe('there\n');
    }),
  );
});

describe('guarantee 2: a connection that brings', () => {
  it.each([1, 7])('%i byte at a time answers exactly, in both directions', (size) =>
    through(async (ssh, host, proxy) => {
      proxy.slice(size);
      const stdin = numbers(400)
        .map((i) => `line ${i} ä€😀\n`)
        .join('');
      const answers = await Promise.all([
        ssh.run(host, { script: 'cat; cat /dev/null; exit 3', stdin, ...LONG }),
        ssh.run(host, { script: 'seq 400 >&2', ...LONG }),
      ]);
      expect(answers[0]).toMatchObject({ exitCode: 3, stdout: { text: stdin } });
      expect(answers[1].stderr.text).toBe(
        `${numbers(400)
          .map((i) => i + 1)
          .join('\n')}\n`,
      );
    }),
  );

  it('nothing for a while, and then everything, answers exactly', () =>
    through(async (ssh, host, proxy) => {
      await say(ssh, host, 'true');
      proxy.stall();
      const answers = numbers(20).map((i) => say(ssh, host, `echo ${i}`));
      await new Promise((resolve) => setTimeout(resolve, 300));
      proxy.flow();
      expect(await Promise.all(answers)).toEqual(numbers(20).map((i) => `${i}\n`));
    }));
});
