import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedaction } from '../../src/present/redact.ts';
import { keepOutputsIn, type SpoolLimits } from '../../src/present/spool.ts';
import { Secret } from '../../src/secret.ts';
import { onDisk } from '../rig/disk.ts';

const root = mkdtempSync(join(tmpdir(), 'psm-spool-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(root, 'outputs-'));
});

const MIB = 1024 * 1024;
const SECRET = 'corr3ct horse+battery/staple="€"';
const kept = (limits?: SpoolLimits) => keepOutputsIn(dir, createRedaction([new Secret(SECRET)]), limits);

/** Writes in pieces of that size, at the pace that the spool asks for. */
async function written(spool: ReturnType<ReturnType<typeof kept>['files']>['spool'], bytes: Buffer, size = 65_536) {
  const one = spool(false);
  for (let at = 0; at < bytes.length; at += size) await one.write(bytes.subarray(at, at + size));
  await one.end();
  return one;
}

describe('a stream that is kept in a file', () => {
  it('is there byte for byte, in a new 0600 file, and can be read from anywhere', async () => {
    const bytes = Buffer.from(Array.from({ length: 3 * MIB }, (_, i) => (i * 7) % 256));
    const spool = await written(kept().files().spool, bytes);
    const file = spool.file ?? '';
    expect(spool.lacks).toBeUndefined();
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect((await spool.read(1_000_000, 1000)).equals(bytes.subarray(1_000_000, 1_001_000))).toBe(true);
    expect(await spool.read(bytes.length, 10)).toHaveLength(0);
  });

  it('can be read while it is written', async () => {
    const spool = kept().files().spool(true);
    const all = Buffer.alloc(5 * MIB, 'x');
    const writing = (async () => {
      for (let at = 0; at < all.length; at += 65_536) await spool.write(all.subarray(at, at + 65_536));
    })();
    expect(await spool.read(0, 100)).toEqual(all.subarray(0, 100));
    await writing;
    expect(await spool.read(all.length - 100, 200)).toEqual(all.subarray(0, 100));
    await spool.end();
  });

  it('guarantee 21: holds no secret, in whatever pieces it came', async () => {
    const encodings: readonly ((text: string) => string)[] = [
      (text) => text,
      (text) => Buffer.from(text).toString('base64').replace(/=+$/, ''),
      (text) => Buffer.from(text).toString('base64url'),
      (text) => Buffer.from(text).toString('hex'),
      encodeURIComponent,
      (text) => JSON.stringify(text).slice(1, -1),
      (text) => text.replaceAll("'", "'\\''"),
    ];
    const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${'b3BlbnNzaC1rZXktdjEAAAA\n'.repeat(30)}-----END OPENSSH PRIVATE KEY-----`;
    const text = `before ${encodings.map((encode) => encode(SECRET)).join(' | ')} ${key} after`;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), async (size) => {
        const { file = '' } = await written(kept().files().spool, Buffer.from(text), size);
        const said = readFileSync(file, 'utf8');
        for (const encode of encodings) expect(said).not.toContain(encode(SECRET));
        expect(said).not.toContain('b3BlbnNzaC1rZXk');
        expect(said).toMatch(/^before \[secret removed\] \| .* \[private key removed\] after$/);
      }),
      { numRuns: 60 },
    );
  });

  it('guarantee 21: is as free of secrets where it was scrubbed before', async () => {
    const keep = kept();
    const scrub = keep.scrub();
    const spool = keep.files().spool(true);
    for (const piece of [SECRET.slice(0, 9), `${SECRET.slice(9)} end`])
      await spool.write(scrub.push(Buffer.from(piece)));
    await spool.write(scrub.end());
    await spool.end();
    expect(readFileSync(spool.file ?? '', 'utf8')).toBe('[secret removed] end');
  });

  it('is cut where its command has had its share, both streams together, and says so', async () => {
    const files = kept({ mostPerCommand: 3 * MIB }).files();
    const first = await written(files.spool, Buffer.alloc(2 * MIB, 'a'));
    const second = await written(files.spool, Buffer.alloc(2 * MIB, 'b'));
    expect(first.lacks).toBeUndefined();
    expect(second.lacks).toBe('what comes after its first 1 MiB');
    expect(statSync(second.file ?? '').size).toBe(MIB);
  });

  it('makes room by the oldest outputs, and touches nothing else', async () => {
    const old = ['output-1.txt', 'output-2.txt', 'other.txt'].map((name) => join(dir, name));
    for (const [i, file] of old.entries()) {
      writeFileSync(file, Buffer.alloc(MIB));
      utimesSync(file, 1000 + i, 1000 + i);
      utimesSync(file, Date.now() / 1000 - 100 + i, Date.now() / 1000 - 100 + i);
    }
    const spool = await written(kept({ mostInFolder: 66 * MIB - 1 }).files().spool, Buffer.alloc(MIB));
    expect(spool.lacks).toBeUndefined();
    expect(old.map((file) => existsSync(file))).toEqual([false, true, true]);
  });

  it('is given up, not the others that are being written, when there is no room', async () => {
    const keep = kept({ mostInFolder: 66 * MIB });
    const busy = keep.files().spool(false);
    await busy.write(Buffer.alloc(3 * MIB));
    const { file, lacks } = await written(keep.files().spool, Buffer.alloc(MIB));
    expect(lacks).toBe('it could not be kept: outputs may take 66 MiB together');
    expect(file).toBeUndefined();
    await busy.end();
    expect(readdirSync(dir)).toEqual([busy.file?.split('/').at(-1)]);
    expect(statSync(busy.file ?? '').size).toBe(3 * MIB);
  });

  it('a full disk loses the file and frees what it took; the stream goes on', async () => {
    await onDisk(dir, 1_024, async () => {
      const { file, lacks } = await written(kept().files().spool, Buffer.alloc(8 * MIB));
      expect(lacks).toMatch(/^it could not be kept: ENOSPC/);
      expect(file).toBeUndefined();
      expect(readdirSync(dir)).toEqual([]);
    });
  });

  it('a disk that takes a part of what is written at once has not taken it', async () => {
    await onDisk(dir, 1_024, async () => {
      const { file, lacks } = await written(kept().files().spool, Buffer.alloc(3 * MIB), 3 * MIB);
      expect([file, lacks]).toEqual([undefined, expect.stringMatching(/^it could not be kept: ENOSPC/)]);
      expect(readdirSync(dir)).toEqual([]);
    });
  });

  it('a folder that is none loses the file only', async () => {
    const file = join(dir, 'a-file');
    writeFileSync(file, '');
    const keep = keepOutputsIn(file, createRedaction([]));
    const spool = await written(keep.files().spool, Buffer.alloc(MIB));
    expect(spool.lacks).toMatch(/^it could not be kept: /);
  });

  it('holds the stream while the disk is behind', async () => {
    const spool = kept().files().spool(true);
    expect(spool.write(Buffer.alloc(1000))).toBeUndefined();
    const wait = spool.write(Buffer.alloc(2 * MIB));
    expect(wait).toBeInstanceOf(Promise);
    await wait;
    expect(statSync(spool.file ?? '').size).toBe(2 * MIB + 1000);
    await spool.end();
  });

  it('keeps what it has when the folder is full in mid-stream', async () => {
    const { file = '', lacks } = await written(
      kept({ mostInFolder: 100 * MIB }).files().spool,
      Buffer.alloc(80 * MIB),
      MIB,
    );
    expect(lacks).toMatch(/^what comes after its first 6[4-6] MiB \(outputs may take 100 MiB together\)$/);
    expect(statSync(file).size / MIB).toBeGreaterThanOrEqual(64);
    expect(statSync(file).size / MIB).toBeLessThan(68);
  });

  it('is given up on a disk that does not answer in time', async () => {
    const spool = await written(kept({ patienceMs: 1 }).files().spool, Buffer.alloc(64 * MIB), 64 * MIB);
    expect(spool.lacks).toBe('it could not be kept: the disk took nothing for 0.001 s');
    expect(spool.file).toBeUndefined();
  });

  it('is busy until it ends, and tells which', async () => {
    const keep = kept();
    const spool = keep.files().spool(true);
    await spool.write(Buffer.alloc(2 * MIB));
    expect([...keep.busy]).toEqual([spool.file]);
    await spool.end();
    expect([...keep.busy]).toEqual([]);
    expect(spool.write(Buffer.from('late'))).toBeUndefined();
    await spool.end();
    expect(statSync(spool.file ?? '').size).toBe(2 * MIB);
  });

  it('holds what may be a secret until it is decided, and then keeps it', async () => {
    const spool = kept().files().spool(false);
    await spool.write(Buffer.from('before corr3ct'));
    expect((await spool.read(0, 100)).toString()).toBe('before ');
    expect((await spool.read(3, 2)).toString()).toBe('or');
    await spool.write(Buffer.from(' mouse'));
    await spool.write(Buffer.from(' corr3'));
    await spool.end();
    expect((await spool.read(0, 100)).toString()).toBe('before corr3ct mouse corr3');
    const sha256 = createHash('sha256').update('before corr3ct mouse corr3').digest('hex');
    expect(spool.sha256).toBe(sha256);
    rmSync(spool.file ?? '');
    expect(await spool.read(0, 100)).toHaveLength(0);
  });

  it('needs no file for nothing', async () => {
    const spool = await written(kept().files().spool, Buffer.alloc(0));
    expect([spool.file, spool.lacks, await spool.read(0, 1), readdirSync(dir)]).toEqual([
      undefined,
      undefined,
      Buffer.alloc(0),
      [],
    ]);
  });
});
