import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Audit, createAudit } from '../../src/gate/audit.ts';
import { rotatedOf } from '../../src/log/files.ts';
import { headPlace, readHead, readKey } from '../../src/log/head.ts';
import { sealed } from '../../src/log/line.ts';
import { verify } from '../../src/log/verify.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';
import { type Desk, ended, newDesk, scribeProgram, startScribe } from './scribes.ts';

const desks: Desk[] = [];
const desk = async (): Promise<Desk> => {
  const made = await newDesk();
  desks.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(desks.splice(0).map(({ dir }) => rm(dir, { recursive: true, force: true })));
});

const auditAt = ({ file, heads }: Desk, maxBytes?: number, keepDays?: number): Audit =>
  createAudit({ file, headFolder: heads, redact: (text) => text, maxBytes, keepDays });

let calls = 0;
/** One call of two lines. */
async function write(audit: Audit, script = 'uptime'): Promise<void> {
  calls += 1;
  const line = { call: `call ${calls}`, client: 'Claude Code 2.1', tool: 'ssh_exec', effect: 'execute' } as const;
  await audit.write({ ...line, kind: 'intent', input: { target: 'pve1', script }, approved: 'mode' });
  await audit.write({ ...line, kind: 'outcome', verdict: 'ok', message: 'exit 0 on pve1', durationMs: 12 });
}

const findings = async ({ place }: Desk): Promise<string[]> => (await verify(place)).findings.map(({ says }) => says);

