import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRedaction } from '../../src/present/redact.ts';
import { keepOutputsIn } from '../../src/present/spool.ts';
import { Secret } from '../../src/secret.ts';
import { Capture } from '../../src/ssh/capture.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { figure, grouped } from '../figures.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

const MIB = 1024 * 1024;

/** What is kept of `bytes` when they come in chunks of these sizes, over and over. */
function capture(bytes: Buffer, sizes: readonly number[]) {
  const kept = new Capture();
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    kept.add(bytes.subarray(at, at + size));
    at += size;
  }
  return kept.text();
}

const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 3 * MIB })), {
  minLength: 1,
  maxLength: 5,
});

describe('a captured stream', () => {
  it('is whole up to 2 MiB, however it comes in chunks', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 50 }),
        fc.integer({ min: 0, max: 2 * MIB }),
        chunkSizes,
        (unit, size, sizes) => {
          const text = unit === '' ? '' : unit.repeat(Math.floor(size / Buffer.byteLength(unit)));
          const kept = capture(Buffer.from(text), sizes);
          expect(kept.text === text).toBe(true);
          expect(kept.totals).toEqual({ bytes: Buffer.byteLength(text), omitted: 0 });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('beyond that is head, a line that counts what is missing, and tail, never cutting a character', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('a', 'ä', '€', '😀', 'aä€😀'),
        fc.integer({ min: 2 * MIB + 16, max: 5 * MIB }),
        chunkSizes,
        (unit, size, sizes) => {
          const text = `x${unit.repeat(Math.ceil(size / Buffer.byteLength(unit)))}y`;
          const bytes = Buffer.byteLength(text);
          const kept = capture(Buffer.from(text), sizes);
          const [, head = '', count, tail = ''] = /^(.*)\n\[… (\d+) bytes left out …\]\n(.*)$/su.exec(kept.text) ?? [];
          expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
          expect(Number(count)).toBe(bytes - Buffer.byteLength(head) - Buffer.byteLength(tail));
          expect(kept.totals).toEqual({ bytes, omitted: Number(count) });
          expect(bytes - Number(count)).toBeGreaterThan(2 * MIB - 8);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('guarantee 7: 1 GiB on stdout and 64 MiB on stderr at once', () => {
  let server: Sshd;
  beforeAll(async () => {
    server = await startSshd();
  });
  afterAll(() => server.stop());

  it('is told by head, tail and totals, all of it in files', {
    timeout: 240_000,
  }, async () => {
    const known = join(server.folder, 'known_hosts');
    writeFileSync(known, `${server.hostKeyLine}\n`);
    const held = ['corr3ct horse+battery/staple', 'größer 🙂', "sudo's Passw0rd"].map((one) => new Secret(one));
    const outputs = mkdtempSync(join(tmpdir(), 'psm-outputs-'));
    onTestFinished(() => rmSync(outputs, { recursive: true, force: true }));
    const keep = keepOutputsIn(outputs, createRedaction(held), { mostPerCommand: 2048 * MIB });
    const ssh = createSsh(createPool({ knownHosts: [known], ownKnownHosts: join(server.folder, 'own') }), keep);
    const host = login(server, 'psm-dash');
    const flood = (mib: number) =>
      `head -c ${mib * 65536} /dev/zero | tr '\\0' e >&2 & yes 'größer 😀' | head -c ${mib * MIB}; wait; echo; echo end`;
    const { exitCode, stdout, stderr } = await ssh.run(host, { script: flood(1024), timeoutMs: 200_000 });
    await ssh.close();
    expect(exitCode).toBe(0);
    expect(stdout.totals.bytes).toBe(1024 * MIB + '\nend\n'.length);
    expect(stderr.totals).toEqual({ bytes: 64 * MIB, omitted: 62 * MIB });
    expect(stdout.text.startsWith('größer 😀\ngrößer 😀\n')).toBe(true);
    expect(stdout.text.endsWith('\nend\n')).toBe(true);
    expect([stdout.kept?.lacks, stderr.kept?.lacks]).toEqual([undefined, undefined]);
    expect(statSync(stdout.kept?.file ?? '').size).toBe(stdout.totals.bytes);
    expect(statSync(stderr.kept?.file ?? '').size).toBe(64 * MIB);
    const mib = ({ totals }: typeof stdout) => Math.round(totals.bytes / MIB);
    figure(7, `${grouped(mib(stdout))} MiB on stdout and ${mib(stderr)} MiB on stderr, told by head, tail and totals`);
  });
});
