import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Audit, createAudit } from '../../src/gate/audit.ts';
import { createRedact } from '../../src/present/redact.ts';
import { Secret } from '../../src/secret.ts';
import { figure } from '../figures.ts';
import { FULL_FILE } from '../rig/disk.ts';
import { bench } from './harness.ts';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'psm-audit-'));
  file = join(dir, 'state', 'audit.jsonl');
});
afterEach(async () => {
  await Promise.all(audits.splice(0).map((audit) => audit.close()));
  await rm(dir, { recursive: true, force: true });
});

const redact = createRedact([new Secret('hunter2-hunter2')]);
const audits: Audit[] = [];
const audited = (mode: 'guarded' | 'trusted' = 'trusted', at = file) => {
  const audit = createAudit({ file: at, headFolder: join(dir, 'heads'), redact });
  audits.push(audit);
  return bench({ setup: { mode, auditFile: at }, audit });
};

const lines = async (): Promise<Record<string, unknown>[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Every line's hash is of its own text, its mac of that, and it names the line before it in its chain. */
function expectChained(rows: readonly Record<string, unknown>[]): void {
  const last = new Map<unknown, unknown>();
  const key = readFileSync(join(dir, 'heads', 'key'));
  for (const { hash, mac, ...body } of rows) {
    expect(hash).toBe(createHash('sha256').update(JSON.stringify(body)).digest('hex'));
    expect(mac).toBe(createHmac('sha256', key).update(String(hash)).digest('hex'));
    expect(body.prev).toBe(last.get(body.chain) ?? 'start');
    last.set(body.chain, hash);
  }
}

describe('the audit', () => {
  it('notes the intent before and the outcome after, in a 0600 file of a 0700 folder', async () => {
    const { call } = audited();
    await call('pve_lamp_destroy', { colour: 'red' });
    const rows = await lines();
    expect(
      rows.map(({ kind, tool, effect, verdict, approved, client, input }) => ({
        kind,
        tool,
        effect,
        verdict,
        approved,
        client,
        input,
      })),
    ).toEqual([
      {
        kind: 'intent',
        tool: 'pve_lamp_destroy',
        effect: 'destroy',
        approved: 'mode',
        client: 'vitest 4',
        input: { colour: 'red' },
      },
      { kind: 'outcome', tool: 'pve_lamp_destroy', effect: 'destroy', verdict: 'ok', client: 'vitest 4' },
    ]);
    expect(rows[0]?.call).toBe(rows[1]?.call);
    expectChained(rows);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'state'))).mode & 0o777).toBe(0o700);
  });

  it('notes reads, refusals and questions too', async () => {
    const { call } = audited('guarded');
    await call('pve_lamp_read', { colour: 'red' });
    await call('pve_lamp_read', { nonsense: 1 });
    await call('pve_lamp_destroy');
    await call('pve_lamp_destroy', {}, { canAsk: false });
    const rows = await lines();
    expect(rows.map(({ kind, verdict }) => [kind, verdict])).toEqual([
      ['outcome', 'ok'],
      ['outcome', 'invalid-input'],
      ['asked', undefined],
      ['outcome', 'refused'],
    ]);
    expect(rows[0]?.input).toEqual({ colour: 'red' });
  });

  it('keeps secrets out, shortens long values with their SHA-256, and shows hidden characters', async () => {
    const { call } = audited();
    const long = 'y'.repeat(10_000);
    await call('pve_lamp_change', { colour: 'x hunter2-hunter2 \x1b[2J' });
    await call('pve_lamp_change', { colour: long });
    const [first, , second] = await lines();
    expect(first?.input).toEqual({ colour: 'x [secret removed] \\x1b[2J' });
    const sha256 = createHash('sha256').update(long).digest('hex');
    expect(second?.input).toEqual({ colour: { start: 'y'.repeat(500), characters: 10_000, sha256 } });
  });

  it('keeps out what is given under the name of a secret', async () => {
    const audit = createAudit({ file, headFolder: join(dir, 'heads'), redact });
    const input = { params: { userid: 'x@pve', password: 'correct horse', 'encryption-key': ['e1'] }, password: true };
    await audit.write({ kind: 'asked', call: 'c', tool: 'pve_api_call', effect: 'destroy', client: 'x', input });
    await audit.close();
    expect((await lines())[0]?.input).toEqual({
      params: { userid: 'x@pve', password: '[hidden]', 'encryption-key': ['[hidden]'] },
      password: true,
    });
  });

  it('stays one chain under calls at once, and a second process begins one of its own', async () => {
    const { call } = audited();
    await Promise.all(Array.from({ length: 50 }, () => call('pve_lamp_change')));
    const before = await lines();
    expect(before).toHaveLength(100);
    expectChained(before);
    await audited().call('pve_lamp_change');
    const rows = await lines();
    expectChained(rows);
    expect(rows[100]).toMatchObject({ seq: 1, prev: 'start' });
    expect(rows[100]?.chain).not.toBe(rows[99]?.chain);
  });

  it('is begun anew while calls wait for the disk, and no line of theirs is lost', async () => {
    const audit = createAudit({ file, headFolder: join(dir, 'heads'), redact });
    const intent = { kind: 'intent', tool: 'pve_lamp_change', effect: 'change', client: 'x' } as const;
    const written: Promise<void>[] = [];
    for (let i = 0; i < 20; i += 1) {
      written.push(audit.write({ ...intent, call: `call ${i}` }));
      if (i % 5 === 4) await rename(file, `${file}.${i}`);
    }
    await Promise.all(written);
    await audit.close();
    const files = [4, 9, 14, 19].map((i) => readFile(`${file}.${i}`, 'utf8'));
    const rows = (await Promise.all(files)).join('').trimEnd().split('\n');
    expect(rows.map((row) => JSON.parse(row).call)).toEqual(Array.from({ length: 20 }, (_, i) => `call ${i}`));
    expectChained(rows.map((row) => JSON.parse(row)));
  });

  it('begins a new file when the old one was moved away', async () => {
    const { call } = audited();
    await call('pve_lamp_change');
    await rename(file, `${file}.1`);
    await call('pve_lamp_change');
    expect(await lines()).toHaveLength(2);
  });

  it('continues on a line of its own after a line that was cut', async () => {
    await audited().call('pve_lamp_change');
    await appendFile(file, '{"time":"2026-');
    const text = await readFile(file, 'utf8');
    await audited().call('pve_lamp_change');
    const after = (await readFile(file, 'utf8')).slice(text.length);
    expect(after.startsWith('\n{')).toBe(true);
  });
});