describe('an audit that nobody touched', () => {
  it('is as it was written, whoever reads it', async () => {
    const at = await desk();
    const [one, two] = [auditAt(at), auditAt(at)];
    for (let i = 0; i < 5; i += 1) await Promise.all([write(one), write(two)]);
    await Promise.all([one.close(), two.close()]);
    expect(await verify(at.place)).toEqual({
      lines: 20,
      files: 1,
      chains: 2,
      ahead: 0,
      torn: [],
      findings: [],
      more: 0,
    });
  });

  it('goes over the seam of a rotation, and is in files of 0600', async () => {
    const at = await desk();
    const audit = auditAt(at, 3000);
    for (let i = 0; i < 20; i += 1) await write(audit);
    await audit.close();
    const rotated = rotatedOf(at.file);
    expect(rotated.length).toBeGreaterThan(3);
    for (const { file } of rotated) {
      expect(statSync(file).size).toBeGreaterThanOrEqual(3000);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect(await verify(at.place)).toMatchObject({ lines: 40, files: rotated.length + 1, chains: 1, findings: [] });
  });

  it('may lose to age what is noted, and no more', async () => {
    const at = await desk();
    const audit = auditAt(at, 3000);
    for (let i = 0; i < 20; i += 1) await write(audit);
    await audit.close();
    const before = rotatedOf(at.file);
    const later = auditAt(at, 3000, 1e-9);
    await write(later);
    await later.close();
    expect(rotatedOf(at.file).length).toBeLessThan(before.length);
    expect(await findings(at)).toEqual([]);
    await write(audit);
    await audit.close();
    expect(await findings(at)).toEqual([]);
  });
});

describe('guarantee 22: what log verify says of a head that was tampered with', () => {
  const written = async (): Promise<Desk> => {
    const at = await desk();
    const audit = auditAt(at);
    for (let i = 0; i < 3; i += 1) await write(audit);
    await audit.close();
    return at;
  };

  it('a head that was removed, and one that was begun anew after that', async () => {
    const at = await written();
    rmSync(at.place.file);
    expect(await findings(at)).toEqual([expect.stringMatching(/^The head .* is not there\.$/)]);
    const audit = auditAt(at);
    await write(audit);
    await audit.close();
    expect(await findings(at)).toEqual([expect.stringMatching(/^The head was begun anew on /)]);
  });

  it('a head that was changed is left as it is, and lines are still written', async () => {
    const at = await written();
    const text = readFileSync(at.place.file, 'utf8');
    writeFileSync(at.place.file, text.replace(/"seq":6/, '"seq":2'));
    const audit = auditAt(at);
    await write(audit);
    await audit.close();
    expect(await findings(at)).toEqual([expect.stringContaining('was not written by this program')]);
    expect(readFileSync(at.place.file, 'utf8')).toContain('"seq":2');
  });

  it('a key that is another one', async () => {
    const at = await written();
    writeFileSync(at.place.keyFile, Buffer.alloc(32, 7));
    const found = await findings(at);
    expect(found[0]).toContain('was not written by this program');
    expect(found.filter((says) => says.includes('was not sealed with the key'))).toHaveLength(6);
  });

  it('no key, and then hashes are still looked at', async () => {
    const at = await written();
    rmSync(at.place.keyFile);
    writeFileSync(at.file, readFileSync(at.file, 'utf8').replace('uptime', 'reboot'));
    expect(await findings(at)).toEqual([
      expect.stringMatching(/^The key .* is not there/),
      expect.stringMatching(/^audit\.jsonl:1 .* was edited\.$/),
    ]);
  });

  it('an audit file that was removed, alone or with all that was rotated', async () => {
    const at = await written();
    rmSync(at.file);
    expect(await findings(at)).toEqual([expect.stringMatching(/^Lines 1 to 6 of chain \w+ are missing all of it\.$/)]);
  });

  it('has no audit to look at where there never was one', async () => {
    await expect(verify((await desk()).place)).rejects.toThrow('ENOENT');
  });

  it('is kept where nobody else can read it, and knows nothing of the disk that the audit is on', async () => {
    const at = await written();
    for (const file of [at.place.keyFile, at.place.file]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(at.heads).mode & 0o777).toBe(0o700);
    const key = readKey(at.place);
    expect(key && readHead(at.place, key)).toMatchObject({ audit: at.file, chains: expect.any(Object) });
    expect(headPlace(at.heads, join(at.dir, 'other.jsonl')).file).not.toBe(at.place.file);
  });
});

describe('guarantee 22: every kind of tampering is found by log verify', () => {
  let at: Desk;
  let original: Buffer;
  let lines: string[];
  beforeAll(async () => {
    at = await newDesk();
    const audits = [auditAt(at), auditAt(at), auditAt(at)];
    for (let i = 0; i < 5; i += 1) {
      for (const [j, audit] of audits.entries()) await write(audit, `echo ${i} ${j} “ü”`);
    }
    await Promise.all(audits.map((audit) => audit.close()));
    original = readFileSync(at.file);
    lines = original.toString().trimEnd().split('\n');
  });
  afterAll(() => rm(at.dir, { recursive: true, force: true }));

  const found = async (bytes: Buffer | string): Promise<boolean> => {
    writeFileSync(at.file, bytes);
    return (await findings(at)).length > 0;
  };
  const joined = (some: readonly string[]): string => some.map((line) => `${line}\n`).join('');
  const index = () => fc.nat(lines.length - 1);

  it('nothing is said of it as it is', async () => expect(await found(original)).toBe(false));

  it('a byte that was flipped, anywhere but in the newline at the very end', async () => {
    const flips = counted(5_000, 500);
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length - 2), fc.integer({ min: 1, max: 255 }), async (place, by) => {
        const bytes = Buffer.from(original);
        bytes[place] = (bytes[place] ?? 0) ^ by;
        expect(await found(bytes)).toBe(true);
      }),
      { numRuns: flips },
    );
    figure(22, `${grouped(flips)} flipped bytes found`);
  }, 600_000);

  it('a line that was removed, moved, written twice, or several of that', async () => {
    const changes = counted(3_000, 300);
    const edit = fc.oneof(
      fc.record({ kind: fc.constant('remove' as const), a: fc.nat(29), b: fc.nat(29) }),
      fc.record({ kind: fc.constant('swap' as const), a: fc.nat(29), b: fc.nat(29) }),
      fc.record({ kind: fc.constant('double' as const), a: fc.nat(29), b: fc.nat(29) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const changed = [...lines];
        for (const { kind, a, b } of edits) {
          const one = changed[a] ?? '';
          if (kind === 'remove') changed.splice(a, 1);
          else if (kind === 'double') changed.splice(b, 0, one);
          else [changed[a], changed[b]] = [changed[b] ?? '', one];
        }
        if (joined(changed) === joined(lines)) return;
        expect(await found(joined(changed))).toBe(true);
      }),
      { numRuns: changes },
    );
    figure(22, `${grouped(changes)} removals, swaps and copies found`);
  }, 600_000);

  it('a cut at every byte of the last lines', async () => {
    const linesCut = counted(3, 1);
    const from = original.length - joined(lines.slice(-linesCut)).length;
    let cuts = 0;
    // The newline at the very end says nothing.
    for (let size = from; size < original.length - 1; size += 1) {
      expect(await found(original.subarray(0, size))).toBe(true);
      cuts += 1;
    }
    figure(22, `${grouped(cuts)} cuts found`);
  }, 600_000);

  it('a chain that was removed, or computed anew without the key', async () => {
    for (const chain of new Set(lines.map((line) => JSON.parse(line).chain))) {
      expect(await found(joined(lines.filter((line) => JSON.parse(line).chain !== chain)))).toBe(true);
    }
    await fc.assert(
      fc.asyncProperty(index(), async (from) => {
        const last = new Map<string, string>();
        const forged = lines.map((line, i) => {
          const { hash, mac, ...body } = JSON.parse(line);
          const changed = {
            ...body,
            ...(i === from && { tool: 'pve_overview' }),
            prev: last.get(body.chain) ?? 'start',
          };
          const whole = sealed(changed, Buffer.alloc(32));
          last.set(body.chain, whole.hash);
          return i < from ? line : whole.line;
        });
        expect(await found(joined(forged))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('a whole file that was replaced by an older one of its own, or by one of another audit', async () => {
    expect(await found(joined(lines.slice(0, 12)))).toBe(true);
    expect(await found('')).toBe(true);
    const other = await desk();
    const audit = auditAt(other);
    await write(audit);
    await audit.close();
    expect(await found(readFileSync(other.file))).toBe(true);
  });

  it('a rotated file that was removed, emptied, or put in the place of another', async () => {
    const many = await desk();
    const audit = auditAt(many, 2500);
    for (let i = 0; i < 12; i += 1) await write(audit);
    await audit.close();
    const files = rotatedOf(many.file).map(({ file }) => file);
    expect(files.length).toBeGreaterThan(2);
    for (const [i, file] of files.entries()) {
      const whole = readFileSync(file);
      rmSync(file);
      expect(await findings(many)).not.toEqual([]);
      writeFileSync(file, '');
      expect(await findings(many)).not.toEqual([]);
      copyFileSync(files[(i + 1) % files.length] ?? '', file);
      expect(await findings(many)).not.toEqual([]);
      writeFileSync(file, whole);
      expect(await findings(many)).toEqual([]);
    }
  });
});

describe('guarantee 22: no false alarm', () => {
  let program: string;
  beforeAll(async () => {
    program = await scribeProgram();
  });
  afterAll(() => rm(dirname(program), { recursive: true, force: true }));

  it('of histories of several processes that rotate, remove old files, end, and are killed at any moment', async () => {
    const histories = counted(40, 8);
    let killed = 0;
    let checks = 0;
    for (let history = 0; history < histories; history += 1) {
      const at = await desk();
      const [kept, ...delays] = fc.sample(fc.integer({ min: 0, max: 250 }), { numRuns: 7, seed: history });
      for (let round = 0; round < 2; round += 1) {
        const scribes = [0, 1, 2].map((i) => {
          const seed = history * 100 + round * 10 + i;
          // In a millionth of a day everything is old.
          const keepDays = (kept ?? 0) % 2 === 0 ? 0 : 1e-6;
          return startScribe(program, at, { maxBytes: 40_000, keepDays, calls: i === 0 ? 40 : 0, seed });
        });
        while (!existsSync(at.file)) await new Promise((resolve) => setTimeout(resolve, 5));
        for (const [i, scribe] of scribes.entries()) {
          if (i === 0) continue;
          await new Promise((resolve) => setTimeout(resolve, delays[round * 2 + i - 1]));
          expect(await findings(at)).toEqual([]);
          scribe.kill('SIGKILL');
          killed += 1;
          checks += 1;
        }
        await Promise.all(scribes.map(ended));
        expect(await findings(at)).toEqual([]);
        checks += 1;
      }
    }
    figure(22, `0 false alarms in ${grouped(checks)} looks at ${histories} histories with ${killed} kills`);
  }, 600_000);
});