describe('two processes on one file', () => {
  it('a line that the other one left half written does not swallow ours', async () => {
    const ours = audited();
    await ours.call('pve_lamp_change');
    await appendFile(file, '{"time":"2026-');
    await ours.call('pve_lamp_change');
    const whole = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '{"time":"2026-');
    const rows: Record<string, unknown>[] = whole.map((line) => JSON.parse(line));
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expectChained(rows);
  });

  it('1,000 lines of any length at once: each is whole, each chain unbroken', async () => {
    const both = [audited(), audited()];
    const colours = Array.from({ length: 250 }, (_, i) => 'v'.repeat(i));
    await Promise.all(both.flatMap(({ call }) => colours.map((colour) => call('pve_lamp_change', { colour }))));
    const rows = await lines();
    expect(rows).toHaveLength(1000);
    expect(new Set(rows.map(({ chain }) => chain)).size).toBe(2);
    expectChained(rows);
  });
});

describe('guarantee 22: no intent on the disk, no act', () => {
  it('refuses changes when the file cannot be written, says why, and still answers reads', async () => {
    const { call, ran } = audited('trusted', FULL_FILE);
    const outcome = await call('pve_lamp_change');
    expect(outcome).toMatchObject({
      kind: 'failure',
      failure: {
        kind: 'refused',
        message: expect.stringContaining('ENOSPC'),
        hint: expect.stringContaining('MCP_AUDIT_FILE'),
      },
    });
    expect(ran).toEqual([]);
    figure(22, `${ran.length} changes made on a full disk`);
    expect((await call('pve_lamp_read')).kind).toBe('answer');
  });

  it('refuses changes when the folder cannot be made', async () => {
    const blocker = join(dir, 'file');
    await writeFile(blocker, '');
    await chmod(blocker, 0o600);
    const { call, ran } = audited('trusted', join(blocker, 'audit.jsonl'));
    expect(await call('pve_lamp_execute')).toMatchObject({ kind: 'failure', failure: { kind: 'refused' } });
    expect(ran).toEqual([]);
  });
});
